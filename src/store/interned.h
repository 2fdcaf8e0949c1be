// What the store keeps once for all resources (package versions, their matches, vulnerabilities)
// and may forget when nothing needs it any more. Whoever relies on a row that is there holds the
// lock shared until the end of its transaction; whoever removes rows holds it alone, and moves the
// epoch on, so that nobody believes in what was removed.
//
// Take slices first (lock_slice), this lock after them.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection, inside the
// caller's transaction.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::store {

enum class Sharing : std::uint8_t { shared, alone };
Result<> lock_interned(sql::Connection& connection, Sharing sharing);

// Under the lock.
Result<std::int64_t> interned_epoch(sql::Connection& connection);
Result<> move_interned_epoch(sql::Connection& connection);

}  // namespace tenken::store
