#include "sql/backup.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "sql/sqlite_handle.h"

namespace tenken::sql {

namespace {

constexpr int step_pages = 1024;
constexpr int lock_wait_ms = 10'000;

struct FinishBackup {
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};

// The text of the first row's column; empty where there is no row.
Result<std::string> first_text(sqlite3* database, const char* sql, int column) {
  sqlite3_stmt* raw = nullptr;
  const int prepared = sqlite3_prepare_v2(database, sql, -1, &raw, nullptr);
  const SqliteStatement statement(raw);
  if (prepared != SQLITE_OK) return sqlite_error(database, sql);
  const int stepped = sqlite3_step(raw);
  if (stepped == SQLITE_DONE) return std::string();
  if (stepped != SQLITE_ROW) return sqlite_error(database, sql);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, column));
  return std::string(text == nullptr ? "" : text);
}

// The reading transaction holds one state from the first page to the last: without it, each
// commit of another connection would start the copy anew.
Result<> copy_pages(sqlite3* source, sqlite3* target, const BackupProgress& progress) {
  TRY_VOID(execute_sqlite(source, "BEGIN; SELECT count(*) FROM sqlite_schema"));
  TRY(const auto page_size, first_text(source, "PRAGMA page_size", 0));
  const auto page_bytes = std::strtoull(page_size.c_str(), nullptr, 10);
  const std::unique_ptr<sqlite3_backup, FinishBackup> backup(
      sqlite3_backup_init(target, "main", source, "main"));
  if (backup == nullptr) return sqlite_error(target, "backup");
  int stepped = SQLITE_OK;
  while (stepped == SQLITE_OK) {
    stepped = sqlite3_backup_step(backup.get(), step_pages);
    const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup.get()));
    const auto left = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup.get()));
    if (progress) progress((total - left) * page_bytes, total * page_bytes);
  }
  if (stepped == SQLITE_DONE) return {};
  return sqlite_error(stepped, "backup");
}

Result<> copy_into(const std::string& from, const std::string& to, const BackupProgress& progress) {
  TRY(const auto source, open_sqlite_file(from, SQLITE_OPEN_READWRITE));
  sqlite3_busy_timeout(source.get(), lock_wait_ms);
  TRY(const auto target, open_sqlite_file(to, SQLITE_OPEN_READWRITE));
  TRY_VOID(execute_sqlite(target.get(), "PRAGMA synchronous = OFF"));
  TRY_VOID(copy_pages(source.get(), target.get(), progress).within(from));
  return execute_sqlite(target.get(), "PRAGMA journal_mode = DELETE");
}

Result<> sync(const std::string& path, int flags) {
  const Fd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return from_errno(errno, path);
  return {};
}

std::string directory_of(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

}  // namespace

Result<> verify_sqlite(const std::string& path) {
  TRY(const auto database, open_sqlite_file(path, SQLITE_OPEN_READONLY));
  TRY(const auto found, first_text(database.get(), "PRAGMA integrity_check(1)", 0).within(path));
  if (found != "ok") return invalid(fmt::format("{}: the database is damaged: {}", path, found));
  TRY(const auto orphan, first_text(database.get(), "PRAGMA foreign_key_check", 0).within(path));
  if (!orphan.empty())
    return invalid(fmt::format("{}: a row of {} points to a row that is not there", path, orphan));
  return {};
}

Result<std::string> ask_sqlite(const std::string& path, const char* sql) {
  TRY(const auto database, open_sqlite_file(path, SQLITE_OPEN_READONLY));
  return first_text(database.get(), sql, 0).within(path);
}

Result<> backup_sqlite(const std::string& from, const std::string& to,
                       const BackupProgress& progress) {
  std::string temporary = to + ".XXXXXX";
  // Made by mkostemp with mode 0600.
  Fd created(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!created.valid()) return from_errno(errno, temporary);
  created = Fd();
  const auto made = [&]() -> Result<> {
    TRY_VOID(copy_into(from, temporary, progress));
    TRY_VOID(verify_sqlite(temporary));
    TRY_VOID(sync(temporary, O_RDONLY));
    if (::rename(temporary.c_str(), to.c_str()) != 0) return from_errno(errno, to);
    return sync(directory_of(to), O_RDONLY | O_DIRECTORY);
  }();
  if (!made)
    for (const char* suffix : {"", "-journal", "-wal", "-shm"})
      ::unlink((temporary + suffix).c_str());
  return made;
}

}  // namespace tenken::sql
