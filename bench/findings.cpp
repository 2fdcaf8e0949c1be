// How long a page of ListFindings takes in a store of millions of findings: every sort key, every
// kind of filter and usual combinations, from the first page on and from page 1,000 on.
//
//   bench_findings [FINDINGS [STORE [WORD]]]
//
// FINDINGS: 1,000,000. STORE: a file of SQLite's or postgresql://…, which stays and is used again;
// else a file that is removed afterwards. A case of more than 50 ms (p99) is marked SLOW. WORD: only cases with it in their name. On SQLite the
// times are processor time of the one thread that does everything, so that others on the machine
// do not count; on PostgreSQL they are wall time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <time.h>

#include "base/text.h"
#include "directory.h"
#include "store/finding_query.h"
#include "store/schema.h"
#include "support/finding_fleet.h"

namespace tenken {
namespace {

using store::FindingOrder;

constexpr std::int64_t per_resource = 50;
constexpr std::int64_t members = 20;
constexpr std::size_t page_size = 25;
constexpr std::size_t deep_page = 1'000;
constexpr int pages_measured = 40;
constexpr int least_measured = 20;  // where there are few pages, the same ones again
constexpr double limit_ms = 50;
constexpr double longest_ms = 5'000;  // for one case

struct Case {
  std::string name;
  std::string criteria = "{}";
  FindingOrder order = FindingOrder::score;
  bool descending = true;
  bool whole_organisation = false;
};

std::string is(std::string_view field, std::string_view value,
               std::string_view comparison = "EQUALS") {
  return fmt::format(R"("{}":[{{"comparison":"{}","value":"{}"}}])", field, comparison, value);
}
std::string within(std::string_view field, std::string_view range) {
  return fmt::format(R"("{}":[{{{}}}])", field, range);
}
std::string tag(std::string_view value) {
  return fmt::format(R"("resourceTags":[{{"comparison":"EQUALS","key":"env","value":"{}"}}])",
                     value);
}
std::string package(std::string_view name) {
  return fmt::format(R"("vulnerablePackages":[{{"name":{{"comparison":"EQUALS","value":"{}"}}}}])",
                     name);
}
template <typename... Texts>
std::string meaning(const Texts&... texts) {
  return fmt::format("{{{}}}", fmt::join(std::vector<std::string>{texts...}, ","));
}

constexpr std::pair<const char*, FindingOrder> orders[] = {
    {"score", FindingOrder::score},
    {"account", FindingOrder::account},
    {"first seen", FindingOrder::first_observed},
    {"last seen", FindingOrder::last_observed},
    {"status", FindingOrder::status},
    {"resource type", FindingOrder::resource_type},
    {"vulnerability", FindingOrder::vulnerability},
    {"source", FindingOrder::vulnerability_source},
    {"EPSS", FindingOrder::epss},
    {"repository", FindingOrder::image_repository},
    {"registry", FindingOrder::image_registry},
    {"vendor severity", FindingOrder::vendor_severity},
};

struct Filter {
  std::string name;
  std::string criteria;
  bool in_every_order = false;
};

// CVE-2024-00000 to -00002 are on every resource, CVE-2024-15000 on few hundred; package
// pkg0-0 belongs to the first of them, pkg700-0 to few; the last day of sightings is at 5,432,000.
std::vector<Filter> filters() {
  const auto on_all = test::FindingFleet::vulnerability(1);
  const auto on_few = test::FindingFleet::vulnerability(15'000);
  const auto second = [](std::int64_t offset) { return test::FindingFleet::start + offset; };
  return {
      {"active", meaning(is("findingStatus", "ACTIVE")), true},
      {"suppressed", meaning(is("findingStatus", "SUPPRESSED"))},
      {"severity CRITICAL", meaning(is("severity", "CRITICAL")), true},
      {"severity UNTRIAGED", meaning(is("severity", "UNTRIAGED"))},
      {"score 3.3 to 3.4",
       meaning(within("inspectorScore", R"("lowerInclusive":3.3,"upperInclusive":3.4)"))},
      {"one resource", meaning(is("resourceId", "i-00000123")), true},
      {"resource none", meaning(is("resourceId", "no such thing"))},
      {"resource prefix, 16", meaning(is("resourceId", "i-0000012", "PREFIX")), true},
      {"resource prefix, most", meaning(is("resourceId", "i-0000", "PREFIX"))},
      {"CVE on all", meaning(is("vulnerabilityId", on_all)), true},
      {"CVE on few", meaning(is("vulnerabilityId", on_few)), true},
      {"CVE none", meaning(is("vulnerabilityId", "CVE-1999-0001")), true},
      {"CVE prefix, 1000", meaning(is("vulnerabilityId", "CVE-2024-10", "PREFIX")), true},
      {"CVE not equals", meaning(is("vulnerabilityId", on_all, "NOT_EQUALS"))},
      {"source DEBIAN_CVE", meaning(is("vulnerabilitySource", "DEBIAN_CVE"))},
      {"source none", meaning(is("vulnerabilitySource", "REDHAT_CVE"))},
      {"related GHSA", meaning(is("relatedVulnerabilities", "GHSA-15000")), true},
      {"related none", meaning(is("relatedVulnerabilities", "GHSA-zzz"))},
      {"exploited", meaning(is("exploitAvailable", "YES")), true},
      {"not exploited", meaning(is("exploitAvailable", "NO"))},
      {"EPSS over 0.97", meaning(within("epssScore", R"("lowerInclusive":0.97)")), true},
      {"EPSS under 0.05", meaning(within("epssScore", R"("upperInclusive":0.05)"))},
      {"EPSS none", meaning(within("epssScore", R"("lowerInclusive":0.991)"))},
      {"tag prod (a third)", meaning(tag("prod")), true},
      {"tag stage (1 %)", meaning(tag("stage")), true},
      {"tag canary (0.02 %)", meaning(tag("canary")), true},
      {"tag none", meaning(tag("nowhere")), true},
      {"package on all", meaning(package("pkg0-0")), true},
      {"package on few", meaning(package("pkg700-0")), true},
      {"package none", meaning(package("nothing")), true},
      {"title prefix of CVE", meaning(is("title", on_few, "PREFIX"))},
      {"title prefix of all", meaning(is("title", on_all + " - pkg1-", "PREFIX"))},
      {"title of all, none", meaning(is("title", on_all + " - nothing", "PREFIX"))},
      {"title equals",
       meaning(is("title", test::FindingFleet::vulnerability(15'001) + " - pkg1-0, pkg1-1"))},
      {"fix YES", meaning(is("fixAvailable", "YES")), true},
      {"fix PARTIAL (none)", meaning(is("fixAvailable", "PARTIAL")), true},
      {"resource type LAMBDA", meaning(is("resourceType", "AWS_LAMBDA_FUNCTION")), true},
      {"resource type none", meaning(is("resourceType", "GCP_VM_INSTANCE"))},
      {"first seen, one day",
       meaning(within("firstObservedAt", fmt::format(R"("startInclusive":{},"endInclusive":{})",
                                                     second(2'000'000), second(2'086'400)))),
       true},
      {"first seen, none", meaning(within("firstObservedAt", fmt::format(R"("startInclusive":{})",
                                                                         second(9'000'000))))},
      {"last seen, latest day",
       meaning(within("lastObservedAt", fmt::format(R"("startInclusive":{})", second(5'260'000))))},
      {"last seen, before",
       meaning(within("lastObservedAt", fmt::format(R"("endInclusive":{})", second(9'000))))},
      {"updated, last hour",
       meaning(within("updatedAt", fmt::format(R"("startInclusive":{})", second(5'082'800))))},
      {"updated, none",
       meaning(within("updatedAt", fmt::format(R"("startInclusive":{})", second(9'000'000))))},
      {"vendor severity HIGH", meaning(is("vendorSeverity", "HIGH"))},
      {"account", meaning(is("awsAccountId", std::string(test::FindingFleet::account)))},
      {"CRITICAL on one resource",
       meaning(is("severity", "CRITICAL"), is("resourceId", "i-00000123"))},
      {"active, CRITICAL, fix",
       meaning(is("findingStatus", "ACTIVE"), is("severity", "CRITICAL"),
               is("fixAvailable", "YES")),
       true},
      {"active, exploited, prod",
       meaning(is("findingStatus", "ACTIVE"), is("exploitAvailable", "YES"), tag("prod"))},
      {"CVE on all, tag stage", meaning(is("vulnerabilityId", on_all), tag("stage")), true},
      {"CVE on all, suppressed",
       meaning(is("vulnerabilityId", on_all), is("findingStatus", "SUPPRESSED"))},
      {"CVE of another severity",
       meaning(is("vulnerabilityId", on_all), is("severity", "UNTRIAGED"))},
      {"images, CRITICAL, stage", meaning(is("resourceType", "AWS_ECR_CONTAINER_IMAGE"),
                                          is("severity", "CRITICAL"), tag("stage"))},
      {"package on all, LAMBDA",
       meaning(package("pkg0-0"), is("resourceType", "AWS_LAMBDA_FUNCTION"))},
      {"LAMBDA, prod, none", meaning(is("resourceType", "AWS_LAMBDA_FUNCTION"), tag("canary"))},
  };
}

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const auto& [name, order] : orders) {
    for (const bool descending : {true, false})
      out.push_back({.name = fmt::format("all, by {}{}", name, descending ? "" : ", ascending"),
                     .order = order,
                     .descending = descending});
  }
  for (const auto& filter : filters()) {
    for (const auto& [name, order] : orders) {
      if (!filter.in_every_order && order != FindingOrder::score) continue;
      out.push_back({.name = fmt::format("{}, by {}", filter.name, name),
                     .criteria = filter.criteria,
                     .order = order});
    }
    out.push_back({.name = filter.name + ", by score, ascending",
                   .criteria = filter.criteria,
                   .descending = false});
  }
  for (const auto& [name, order] : orders)
    out.push_back({.name = fmt::format("{} accounts, by {}", members + 1, name),
                   .order = order,
                   .whole_organisation = true});
  out.push_back({.name = "accounts, CRITICAL",
                 .criteria = meaning(is("severity", "CRITICAL")),
                 .whole_organisation = true});
  out.push_back({.name = "accounts, CVE on all",
                 .criteria = meaning(is("vulnerabilityId", test::FindingFleet::vulnerability(1))),
                 .whole_organisation = true});
  out.push_back(
      {.name = "accounts, tag prod", .criteria = meaning(tag("prod")), .whole_organisation = true});
  out.push_back({.name = "accounts, one of them",
                 .criteria = meaning(is("awsAccountId", test::FindingFleet::member(3))),
                 .whole_organisation = true});
  return out;
}

[[noreturn]] void fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.what);
  std::exit(1);
}
template <typename T>
T must(Result<T> result) {
  if (!result) fail(result.error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double now_ms(sql::Engine engine) {
  timespec time{};
  CHECK(::clock_gettime(engine == sql::Engine::sqlite ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC,
                        &time) == 0);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

struct Measured {
  std::vector<double> ms;
  std::size_t short_pages = 0;  // that are not the last
  std::size_t rows = 0;
};

// From a place on, and from there again while there are few pages.
Measured measure(sql::Connection& connection, store::FindingQuestion question) {
  Measured out;
  const auto from = question.after;
  for (int i = 0; i < pages_measured; ++i) {
    const auto start = now_ms(connection.engine());
    const auto page = must(store::list_findings(connection, question));
    out.ms.push_back(now_ms(connection.engine()) - start);
    out.rows += page.findings.size();
    question.after = page.next;
    const bool ended = page.next.empty();
    if (!ended && page.findings.size() < page_size) ++out.short_pages;
    if (ended && std::ssize(out.ms) >= least_measured) break;
    if (std::accumulate(out.ms.begin(), out.ms.end(), 0.0) > longest_ms) break;
    if (ended) question.after = from;
  }
  return out;
}

// Whether there is such a page.
bool go_to_page(sql::Connection& connection, store::FindingQuestion& question, std::size_t number) {
  constexpr std::size_t at_once = 1000;
  auto left = (number - 1) * page_size;
  const auto start = now_ms(connection.engine());
  while (left > 0) {
    question.limit = std::min(left, at_once);
    const auto page = must(store::list_findings(connection, question));
    question.after = page.next;
    if (page.next.empty()) return false;
    left -= page.findings.size();
    if (now_ms(connection.engine()) - start > longest_ms) break;  // deep enough
  }
  question.limit = page_size;
  return true;
}

double percentile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

std::string figures(const Measured& measured) {
  return fmt::format("{:8.2f} {:8.2f} ", percentile(measured.ms, 0.5),
                     percentile(measured.ms, 0.99));
}

void run(sql::Connection& connection, const Case& one) {
  store::FindingQuestion question{.accounts = {std::string(test::FindingFleet::account)},
                                  .criteria = must(findings::read_criteria(one.criteria)),
                                  .order = one.order,
                                  .descending = one.descending,
                                  .limit = page_size};
  if (one.whole_organisation) {
    for (std::int64_t i = 1; i <= members; ++i)
      question.accounts.push_back(test::FindingFleet::member(i));
  }
  const auto first = measure(connection, question);
  auto line = fmt::format("{:44}{}", one.name, figures(first));
  auto worst = percentile(first.ms, 0.99);
  auto short_pages = first.short_pages;
  if (go_to_page(connection, question, deep_page)) {
    const auto deep = measure(connection, question);
    line += figures(deep);
    worst = std::max(worst, percentile(deep.ms, 0.99));
    short_pages += deep.short_pages;
  } else {
    line += fmt::format("{:>8} {:>8} ", "-", "-");
  }
  fmt::print("{}{:6}{}{}\n", line, first.rows,
             short_pages > 0 ? fmt::format(" {} short", short_pages) : "",
             worst > limit_ms ? " SLOW" : "");
  std::fflush(stdout);
}

// While the table is filled its indexes are away: they are made at once afterwards.
std::vector<std::string> drop_indexes(sql::Connection& connection) {
  const bool sqlite = connection.engine() == sql::Engine::sqlite;
  std::vector<std::string> names;
  std::vector<std::string> texts;
  {
    const auto rows = must(connection.query(
        sqlite
            ? "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'finding' "
              "AND sql IS NOT NULL"
            : "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'finding' "
              "AND indexname <> 'finding_pkey'"));
    while (const auto* row = must(rows->next())) {
      names.push_back(row->string(0));
      texts.push_back(row->string(1));
    }
  }
  for (const auto& name : names) must(connection.script("DROP INDEX " + name));
  return texts;
}

void fill(sql::Connection& connection, std::int64_t findings) {
  const auto start = std::chrono::steady_clock::now();
  must(store::migrate(connection));
  const auto indexes = drop_indexes(connection);
  must(test::FindingFleet({.resources = findings / per_resource,
                           .vulnerabilities = 20'000,
                           .per_resource = per_resource,
                           .names = 1'000,
                           .members = members,
                           .everywhere = 3})
           .fill(connection));
  for (const auto& index : indexes) must(connection.script(index));
  if (connection.engine() == sql::Engine::postgresql) must(connection.script("ANALYZE"));
  fmt::print("filled in {:.0f} s\n",
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

int main(int argc, char** argv) {
  const auto findings =
      static_cast<std::int64_t>(argc > 1 ? parse_uint(argv[1]).value_or(0) : 1'000'000);
  const bench::Directory directory;
  const std::string place = argc > 2 ? argv[2] : directory / "findings.sqlite";
  const bool is_uri = place.starts_with("postgresql://");
  const auto connection =
      must(sql::open({.sqlite_file = is_uri ? "" : place, .postgresql_uri = is_uri ? place : ""}));
  const bool filled = connection->one_integer("SELECT COUNT(*) FROM resource").has_value();
  if (!filled) fill(*connection, findings);
  fmt::print("{} findings; ms a page of {}, {}\n{:44}{:>8} {:>8} {:>8} {:>8} {:>6}\n", findings,
             page_size, is_uri ? "wall time" : "processor time", "", "p50", "p99", "deep 50",
             "deep 99", "rows");
  for (const auto& one : cases())
    if (argc <= 3 || one.name.contains(argv[3])) run(*connection, one);
  return 0;
}

}  // namespace
}  // namespace tenken

int main(int argc, char** argv) {
  return tenken::main(argc, argv);
}
