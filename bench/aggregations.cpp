// Aggregations over a fleet's findings, generated straight into SQLite: every group from the counts
// that are kept, beside the same answer from the findings themselves.
//
//   bench_aggregations [findings]     5,000,000 without a number; 50 findings a resource
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "directory.h"
#include "sql/sql.h"
#include "store/aggregation_query.h"
#include "store/schema.h"

namespace {

using namespace std::chrono;
namespace store = tenken::store;
namespace sql = tenken::sql;

constexpr int rounds = 20;

template <typename T>
T must(tenken::Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "{}\n", result.error().what);
  std::exit(1);
}
void must(const tenken::Result<>& result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().what);
  std::exit(1);
}

void generate(sql::Connection& connection, std::uint64_t findings) {
  const auto resources = findings / 50;
  const auto numbers = [](std::uint64_t count) {
    return fmt::format(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {}) ", count);
  };
  must(connection.script(
      "INSERT INTO resource (resource_id, account_id, external_id, type, platform, created_at) " +
      numbers(resources) +
      "SELECT i * 92000000000, '111122223333', 'i-' || i, 'AWS_EC2_INSTANCE', "
      "CASE i % 3 WHEN 0 THEN 'DEBIAN_12' WHEN 1 THEN 'ALMALINUX_9' ELSE 'UBUNTU_22_04' END, 1 "
      "FROM n;"
      "INSERT INTO resource_tag SELECT resource_id, 'env', CASE resource_id % 7 WHEN 0 THEN 'prod' "
      "ELSE 'test' END FROM resource;"
      "INSERT INTO vulnerability (vulnerability_id, title, source, published_at, modified_at, "
      "exploited_at, document) " +
      numbers(20'000) + "SELECT 'CVE-2024-' || i, '', 'NVD', 1, 1, i % 50 = 0, '{}' FROM n;"));
  must(connection.script(
      "INSERT INTO finding (resource_id, vulnerability_id, episode, account_id, status, score, "
      "fix, packages, last_observed_at, updated_at, cause, transition) " +
      numbers(findings) +
      "SELECT (i / 50) * 92000000000, 'CVE-2024-' || (i % 50 * 400 + (i / 50) * 7919 % 400), "
      "1, '111122223333', 1, (i % 50 * 400 + (i / 50) * 7919 % 400) * 37 % 101, i % 3, "
      "((i % 50 * 400 + (i / 50) * 7919 % 400) % 3000) || ',' || (i / 50 % 2), 1, 1, 'x', 1 FROM "
      "n;"));
  constexpr std::string_view upper =
      "COUNT(*), SUM(score >= 90), SUM(score BETWEEN 70 AND 89), SUM(score BETWEEN 40 AND 69)";
  constexpr std::string_view lower = "SUM(score BETWEEN 1 AND 39), SUM(score = 0), SUM(score < 0)";
  must(connection.script(fmt::format(
      "INSERT INTO finding_count SELECT resource_id, account_id, 'AWS_EC2_INSTANCE', {0}, {1} "
      "FROM finding GROUP BY resource_id, account_id;"
      "INSERT INTO title_count SELECT account_id, vulnerability_id, vulnerability_id || ' - "
      "package-' || packages, 'AWS_EC2_INSTANCE', 0, {0}, SUM(fix = 2), {1} FROM finding "
      "GROUP BY account_id, vulnerability_id, packages;"
      "INSERT INTO package_count SELECT account_id, 'package-' || packages, 0, {0}, {1} "
      "FROM finding GROUP BY account_id, packages;",
      upper, lower)));
}

// Without its indexes while it is filled: they are built at once afterwards.
std::vector<std::string> drop_indexes(sql::Connection& connection) {
  std::vector<std::string> names;
  std::vector<std::string> texts;
  {
    const auto rows = must(connection.query(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'finding' "
        "AND sql IS NOT NULL"));
    while (const auto* row = must(rows->next())) {
      names.push_back(row->string(0));
      texts.push_back(row->string(1));
    }
  }
  for (const auto& name : names) must(connection.script("DROP INDEX " + name));
  return texts;
}

// In milliseconds, of some rounds. The first of them finds what others left in the caches.
struct Times {
  double first = 0;
  double median = 0;
  double slowest = 0;  // but the first
};
Times measure(const std::function<void()>& work) {
  std::vector<double> all;
  for (int i = 0; i < rounds; ++i) {
    const auto start = steady_clock::now();
    work();
    all.push_back(duration<double, std::milli>(steady_clock::now() - start).count());
  }
  Times out{.first = all.front()};
  all.erase(all.begin());
  std::ranges::sort(all);
  out.median = all[all.size() / 2];
  out.slowest = all.back();
  return out;
}
double once(const std::function<void()>& work) {
  const auto start = steady_clock::now();
  work();
  return duration<double, std::milli>(steady_clock::now() - start).count();
}

struct Case {
  std::string_view name;
  store::Aggregation question;
  std::string_view scan;  // the same from the findings
};

std::vector<Case> cases() {
  const std::vector<std::string> accounts{"111122223333"};
  const tenken::findings::TextTest debian{.value = "DEBIAN_12"};
  const store::Aggregation hosts{.group = store::AggregationGroup::resource,
                                 .accounts = accounts,
                                 .resource_type = "AWS_EC2_INSTANCE"};
  auto debian_hosts = hosts;
  debian_hosts.texts = {{store::AggregationField::platform, {debian}}};
  auto production = hosts;
  production.tags = {{.name = "env", .value = "prod"}};
  return {
      {"account", {.group = store::AggregationGroup::account, .accounts = accounts}, "account_id"},
      {"title",
       {.group = store::AggregationGroup::title, .accounts = accounts},
       "vulnerability_id, packages"},
      {"package", {.group = store::AggregationGroup::package, .accounts = accounts}, "packages"},
      {"host", hosts, "resource_id"},
      {"host, by platform", debian_hosts, ""},
      {"host, by tag", production, ""},
  };
}

}  // namespace

int main(int argc, char** argv) {
  const auto findings = argc > 1 ? tenken::parse_uint(argv[1]).value_or(0) : 5'000'000;
  if (findings < 50) {
    fmt::print(stderr, "usage: bench_aggregations [findings]\n");
    return 2;
  }
  const tenken::bench::Directory directory;
  const auto connection = must(sql::open({.sqlite_file = directory / "bench.sqlite"}));
  must(store::migrate(*connection));
  const auto indexes = drop_indexes(*connection);
  generate(*connection, findings);
  for (const auto& index : indexes) must(connection->script(index));
  fmt::print("{} findings on {} resources; ms\n{:<20} {:>8} {:>8} {:>8} {:>16} {:>14}\n", findings,
             findings / 50, "group", "first", "median", "slowest", "tenth page", "from findings");
  for (const auto& one : cases()) {
    store::AggregationPage page{.sort = store::AggregationSort::critical, .limit = 101};
    const auto ask = [&] { return must(store::aggregate(*connection, one.question, page)); };
    const auto first = measure([&] { ask(); });
    for (int i = 0; i < 9; ++i) {
      const auto groups = ask();
      if (!groups.empty()) page.after = groups.back().position;
    }
    const auto tenth = measure([&] { ask(); });
    std::string scan = "-";
    if (!one.scan.empty())
      scan = fmt::format("{:.0f}", once([&] {
                           must(connection->one_integer(fmt::format(
                               "SELECT COUNT(*), SUM(score >= 90) AS c FROM finding "
                               "WHERE account_id = '111122223333' AND status = 1 GROUP BY {} "
                               "ORDER BY 2 DESC LIMIT 1",
                               one.scan)));
                         }));
    fmt::print("{:<20} {:>8.1f} {:>8.1f} {:>8.1f} {:>7.1f} {:>8.1f} {:>14}\n", one.name,
               first.first, first.median, first.slowest, tenth.median, tenth.slowest, scan);
  }
  return 0;
}
