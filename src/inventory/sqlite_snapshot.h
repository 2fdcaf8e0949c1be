// Reading an SQLite database of a foreign root at rest, without writing beside it. SQLite itself
// would create "-wal" and "-shm" files there, or roll a journal back.
//
// Where nothing but the database file counts, it is read in place, as immutable. Where a "-wal"
// beside it holds content, which a reader of the file alone would miss, both are copied into a
// private temporary directory and SQLite recovers them there. A database that changes while it is
// read is read again, three times at most.
//
// Thread rule: works on its own state.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "inventory/root.h"
#include "inventory/rpmdb.h"

namespace tenken::inventory {

// read is called with the path to open and how, anew for each attempt: it must not keep what an
// earlier attempt gave. Errors: read's own; not_found, denied; limit (more than 1 GB to copy);
// unavailable (it keeps changing, a transaction was cut off, or there is no room for the copy).
Result<> with_sqlite_at_rest(const Root& root, std::string_view path,
                             const std::function<Result<>(const std::string&, SqliteAccess)>& read);

}  // namespace tenken::inventory
