// The engine SQLite: one file in write-ahead mode, where readers never wait and one writes at a
// time. Every commit is on the disk before it returns (synchronous FULL).
#pragma once

#include <memory>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::sql {

Result<std::unique_ptr<Connection>> open_sqlite(const Location& location);

}  // namespace tenken::sql
