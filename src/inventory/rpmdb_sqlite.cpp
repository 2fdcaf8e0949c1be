// rpmdb.sqlite: one table Packages(hnum INTEGER PRIMARY KEY, blob BLOB). The file is foreign, so
// SQLite runs with views and triggers off, untrusted schema functions off, and bounds on the size
// of a value, of a statement and on the work of the one query (https://sqlite.org/security.html).
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

#include "inventory/rpmdb.h"

namespace tenken::inventory {
namespace {

constexpr int max_blob_bytes = 32 << 20;
constexpr std::size_t max_total_bytes = std::size_t{2} << 30;
// The handler is asked every so many steps of SQLite's machine; a healthy database needs fewer
// than ten for each package.
constexpr int steps_between_checks = 10'000;
constexpr int max_checks = 2'000;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

Error sqlite_error(sqlite3* database) {
  const auto code = [&] {
    switch (sqlite3_errcode(database) & 0xFF) {
      case SQLITE_TOOBIG:
      case SQLITE_INTERRUPT:
        return Errc::limit;
      case SQLITE_BUSY:
      case SQLITE_CANTOPEN:
      case SQLITE_FULL:
      case SQLITE_IOERR:
      case SQLITE_LOCKED:
      case SQLITE_NOMEM:
        return Errc::unavailable;
      default:
        return Errc::invalid;
    }
  }();
  return {code, fmt::format("SQLite: {}", sqlite3_errmsg(database))};
}

// https://sqlite.org/uri.html, section 3.1.
std::string file_uri(const std::string& path, std::string_view query) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%')
      fmt::format_to(std::back_inserter(uri), "%{:02x}", static_cast<unsigned char>(c));
    else
      uri += c;
  }
  return uri.append(query);
}

Result<Database> open(const std::string& path, SqliteAccess access) {
  const bool immutable = access == SqliteAccess::immutable;
  const auto uri = file_uri(path, immutable ? "?immutable=1" : "");
  const int flags = (immutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_URI |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(uri.c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (database == nullptr) return unavailable("SQLite: out of memory");
  if (opened != SQLITE_OK) return sqlite_error(handle);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, max_blob_bytes);
  sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 64 << 10);
  sqlite3_limit(handle, SQLITE_LIMIT_COLUMN, 100);
  sqlite3_limit(handle, SQLITE_LIMIT_EXPR_DEPTH, 20);
  sqlite3_limit(handle, SQLITE_LIMIT_VDBE_OP, 25'000);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  return database;
}

}  // namespace

Result<> read_rpmdb_sqlite(const std::string& path, SqliteAccess access,
                           const VisitRpmHeader& visit) {
  TRY(const auto database, open(path, access));
  int checks = 0;
  sqlite3_progress_handler(
      database.get(), steps_between_checks,
      [](void* count) { return ++*static_cast<int*>(count) > max_checks ? 1 : 0; }, &checks);
  sqlite3_stmt* handle = nullptr;
  constexpr std::string_view query = "SELECT hnum, blob FROM Packages ORDER BY hnum";
  if (sqlite3_prepare_v2(database.get(), query.data(), static_cast<int>(query.size()), &handle,
                         nullptr) != SQLITE_OK)
    return sqlite_error(database.get());
  const Statement statement(handle);
  std::size_t total = 0;
  for (;;) {
    const int step = sqlite3_step(handle);
    if (step == SQLITE_DONE) return {};
    if (step != SQLITE_ROW) return sqlite_error(database.get());
    const auto number = static_cast<std::uint64_t>(sqlite3_column_int64(handle, 0));
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle, 1));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle, 1));
    total += size;
    if (total > max_total_bytes) return limit_exceeded("more than 2 GB of package headers");
    TRY_VOID(visit(data == nullptr ? std::string_view() : std::string_view(data, size), number));
  }
}

}  // namespace tenken::inventory
