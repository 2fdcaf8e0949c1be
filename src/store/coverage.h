// What can be said of a resource at all: the columns coverage_status, coverage_reason and
// evaluated_at of resource (serve-decisions §4). Where no advisories cover its distribution it is
// INACTIVE with UNSUPPORTED_OS, however many findings of an earlier generation stay, or of single
// records that name the release: they are true, and yet nothing is known of all the rest.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/resources.h"

namespace tenken::store {

// After an evaluation of the resource.
Result<> set_coverage(sql::Connection& connection, ResourceId resource, Seconds evaluated);

// After releases came to be covered or no longer are (MatchChanges::coverage): of the first
// resources of the range, under lock_slice. Those that wait for their first evaluation, are gone or
// have no packages stay as they are. Returns the last one looked at; nullopt: there is none.
Result<std::optional<ResourceId>> update_coverage(sql::Connection& connection,
                                                  const ResourceRange& range);

// When the whole fleet was evaluated last, because another advisory generation came into use; 0:
// never. One row for all: no resource is written for it.
Result<Seconds> fleet_evaluated_at(sql::Connection& connection);
Result<> set_fleet_evaluated(sql::Connection& connection, Seconds now);

// When a resource was evaluated last is the later of its own time and that of the fleet, in a
// Resource that was read and in SQL over a row of resource (NULL: never; fleet: a parameter).
void note_fleet_evaluated(Resource& resource, Seconds at);
std::string last_evaluated(std::string_view fleet);

}  // namespace tenken::store
