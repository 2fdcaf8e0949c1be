#include "serve/backup.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "access/keys.h"
#include "access/master_key.h"
#include "access/schema.h"
#include "pipeline/database_location.h"
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

bool is_backup_name(std::string_view name) {
  return name.starts_with(name_start) && name.ends_with(name_end);
}

// Names of whole backups, oldest first: their names sort by time.
std::vector<std::string> backups(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    auto name = entry.path().filename().string();
    if (is_backup_name(name)) names.push_back(std::move(name));
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

Result<bool> is_store(const std::string& file) {
  TRY(const auto tables,
      sql::ask_sqlite(file,
                      "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name IN "
                      "('resource', 'finding', 'access_key')"));
  return tables == "3";
}

// A store in use keeps a log, a backup of one does not.
bool is_backup(const std::string& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error) || !is_store(file).value_or(false)) return false;
  return sql::ask_sqlite(file, "PRAGMA journal_mode").value_or("wal") != "wal";
}

// Whether the data directory holds it, at any depth.
bool lies_in(const std::string& file, const std::string& data_directory) {
  std::error_code error;
  const auto below = fs::weakly_canonical(fs::absolute(file), error)
                         .lexically_relative(fs::weakly_canonical(data_directory, error));
  return !below.empty() && *below.begin() != "..";
}

// Only an older backup is replaced, and nothing takes the place of what tenken makes, which is
// never named as a backup is.
Result<> check_place(const std::string& data_directory, const std::string& to) {
  const auto directory = fs::path(to).parent_path();
  std::error_code error;
  if (!directory.empty() && !fs::is_directory(directory, error))
    return invalid(fmt::format("{}: no such directory", directory.string()));
  if (exists(to) && !is_backup(to))
    return invalid(fmt::format("{}: it is there and is no backup of tenken: it is left alone", to));
  if (lies_in(to, data_directory) && !is_backup_name(fs::path(to).filename().string()))
    return invalid(fmt::format("{}: in the data directory a backup is named tenken-….sqlite", to));
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
  if (whole) {
    TRY(const auto of_tenken, is_store(file));
    if (!of_tenken) return invalid("a database, but no backup of tenken").within(file);
    return {};
  }
  if (whole.error().code == Errc::internal)
    return invalid(fmt::format("{}: no backup of tenken, or a damaged one", file));
  return invalid(std::move(whole).error().what);
}

Result<Restored> adopt(const std::string& file, const std::string& key_file, Seconds now) {
  TRY(auto connection, sql::open({.sqlite_file = file}));
  TRY_VOID(access::migrate(*connection));
  TRY_VOID(store::migrate(*connection));
  TRY(const auto master, access::MasterKey::open_or_create(key_file));
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
  TRY_VOID(check_place(data_directory, to));
  return sql::backup_sqlite(file, to);
}

Result<Restored> restore_store(const std::string& from, const std::string& data_directory,
                               const std::string& key_file, bool replace, Seconds now) {
  TRY_VOID(check_backup(from));
  TRY_VOID(pipeline::make_directories(data_directory));
  TRY(const auto lock, lock_to_restore(data_directory));
  const auto file = store_file(data_directory);
  if (exists(file) && !replace)
    return Error{Errc::conflict, fmt::format("{} is there; --force replaces it", file)};
  // Beside the store first: what turns out to be unusable has replaced nothing.
  const auto fresh = restored_file(data_directory);
  TRY_VOID(remove_store(fresh));
  TRY_VOID(sql::backup_sqlite(from, fresh));
  auto adopted = adopt(fresh, key_file, now);
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

Seconds backup_pause(bool made, Seconds interval) {
  constexpr Seconds longest_pause = 900;
  return made ? 0 : std::min(interval, longest_pause);
}

Result<> check_citus(sql::Connection& connection) {
  TRY(const auto installed,
      connection.one_integer("SELECT COUNT(*) FROM pg_extension WHERE extname = 'citus'"));
  if (installed == 1) return {};
  return invalid("the extension citus is not installed in this database: nothing was changed");
}

Result<> distribute_store(sql::Connection& connection) {
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
  return {};
}

}  // namespace tenken::serve
