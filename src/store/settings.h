// What the store knows once, by name: the table setting.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; what is read
// and then written is under a lock of the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::store {

// Empty, and 0: it was never put.
Result<std::string> text_setting(sql::Connection& connection, std::string_view name);
Result<std::int64_t> number_setting(sql::Connection& connection, std::string_view name);

Result<> put_setting(sql::Connection& connection, std::string_view name, std::string_view value);
Result<> put_setting(sql::Connection& connection, std::string_view name, std::int64_t value);

}  // namespace tenken::store
