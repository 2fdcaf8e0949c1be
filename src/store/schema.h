// The store's schema.
//
// Tables with `resource_id` grow with the fleet; every key and unique constraint of them begins
// with it, nothing of them is computed by triggers or sequences and no foreign key leaves them, so
// that they can be distributed by it. package_version, match and vulnerability grow with the
// number of distinct packages only and are copied to every shard. The rest is small and local.
//
// Thread rule: any node at any time (sql/migrate.h).
#pragma once

#include <cstddef>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::store {

// Brings the database to the newest version. Errors: see sql/migrate.h.
Result<> migrate(sql::Connection& connection);
// To that of an earlier tenken, from which tests bring it further.
Result<> migrate_to(sql::Connection& connection, std::size_t version);

}  // namespace tenken::store
