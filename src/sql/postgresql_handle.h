// libpq's handles, owned; how a connection is made; PostgreSQL's errors in our words.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "sql/sql.h"

struct pg_conn;
struct pg_result;

namespace tenken::sql {

struct ClosePostgresql {
  void operator()(pg_conn* connection) const;
  void operator()(pg_result* answer) const;
};
using PgConnection = std::unique_ptr<pg_conn, ClosePostgresql>;
using PgAnswer = std::unique_ptr<pg_result, ClosePostgresql>;

// Connected, with the settings that our statements rely on.
Result<PgConnection> connect_postgresql(const Location& location);

// Why the answer is not what it should be; where says what was being done.
Error postgresql_error(pg_conn* connection, const pg_result* answer, std::string_view where);

// Reads what is left of the answers to the last statement, and drops it.
void drain(pg_conn* connection);

// Runs statements without parameters and waits for their end.
Result<PgAnswer> execute_postgresql(pg_conn* connection, const char* sql);

}  // namespace tenken::sql
