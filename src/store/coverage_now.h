// The coverage of a resource as it is now: a host that has not reported for seven days is INACTIVE
// with STALE_INVENTORY, and one whose agent was revoked with UNMANAGED_EC2_INSTANCE, however it
// stands in its row (spec: inspector B.3, serve-decisions §4). An image or a function does not
// change by itself: only a host's inventory becomes stale.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/resources.h"

namespace tenken::store {

inline constexpr Seconds inventory_is_stale_after = 7 * 86'400;

// Expressions over a row of resource.
struct CoverageNow {
  std::string silent;  // a condition: nothing is heard of the host
  std::string code;
  std::string reason;
};
// stale_before: the parameter, "?3", whose value is now - inventory_is_stale_after.
CoverageNow coverage_now(std::string_view stale_before);

Result<std::optional<Resource>> find_resource_now(sql::Connection& connection,
                                                  std::string_view account,
                                                  std::string_view external_id, Seconds now);

struct Silence {
  std::string reason;  // "STALE_INVENTORY", "UNMANAGED_EC2_INSTANCE"
  Seconds since = 0;   // it was heard of last
};
// Those of the resources of which nothing is heard, by id; at most some hundreds are asked for.
Result<std::map<std::int64_t, Silence>> silent_resources(sql::Connection& connection,
                                                         std::span<const ResourceId> resources,
                                                         Seconds now);

}  // namespace tenken::store
