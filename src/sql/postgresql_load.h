// The two ways of PostgreSQL to take many rows: COPY in its binary form, the fastest; and where
// rows that are there are passed over, which COPY cannot, INSERT … SELECT from arrays, a thousand
// rows a time. Either holds about a megabyte.
#pragma once

#include <memory>

#include "base/result.h"
#include "sql/session.h"

struct pg_conn;

namespace tenken::sql {

// Inside a transaction. The target's texts are only read here. What is wrong about the target, the
// array insert says with the first rows that it sends.
Result<std::unique_ptr<Loader>> start_copy(pg_conn* connection, const BulkTarget& target);
std::unique_ptr<Loader> start_array_insert(pg_conn* connection, const BulkTarget& target);

}  // namespace tenken::sql
