// Work on every slice of the fleet (store/findings.h): on PostgreSQL on several slices at the same
// time, each over a connection of its own; on SQLite, which has one writer, on one after the other.
//
// A slice of which the work fails keeps no other from being worked on, unless the store cannot be
// used (unavailable): then none is begun any more.
//
// Errors: unavailable of the work, or where no connection is to be had; else the first of the work.
// Thread rule: the work runs on several threads, and locks what it shares.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "sql/sql.h"

namespace tenken::pipeline {

using SliceWork = std::function<Result<>(sql::Connection&, std::int64_t slice)>;

Result<> each_slice(sql::Pool& pool, const SliceWork& work);

}  // namespace tenken::pipeline
