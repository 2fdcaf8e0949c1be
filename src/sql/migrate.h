// Migrations: how a database comes to the schema that this program knows. Numbered, forward only,
// all that are missing in one transaction. Each module that owns tables is an area with numbers of
// its own.
//
// One text for both engines; what differs is written {clustered} after a table whose rows stand in
// the primary key, {id} after a column that is the table's integer key, {blob} for the type of bytes,
// and TEXT becomes text that is ordered by its bytes. Tables of one engine only stand in texts of their own.
//
// Errors: conflict where the database is newer than this program (with how to return), and those
// of the engine. Thread rule: any node at any time; the engine's lock lets one at a time through.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::sql {

struct Migration {
  std::int64_t version = 0;  // from 1, without gaps
  std::string_view sql;
  std::string_view sqlite_only = "";      // after it
  std::string_view postgresql_only = "";  // after it
};

Result<> migrate(Connection& connection, std::string_view area,
                 std::span<const Migration> migrations);

// The text for one engine.
std::string for_engine(std::string_view sql, Engine engine);

}  // namespace tenken::sql
