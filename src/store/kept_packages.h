// What an incomplete inventory says nothing of.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <set>

#include "base/result.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/resources.h"

namespace tenken::store {

// An incomplete inventory replaces what it names and leaves the rest: the versions installed in
// whose stead it names none are kept. None of a complete one.
Result<std::set<std::int64_t>> kept_packages(sql::Connection& connection, ResourceId id,
                                             const InventoryWrite& inventory);

}  // namespace tenken::store
