// Backup and restore of a SQLite store, and distribution of a PostgreSQL one. The master key
// (secret.key) is in no backup: a stolen one opens no access key.
//
// Thread rule: functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "access/master_key.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::serve {

// A verified copy of the store of a data directory; a server may run on it. Errors: unavailable (no
// store), and those of sql/backup.h.
Result<> backup_store(const std::string& data_directory, const std::string& to);

struct Restored {
  std::int64_t keys_ended = 0;  // sealed with another master key than the directory's
};
// Puts the backup in the place of the directory's store. Errors: unavailable (a server runs there),
// conflict (a store is there and not to be replaced), invalid (the backup cannot be read, or is no
// whole store of this program's), those of the file system.
Result<Restored> restore_store(const std::string& from, const std::string& data_directory,
                               const access::MasterKey& master, bool replace, Seconds now);

// Scheduled backups: "tenken-20270131T235959Z.sqlite".
std::string backup_name(Seconds time);
// The time of the newest in the directory; 0: none.
Seconds newest_backup(const std::string& directory);
// Removes all but the newest `keep`, and what an unfinished one left.
void remove_old_backups(const std::string& directory, std::size_t keep);

// Where Citus is installed: makes the tables of the fleet distributed, and those of packages and
// advisories reference tables. False: it is not, and nothing was changed. Repeating does nothing.
Result<bool> distribute_store(sql::Connection& connection);
// The tables, as the statements name them; for the test that proves the schema's rules.
const std::vector<std::string_view>& distributed_tables();
const std::vector<std::string_view>& reference_tables();

}  // namespace tenken::serve
