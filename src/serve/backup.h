// Backup and restore of a SQLite store, and distribution of a PostgreSQL one. The master key
// (secret.key) is in no backup: a stolen one opens no access key.
//
// Thread rule: functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::serve {

// A verified copy of the store of a data directory; a server may run on it. Errors: unavailable (no
// store), invalid (`to` is there and is no backup, or lies in the data directory and is not named
// as a backup), and those of sql/backup.h.
Result<> backup_store(const std::string& data_directory, const std::string& to);

struct Restored {
  std::int64_t keys_ended = 0;  // sealed with another master key than the directory's
};
// Puts the backup in the place of the directory's store; the directory and key_file are made where
// they are not there, once the backup is known to be one. Errors: unavailable (a server runs
// there), conflict (a store is there and not to be replaced), invalid (the backup cannot be read,
// or is no whole store of this program's), those of the file system.
Result<Restored> restore_store(const std::string& from, const std::string& data_directory,
                               const std::string& key_file, bool replace, Seconds now);

// Scheduled backups: "tenken-20270131T235959Z.sqlite".
std::string backup_name(Seconds time);
// The time of the newest in the directory; 0: none.
Seconds newest_backup(const std::string& directory);
// Removes all but the newest `keep`, and what an unfinished one left.
void remove_old_backups(const std::string& directory, std::size_t keep);

// How long none is tried after one that was made, or failed.
Seconds backup_pause(bool made, Seconds interval);

// Invalid where Citus is not installed.
Result<> check_citus(sql::Connection& connection);
// With Citus: makes the tables of the fleet distributed, and those of packages and advisories
// reference tables. Repeating does nothing.
Result<> distribute_store(sql::Connection& connection);
// The tables, as the statements name them; for the test that proves the schema's rules.
const std::vector<std::string_view>& distributed_tables();
const std::vector<std::string_view>& reference_tables();

}  // namespace tenken::serve
