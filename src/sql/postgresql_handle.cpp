#include "sql/postgresql_handle.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "base/text.h"
#include "sql/libpq.h"
#include "sql/postgresql_text.h"
#include "sql/session.h"

namespace tenken::sql {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t default_connect_seconds = 10;

// Ours, whatever the server, the database or the role has as its default. Text of DOUBLE PRECISION
// then names exactly one number. Statements are not compiled: that takes longer than ours run.
constexpr const char* settings =
    "SET client_min_messages = warning;"
    "SET standard_conforming_strings = on;"
    "SET bytea_output = hex;"
    "SET extra_float_digits = 1;"
    "SET jit = off";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

std::string_view value_of(const Options& options, std::string_view keyword) {
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr;
       ++option)
    if (option->keyword == keyword) return option->val == nullptr ? "" : option->val;
  return {};
}

// libpq's own errors would show the address, or what it took for a port: with
// "postgresql://user:password/database" that is the password.
Result<> check_readable(const std::string& uri) {
  TRY_VOID(check_address(uri));
  char* message = nullptr;
  const Options options(PQconninfoParse(uri.c_str(), &message));
  PQfreemem(message);
  if (options == nullptr)
    return invalid("the PostgreSQL address cannot be read: an option or a %XX is wrong");
  const auto port = value_of(options, "port");
  if (!std::ranges::all_of(port, [](char c) { return is_digit(c) || c == ','; }))
    return invalid("the PostgreSQL address has no number for its port");
  return {};
}

std::chrono::seconds connect_time(PGconn* connection) {
  constexpr std::uint64_t longest = 3600;
  const Options options(PQconninfo(connection));
  const auto seconds = parse_uint(value_of(options, "connect_timeout"));
  return std::chrono::seconds(std::min(seconds.value_or(default_connect_seconds), longest));
}

Error connect_error(PGconn* connection) {
  const auto failure = read_connect_failure(PQerrorMessage(connection));
  const auto code = [&] {
    if (!failure.sqlstate.empty()) return code_of_sqlstate(failure.sqlstate);
    return PQconnectionNeedsPassword(connection) == 1 ? Errc::denied : Errc::unavailable;
  }();
  return {code, fmt::format("PostgreSQL: {}", printable(failure.message))};
}

// PQconnectdb would do the same, but has no way to ask for the SQLSTATE of a failure.
Result<> finish_connecting(PGconn* connection) {
  const auto wait = connect_time(connection);
  const auto deadline = Clock::now() + wait;
  auto next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return connect_error(connection);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd socket{.fd = PQsocket(connection),
                  .events = static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                  .revents = 0};
    const int ready = left > 0 ? ::poll(&socket, 1, static_cast<int>(left)) : 0;
    if (ready == 0)
      return unavailable(fmt::format("PostgreSQL: no connection within {} s", wait.count()));
    if (ready < 0 && errno != EINTR) return from_errno(errno, "PostgreSQL");
    if (ready > 0) next = PQconnectPoll(connection);
  }
  return {};
}

// Of a keyword that stands twice the later one counts: what stands before the address may be
// changed by it, what stands after may not.
PgConnection start_connecting(const Location& location) {
  const std::string options = fmt::format("-c lock_timeout={}", location.lock_wait_ms);
  const std::string connect_seconds = std::to_string(default_connect_seconds);
  const char* const keywords[] = {"connect_timeout",           "keepalives_idle",
                                  "keepalives_interval",       "keepalives_count",
                                  "tcp_user_timeout",          "options",
                                  "fallback_application_name", "dbname",
                                  "client_encoding",           nullptr};
  const char* const values[] = {
      connect_seconds.c_str(),         "30",   "10",   "3", "60000", options.c_str(), "tenken",
      location.postgresql_uri.c_str(), "UTF8", nullptr};
  return PgConnection(PQconnectStartParams(keywords, values, 1));
}

}  // namespace

void ClosePostgresql::operator()(pg_conn* connection) const {
  PQfinish(connection);
}
void ClosePostgresql::operator()(pg_result* answer) const {
  PQclear(answer);
}

Result<PgConnection> connect_postgresql(const Location& location) {
  TRY_VOID(load_libpq());
  TRY_VOID(check_readable(location.postgresql_uri));
  auto connection = start_connecting(location);
  if (connection == nullptr) return unavailable("no memory for a connection to PostgreSQL");
  if (PQstatus(connection.get()) == CONNECTION_BAD) return connect_error(connection.get());
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(connection.get(), [](void*, const PGresult*) {}, nullptr);
  TRY_VOID(finish_connecting(connection.get()));
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  const char* encoding = PQparameterStatus(connection.get(), "server_encoding");
  if (encoding == nullptr || encoding != std::string_view("UTF8"))
    return invalid(fmt::format("PostgreSQL: the database's encoding is {}, not UTF8",
                               encoding == nullptr ? "not known" : encoding));
  TRY_VOID(execute_postgresql(connection.get(), settings));
  return connection;
}

Error postgresql_error(PGconn* connection, const PGresult* answer, std::string_view where) {
  const auto field = [&](int code) -> std::string_view {
    const char* text = PQresultErrorField(answer, code);
    return text == nullptr ? std::string_view() : text;
  };
  const auto sqlstate = field(PG_DIAG_SQLSTATE);
  if (sqlstate.empty() || PQstatus(connection) == CONNECTION_BAD)
    return unavailable(
        fmt::format("{}: PostgreSQL: {}", where, printable(trim(PQerrorMessage(connection)))));
  const auto position = field(PG_DIAG_STATEMENT_POSITION);
  return {code_of_sqlstate(sqlstate),
          fmt::format("{}: PostgreSQL: {}{}{}", where, printable(field(PG_DIAG_MESSAGE_PRIMARY)),
                      position.empty() ? "" : " at character ", position)};
}

void drain(PGconn* connection) {
  while (PgAnswer answer{PQgetResult(connection)}) {
    const auto status = PQresultStatus(answer.get());
    // A COPY answers for ever until it is ended.
    if (status == PGRES_COPY_IN) PQputCopyEnd(connection, "dropped");
    if (PQstatus(connection) == CONNECTION_BAD) return;
  }
}

Result<PgAnswer> execute_postgresql(PGconn* connection, const char* sql) {
  PgAnswer answer(PQexec(connection, sql));
  switch (PQresultStatus(answer.get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_IN:
      return answer;
    default:
      return postgresql_error(connection, answer.get(), shown(sql));
  }
}

}  // namespace tenken::sql
