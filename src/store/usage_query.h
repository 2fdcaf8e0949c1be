// What was scanned in the current month, as the API counts usage: by account, in its units.
//
// Errors: those of the engine. Thread rule: over the caller's connection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

struct Usage {
  std::int64_t host_seconds = 0;  // that hosts were there, since `from`
  std::int64_t function_seconds = 0;
  std::int64_t images = 0;  // seen first since `from`
  std::int64_t repositories = 0;
};
Result<Usage> usage_of(sql::Connection& connection, std::string_view account, Seconds from,
                       Seconds now);

}  // namespace tenken::store
