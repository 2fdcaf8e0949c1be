// What the store answers about coverage: which resources are looked at, how, and which are not and
// why. Nothing here writes.
//
// A resource stands as coverage_now.h says; what is gone (RESOURCE_TERMINATED) is listed for three
// days more (spec: inspector B.3, serve-decisions §4).
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/conditions.h"
#include "store/resources.h"

namespace tenken::store {

inline constexpr Seconds gone_is_listed_for = 3 * 86'400;

enum class CoverageField : std::uint8_t {
  resource_id,
  resource_type,
  scan_mode,
  scan_type,
  status_code,
  status_reason,
  function_name,
  project_name,
  provider_type,  // of a code repository, and its visibility: UNKNOWN
  region,
  repository,
  registry,
  absent,  // what no resource of ours has
};

struct CoverageFilter {
  std::vector<std::string> accounts;  // one of them
  std::vector<std::pair<CoverageField, findings::TextTests>> texts;
  std::vector<std::vector<findings::TagTest>> host_tags;      // each holds, of hosts only
  std::vector<std::vector<findings::TagTest>> function_tags;  // each holds, of functions only
  std::vector<findings::NumberRange> scanned;                 // when it was evaluated last
  bool impossible = false;                                    // no resource can meet it
};

struct CoveragePosition {
  std::string account;
  std::string external_id;
};

// Resources with their coverage as it is now, by account and id, those after `after`.
Result<std::vector<Resource>> list_coverage(sql::Connection& connection,
                                            const CoverageFilter& filter,
                                            const CoveragePosition& after, std::int64_t limit,
                                            Seconds now);
Result<std::int64_t> count_coverage(sql::Connection& connection, const CoverageFilter& filter,
                                    Seconds now);

enum class CoverageGroup : std::uint8_t {
  status_code,
  status_reason,
  account,
  resource_type,
  region,
  provider,    // of all the same
  repository,  // of images that are in one
};
struct CoverageGroupCount {
  std::int64_t resources = 0;
  std::string value;
};
// Groups with the most resources first; those after `after` where it counts any.
Result<std::vector<CoverageGroupCount>> group_coverage(sql::Connection& connection,
                                                       const CoverageFilter& filter,
                                                       CoverageGroup group,
                                                       const CoverageGroupCount& after,
                                                       std::int64_t limit, Seconds now);

}  // namespace tenken::store
