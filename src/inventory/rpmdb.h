// The three formats of rpm's package database, each read without rpm's library, which would write
// into the inspected root. A database hands out one header blob for each package, in its own
// order; what a header says is rpm_header.h's.
//
// Sources: rpm's lib/backend (the ndb and sqlite formats have no other description); Oracle
// Berkeley DB 5.3, dbinc/db_page.h, for the hash pages.
//
// Thread rule: functions work on their own state.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "inventory/byte_window.h"

namespace tenken::inventory {

// Called with the blob and its number in the database. An error ends the reading and is returned.
inline constexpr std::size_t max_rpm_header_bytes = std::size_t{32} << 20;
using VisitRpmHeader = std::function<Result<>(std::string_view blob, std::uint64_t number)>;

// SUSE's Packages.db. Errors: invalid, limit, those of ByteWindow.
Result<> read_rpmdb_ndb(const ByteWindow& bytes, const VisitRpmHeader& visit);

// Berkeley DB hash, "Packages". Errors: invalid, limit, those of ByteWindow.
Result<> read_rpmdb_bdb(const ByteWindow& bytes, const VisitRpmHeader& visit);

// rpmdb.sqlite. The path is opened as it is, so it must already be resolved. immutable: nothing
// beside the file is looked at and nothing is written; else SQLite recovers what stands in a
// "-wal" beside it and writes there. Errors: invalid, limit, unavailable.
enum class SqliteAccess : std::uint8_t { immutable, recover };
Result<> read_rpmdb_sqlite(const std::string& path, SqliteAccess access,
                           const VisitRpmHeader& visit);

}  // namespace tenken::inventory
