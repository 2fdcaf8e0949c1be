#include "serve/backup.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "access/keys.h"
#include "access/schema.h"
#include "serve/store_lock.h"
#include "sql/backup.h"
#include "store/schema.h"

namespace tenken::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view name_start = "tenken-";
constexpr std::string_view name_end = ".sqlite";
constexpr auto leftover_age = std::chrono::hours(24);

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Names of whole backups, oldest first: their names sort by time.
std::vector<std::string> backups(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    auto name = entry.path().filename().string();
    if (name.starts_with(name_start) && name.ends_with(name_end)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

// "20270131T235959Z" as parse_time has it.
std::optional<Seconds> time_of(std::string_view name) {
  name.remove_prefix(name_start.size());
  name.remove_suffix(name_end.size());
  if (name.size() != 16) return std::nullopt;
  return parse_time(fmt::format("{}-{}-{}T{}:{}:{}Z", name.substr(0, 4), name.substr(4, 2),
                                name.substr(6, 2), name.substr(9, 2), name.substr(11, 2),
                                name.substr(13, 2)));
}

// What belonged to the store that is replaced: its log would be taken for the new one's.
Result<> remove_store(const std::string& file) {
  for (const auto* suffix : {"-wal", "-shm", ""}) {
    std::error_code error;
    fs::remove(file + suffix, error);
    if (error) return from_errno(error.value(), file + suffix);
  }
  return {};
}

Result<> is_store(sql::Connection& connection) {
  TRY(const auto found,
      connection.one_integer("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' "
                             "AND name IN ('resource', 'finding', 'access_key')"));
  if (found != 3) return invalid("a database, but no backup of tenken");
  return {};
}

// "Another node" is no way out here.
Result<StoreLock> lock_to_restore(const std::string& data_directory) {
  auto lock = StoreLock::take(data_directory);
  if (lock || lock.error().code != Errc::conflict) return lock;
  return unavailable(
      fmt::format("a server runs on {}: stop the server first, then restore", data_directory));
}

// Of what is no SQLite file, or is broken, SQLite's words ask for a backup; this is the backup.
Result<> check_backup(const std::string& file) {
  auto whole = sql::verify_sqlite(file);
  if (whole) return {};
  if (whole.error().code == Errc::internal)
    return invalid(fmt::format("{}: no backup of tenken, or a damaged one", file));
  return invalid(std::move(whole).error().what);
}

Result<Restored> adopt(const std::string& file, const access::MasterKey& master, Seconds now) {
  TRY(auto connection, sql::open({.sqlite_file = file}));
  TRY_VOID(is_store(*connection));
  TRY_VOID(access::migrate(*connection));
  TRY_VOID(store::migrate(*connection));
  const auto known = access::check_master_key(*connection, master);
  if (known) return Restored{};
  if (known.error().code != Errc::conflict) return known.error();
  TRY(const auto ended, access::adopt_master_key(*connection, master, now));
  return Restored{.keys_ended = ended};
}

}  // namespace

Result<> backup_store(const std::string& data_directory, const std::string& to) {
  const auto file = store_file(data_directory);
  if (!exists(file)) return unavailable(fmt::format("{}: no store", file));
  return sql::backup_sqlite(file, to);
}

Result<Restored> restore_store(const std::string& from, const std::string& data_directory,
                               const access::MasterKey& master, bool replace, Seconds now) {
  TRY(const auto lock, lock_to_restore(data_directory));
  const auto file = store_file(data_directory);
  if (exists(file) && !replace)
    return Error{Errc::conflict, fmt::format("{} is there; --force replaces it", file)};
  TRY_VOID(check_backup(from));
  // Beside the store first: what turns out to be unusable has replaced nothing.
  const auto fresh = restored_file(data_directory);
  TRY_VOID(remove_store(fresh));
  TRY_VOID(sql::backup_sqlite(from, fresh));
  auto adopted = adopt(fresh, master, now);
  if (!adopted) {
    TRY_VOID(remove_store(fresh));
    return std::move(adopted).within(from);
  }
  TRY_VOID(remove_store(file));
  std::error_code error;
  fs::rename(fresh, file, error);
  if (error) return from_errno(error.value(), file);
  return adopted;
}

std::string backup_name(Seconds time) {
  auto text = format_time(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return fmt::format("{}{}{}", name_start, text, name_end);
}

Seconds newest_backup(const std::string& directory) {
  Seconds newest = 0;
  for (const auto& name : backups(directory)) newest = std::max(newest, time_of(name).value_or(0));
  return newest;
}

void remove_old_backups(const std::string& directory, std::size_t keep) {
  const auto names = backups(directory);
  std::error_code error;
  for (std::size_t i = 0; i + keep < names.size(); ++i)
    fs::remove(directory + "/" + names[i], error);
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto name = entry.path().filename().string();
    const bool unfinished = name.starts_with(name_start) && !name.ends_with(name_end);
    if (unfinished && now - entry.last_write_time(error) > leftover_age)
      fs::remove(entry.path(), error);
  }
}

const std::vector<std::string_view>& distributed_tables() {
  static const std::vector<std::string_view> tables{
      "resource",      "resource_tag",  "resource_package", "finding",
      "finding_event", "finding_count", "agent_report"};
  return tables;
}

const std::vector<std::string_view>& reference_tables() {
  static const std::vector<std::string_view> tables{"package_version", "match", "vulnerability",
                                                    "agent"};
  return tables;
}

Result<bool> distribute_store(sql::Connection& connection) {
  TRY(const auto installed,
      connection.one_integer("SELECT COUNT(*) FROM pg_extension WHERE extname = 'citus'"));
  if (installed != 1) return false;
  const auto is_known = [&](std::string_view table) {
    return connection.one_integer(
        "SELECT COUNT(*) FROM pg_dist_partition WHERE logicalrelid = CAST(?1 AS regclass)", table);
  };
  for (const auto table : reference_tables()) {
    TRY(const auto known, is_known(table));
    if (known == 0)
      TRY_VOID(connection.script(fmt::format("SELECT create_reference_table('{}')", table)));
  }
  for (const auto table : distributed_tables()) {
    TRY(const auto known, is_known(table));
    const auto* colocation = table == distributed_tables().front() ? "default" : "resource";
    if (known == 0)
      TRY_VOID(connection.script(
          fmt::format("SELECT create_distributed_table('{}', 'resource_id', colocate_with => '{}')",
                      table, colocation)));
  }
  return true;
}

}  // namespace tenken::serve
