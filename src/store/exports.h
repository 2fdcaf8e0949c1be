// Exports: reports of findings and SBOMs asked for by an account, in progress or done. The table
// export has no other writer. The work itself is a job of kind `export_job`, so that a killed
// node's is taken over; an account has one export of a kind in progress at a time.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/jobs.h"

namespace tenken::store {

inline constexpr std::string_view export_job = "export";

enum class ExportStatus : std::int64_t {
  in_progress = 1,
  succeeded = 2,
  failed = 3,
  cancelled = 4
};
enum class ExportKind : std::int64_t { findings = 1, sbom = 2 };

struct Export {
  std::string account;
  std::string id;  // a UUID
  ExportKind kind = ExportKind::findings;
  std::string format;           // "CSV", "CYCLONEDX_1_4", …
  std::string criteria = "{}";  // JSON, as it was asked for
  // Where to: a bucket, or a name in the server's own directory.
  std::string bucket;
  std::string key_prefix;
  std::string kms_key;
  std::string bucket_owner;  // account; empty: not asked for
  std::string local_name;    // empty: the bucket
  ExportStatus status = ExportStatus::in_progress;
  std::string error_code;  // of a failed one: "BUCKET_NOT_FOUND", …
  std::string error_message;
  std::int64_t items = 0;  // findings or SBOMs written
  Seconds created = 0;
  Seconds ended = 0;
};

// Adds it with its job. False: the account has one of the kind in progress; nothing was written.
Result<bool> add_export(sql::Connection& connection, const Export& one);

Result<std::optional<Export>> find_export(sql::Connection& connection, std::string_view account,
                                          std::string_view id);
// That in progress, else the one that began last. nullopt: there never was one.
Result<std::optional<Export>> latest_export(sql::Connection& connection, std::string_view account,
                                            ExportKind kind);
// The export that a job is about. nullopt: it was deleted.
Result<std::optional<Export>> export_of(sql::Connection& connection, const Job& job);

// When work on the job's export began: now, unless it had begun before.
Result<Seconds> begin_export(sql::Connection& connection, const Job& job, std::string_view owner,
                             Seconds now);

// Ends one in progress as status, error, items and ended of `one` say. False: it had ended before.
Result<bool> end_export(sql::Connection& connection, const Export& one);

// What the advisories say of a resource's packages: by vulnerability, the packages by their places
// in the order of their ids.
Result<std::map<std::string, std::vector<std::size_t>>> installed_vulnerabilities(
    sql::Connection& connection, ResourceId resource);

// Deletes those that ended before. Returns how many.
Result<std::int64_t> prune_exports(sql::Connection& connection, Seconds before);

}  // namespace tenken::store
