// SQLite's handles, owned, and its error codes in our words.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tenken::sql {

struct CloseSqlite {
  void operator()(sqlite3* database) const;
  void operator()(sqlite3_stmt* statement) const;
};
using SqliteHandle = std::unique_ptr<sqlite3, CloseSqlite>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, CloseSqlite>;

// The last error of the handle; where says what was being done.
Error sqlite_error(sqlite3* database, std::string_view where);
// The error of a result code for which no handle has a message.
Error sqlite_error(int code, std::string_view where);

// Opens the file with flags of sqlite3_open_v2, never as a URI, and for one thread.
Result<SqliteHandle> open_sqlite_file(const std::string& path, int flags);

// Runs statements that take no parameters, and drops what they answer.
Result<> execute_sqlite(sqlite3* database, const std::string& sql);

}  // namespace tenken::sql
