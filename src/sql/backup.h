// A copy of a SQLite file that others go on writing: one state of it, whole and checked, in one
// file without a log beside it.
//
// Thread rule: works on handles of its own; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace tenken::sql {

// Told between steps how many bytes are copied; called at least once.
using BackupProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

// Copies the database `from` to `to`, mode 0600. The copy is made under another name in the same
// directory, verified, synced and renamed: `to` is the old file or the whole new one. Writers are
// not held up, but the source's log cannot shrink meanwhile. Errors: not_found, denied,
// unavailable (disk full), invalid (the source is damaged).
Result<> backup_sqlite(const std::string& from, const std::string& to,
                       const BackupProgress& progress = {});

// Reads the whole file: structure, indices, constraints and foreign keys. Errors: invalid, with the
// first thing found; as above.
Result<> verify_sqlite(const std::string& path);

// The first value of the answer to one question, as text; the file is only read. Empty: no row.
Result<std::string> ask_sqlite(const std::string& path, const char* sql);

}  // namespace tenken::sql
