// How long a page of ListFindings takes in a store of millions of findings, at several depths, for
// several questions and orders.
//
//   bench_findings [FINDINGS [FILE]]     1,000,000 in a file that is removed afterwards; a FILE
//   stays
//                                        and is used again
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "store/finding_query.h"
#include "store/schema.h"
#include "support/finding_fleet.h"

namespace tenken {
namespace {

using store::FindingOrder;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t per_resource = 50;
constexpr int pages_measured = 40;
constexpr double limit_ms = 50;

struct Case {
  const char* name;
  const char* criteria;
  FindingOrder order = FindingOrder::score;
  bool descending = true;
};
constexpr const char* active = R"({"findingStatus":[{"comparison":"EQUALS","value":"ACTIVE"}]})";
const Case cases[] = {
    {"all, by score", "{}"},
    {"all, by score ascending", "{}", FindingOrder::score, false},
    {"active, by score", active},
    {"active, by first seen", active, FindingOrder::first_observed},
    {"all, by last seen", "{}", FindingOrder::last_observed},
    {"all, by status", "{}", FindingOrder::status},
    {"all, by resource type", "{}", FindingOrder::resource_type},
    {"all, by EPSS", "{}", FindingOrder::epss},
    {"all, by vulnerability", "{}", FindingOrder::vulnerability},
    {"all, by source", "{}", FindingOrder::vulnerability_source, false},
    {"severity LOW", R"({"severity":[{"comparison":"EQUALS","value":"LOW"}]})"},
    {"one resource", R"({"resourceId":[{"comparison":"EQUALS","value":"i-00000123"}]})"},
    {"one resource, by EPSS", R"({"resourceId":[{"comparison":"EQUALS","value":"i-00000123"}]})",
     FindingOrder::epss},
    {"one vulnerability",
     R"({"vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-2024-00321"}]})"},
    {"one vulnerability, by last seen",
     R"({"vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-2024-00321"}]})",
     FindingOrder::last_observed},
    {"vulnerabilities by prefix",
     R"({"vulnerabilityId":[{"comparison":"PREFIX","value":"CVE-2024-003"}]})"},
    {"exploited", R"({"exploitAvailable":[{"comparison":"EQUALS","value":"YES"}]})"},
    {"a rare tag", R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"stage"}]})"},
    {"a common tag", R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}]})"},
    {"a package", R"({"vulnerablePackages":[{"name":{"comparison":"EQUALS","value":"pkg7-0"}}]})"},
    {"images, fix available",
     R"({"resourceType":[{"comparison":"EQUALS","value":"AWS_ECR_CONTAINER_IMAGE"}],)"
     R"("fixAvailable":[{"comparison":"EQUALS","value":"YES"}]})"},
    {"nothing", R"({"resourceId":[{"comparison":"EQUALS","value":"no such thing"}]})"},
};

[[noreturn]] void fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.what);
  std::exit(1);
}
template <typename T>
T must(Result<T> result) {
  if (!result) fail(result.error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

struct Measured {
  std::vector<double> ms;
  std::size_t rows = 0;
  bool ended = false;
};

void measure(sql::Connection& connection, store::FindingQuestion& question, Measured& out) {
  for (int i = 0; i < pages_measured && !out.ended; ++i) {
    const auto start = Clock::now();
    const auto page = must(store::list_findings(connection, question));
    out.ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    out.rows += page.findings.size();
    question.after = page.next;
    out.ended = page.next.empty();
  }
}

void skip(sql::Connection& connection, store::FindingQuestion& question, std::size_t rows,
          Measured& out) {
  question.limit = 1000;
  while (out.rows < rows && !out.ended) {
    const auto page = must(store::list_findings(connection, question));
    out.rows += page.findings.size();
    question.after = page.next;
    out.ended = page.next.empty();
  }
  question.limit = 25;
}

double percentile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

bool run(sql::Connection& connection, const Case& one) {
  store::FindingQuestion question{
      .accounts = {std::string(test::FindingFleet::account)},
      .criteria = must(findings::read_criteria(std::string_view(one.criteria))),
      .order = one.order,
      .descending = one.descending};
  Measured measured;
  for (const std::size_t depth : {0, 20'000, 60'000}) {
    skip(connection, question, depth, measured);
    measure(connection, question, measured);
  }
  const auto p99 = percentile(measured.ms, 0.99);
  fmt::print("{:34} {:7.2f} {:7.2f} {:7.2f}   {:7} rows {}\n", one.name,
             percentile(measured.ms, 0.5), p99, measured.ms.front(), measured.rows,
             p99 > limit_ms ? "SLOW" : "");
  std::fflush(stdout);
  return p99 <= limit_ms;
}

int main(int argc, char** argv) {
  const auto findings = argc > 1 ? parse_uint(argv[1]).value_or(0) : 1'000'000;
  const bool keep = argc > 2;
  const std::string file =
      keep ? argv[2] : (std::filesystem::temp_directory_path() / "bench_findings.sqlite").string();
  if (!keep) std::filesystem::remove(file);
  const bool filled = std::filesystem::exists(file);
  auto connection = must(sql::open({.sqlite_file = file}));
  must(store::migrate(*connection));
  const auto start = Clock::now();
  if (!filled)
    must(test::FindingFleet({.resources = static_cast<std::int64_t>(findings) / per_resource,
                             .vulnerabilities = 4000,
                             .per_resource = per_resource})
             .fill(*connection));
  fmt::print("{} findings, filled in {:.0f} s\n", findings,
             std::chrono::duration<double>(Clock::now() - start).count());
  fmt::print("{:34} {:>7} {:>7} {:>7}\n", "ms per page of 25", "p50", "p99", "first");
  bool good = true;
  for (const auto& one : cases) good = run(*connection, one) && good;
  connection.reset();
  if (!keep) std::filesystem::remove(file);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace tenken

int main(int argc, char** argv) {
  return tenken::main(argc, argv);
}
