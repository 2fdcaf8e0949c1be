#include "sql/sqlite_handle.h"

#include <cerrno>

#include <fmt/format.h>
#include <sqlite3.h>

#include "sql/session.h"

namespace tenken::sql {

namespace {

// https://sqlite.org/rescode.html
Errc code_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
    case SQLITE_CANTOPEN:
      return Errc::unavailable;
    case SQLITE_CONSTRAINT:
      return Errc::conflict;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return Errc::denied;
    case SQLITE_TOOBIG:
      return Errc::limit;
    default:
      return Errc::internal;
  }
}

Error make_error(int result, std::string_view message, std::string_view where) {
  const bool damaged = (result & 0xFF) == SQLITE_CORRUPT || (result & 0xFF) == SQLITE_NOTADB;
  return {code_of(result), fmt::format("{}: SQLite: {}{}", where, message,
                                       damaged ? " (the file is damaged: restore a backup)" : "")};
}

}  // namespace

void CloseSqlite::operator()(sqlite3* database) const {
  sqlite3_close(database);
}
void CloseSqlite::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Error sqlite_error(sqlite3* database, std::string_view where) {
  const int result = sqlite3_extended_errcode(database);
  // Why a file does not open, the system says better: no file, or no permission.
  const int cause = sqlite3_system_errno(database);
  if ((result & 0xFF) == SQLITE_CANTOPEN && cause != 0) return from_errno(cause, where);
  return make_error(result, sqlite3_errmsg(database), where);
}

Error sqlite_error(int code, std::string_view where) {
  return make_error(code, sqlite3_errstr(code), where);
}

Result<SqliteHandle> open_sqlite_file(const std::string& path, int flags) {
  // A relative name gets a "./", so that neither ":memory:" nor "file:" means something else.
  const std::string name = path.starts_with('/') ? path : "./" + path;
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteHandle database(handle);
  if (database == nullptr) return unavailable(fmt::format("{}: no memory for SQLite", path));
  if (opened != SQLITE_OK) return sqlite_error(handle, path);
  sqlite3_extended_result_codes(handle, 1);
  return database;
}

Result<> execute_sqlite(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_error(database, shown(sql));
}

}  // namespace tenken::sql
