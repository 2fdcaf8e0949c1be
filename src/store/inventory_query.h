// What the store answers about resources and what is installed on them: pages by key, counts, what
// could not be decided. Nothing here writes.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/sql.h"
#include "store/findings.h"
#include "store/ids.h"
#include "store/matches.h"
#include "store/resources.h"

namespace tenken::store {

struct ResourceQuery {
  std::string account;
  std::string type;    // empty: every one
  std::string status;  // of coverage: "ACTIVE", "INACTIVE"; empty: both
  std::vector<std::pair<std::string, std::string>> tags;  // all of them
  std::string after;                                      // the external id before the page
  std::int64_t limit = 100;
  Seconds now = 0;  // at which its coverage is told
};
// By external id, with their coverage as it is now (coverage_now.h).
Result<std::vector<Resource>> list_resources(sql::Connection& connection,
                                             const ResourceQuery& query);

struct InstalledVersion {
  PackageVersionId id;
  PackageVersion version;
  std::string location;
  bool matched = false;  // false: its first match is still to come
  Decided decided = Decided::wholly;
  std::string unknown;  // JSON: kind, subject, reason
  std::int64_t vulnerabilities = 0;
  std::string running;  // JSON: RunningPackage::processes; empty: it is installed
};
// What is installed, and what is not and still runs. By package version id, those after `after`.
Result<std::vector<InstalledVersion>> installed_versions(sql::Connection& connection,
                                                         ResourceId resource,
                                                         PackageVersionId after,
                                                         std::int64_t limit);
// Those of the ids that the store has, installed or not; at most some hundreds.
Result<std::vector<PackageVersion>> package_versions(sql::Connection& connection,
                                                     const std::vector<PackageVersionId>& ids);

// How many installed packages share one text of what is unknown about them.
struct UnknownCount {
  std::string unknown;  // JSON: kind, subject, reason
  std::int64_t packages = 0;
};
Result<std::vector<UnknownCount>> count_unknown(sql::Connection& connection, ResourceId resource);
// Of the whole account but for resources that are gone: of packages of which something was not
// decided.
Result<std::vector<UnknownCount>> count_undecided(sql::Connection& connection,
                                                  std::string_view account);

struct FindingCount {
  Lifecycle status = Lifecycle::active;
  std::int64_t score = no_score;
  std::int64_t findings = 0;
};
Result<std::vector<FindingCount>> count_findings(sql::Connection& connection, ResourceId resource);
Result<std::vector<FindingCount>> count_findings(sql::Connection& connection,
                                                 std::string_view account);

struct CoverageCount {
  std::string status;
  std::string reason;
  std::int64_t resources = 0;
  std::int64_t packages = 0;  // installed on them; 0 of those that are gone
};
Result<std::vector<CoverageCount>> count_resources(sql::Connection& connection,
                                                   std::string_view account);

// On which processes run what is installed no longer.
Result<std::int64_t> count_resources_to_restart(sql::Connection& connection,
                                                std::string_view account);

}  // namespace tenken::store
