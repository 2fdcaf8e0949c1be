// Which resources have a package version, for what changes in its matches. PostgreSQL answers by an
// index of resource_package. An index costs SQLite a page for nearly every package of a resource
// that is new, since versions lie far apart in it; there the same pairs stand in a table of their
// own, `holder`, into which those of many resources are brought at once, in order. Resources whose
// packages are not all in it wait in `holder_waiting`.
//
// Rule: who reads by version brings in all that wait first, in the same transaction or, where what
// comes later is evaluated by itself anyway, before it.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction, but for catch_up_holders.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "sql/sql.h"
#include "store/ids.h"

namespace tenken::store {

// The table to read: columns package_version_id and resource_id.
std::string_view holders(sql::Engine engine);

// The resource has these versions now, and had them not before.
Result<> note_gained(sql::Connection& connection, ResourceId resource,
                     std::span<const std::int64_t> versions);
// It has the version no longer, or none at all.
Result<> note_lost(sql::Connection& connection, ResourceId resource, PackageVersionId version);
Result<> note_gone(sql::Connection& connection, ResourceId resource);

// Brings in all that wait.
Result<> bring_in_holders(sql::Connection& connection);
// The same in transactions of its own, none so long that ingest waits; what comes meanwhile may wait.
Result<> catch_up_holders(sql::Connection& connection);
// So many wait that they should be brought in, though nobody reads by version.
Result<bool> many_holders_wait(sql::Connection& connection);

}  // namespace tenken::store
