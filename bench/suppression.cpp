// How long a suppression rule takes to reach the findings that it matches, and its removal to let
// them go, in a store that bench_findings filled.
//
// Usage: bench_suppression STORE [VULNERABILITY]   a file of SQLite's or postgresql://…
#include "store/suppression.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "base/time.h"
#include "pipeline/suppress.h"
#include "store/filters.h"
#include "store/ids.h"
#include "support/finding_fleet.h"

namespace tenken {
namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
T need(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "bench_suppression: {}\n", result.error().what);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// From the change of the filter to the end of the work that follows it.
template <typename Change>
void measure(sql::Pool& pool, const char* what, const std::string& id, Change&& change) {
  const std::string account(test::FindingFleet::account);
  const auto start = Clock::now();
  {
    auto connection = need(pool.lease());
    auto transaction = need(sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
    change(*connection);
    need(store::enqueue_suppression(*connection, account, id, now()));
    need(transaction.commit());
  }
  const pipeline::SuppressionWork work{
      .pool = pool, .node = "bench", .clock = [] { return now(); }};
  while (need(pipeline::apply_changed_filters(work)) > 0) {
  }
  const auto seconds = std::chrono::duration<double>(Clock::now() - start).count();
  auto connection = need(pool.lease());
  fmt::print("{}: {:.2f} s, {} findings suppressed by it\n", what, seconds,
             need(connection->one_integer(
                      "SELECT COUNT(*) FROM finding WHERE account_id = ?1 AND status = 2 "
                      "AND suppressed_by = ?2",
                      std::string_view(account), std::string_view(id)))
                 .value_or(0));
}

int run(const std::string& place, const std::string& vulnerability) {
  const bool is_uri = place.starts_with("postgresql://");
  sql::Pool pool({.sqlite_file = is_uri ? "" : place, .postgresql_uri = is_uri ? place : ""}, 4);
  const std::string id = "fedcba9876543210";
  const store::Filter filter{
      .account = std::string(test::FindingFleet::account),
      .id = id,
      .name = "bench",
      .suppresses = true,
      .criteria = fmt::format(R"({{"vulnerabilityId":[{{"comparison":"EQUALS","value":"{}"}}]}})",
                              vulnerability),
      .created = now(),
      .updated = now()};
  measure(pool, "rule made", id,
          [&](sql::Connection& connection) { need(store::add_filter(connection, filter)); });
  measure(pool, "rule removed", id, [&](sql::Connection& connection) {
    need(store::remove_filter(connection, filter.account, id));
  });
  return 0;
}

}  // namespace
}  // namespace tenken

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_suppression STORE [VULNERABILITY]\n");
    return 2;
  }
  return tenken::run(argv[1], argc > 2 ? argv[2] : tenken::test::FindingFleet::vulnerability(1));
}
