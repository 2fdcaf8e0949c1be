// A fleet in a store of its own: how fast inventories are taken in and evaluated, and what a new
// advisory costs. Package versions number about 100,000 on 100,000 hosts.
//
// Usage: bench_fleet HOSTS [postgresql://…]   prints one figure a line.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "directory.h"
#include "fleet_hosts.h"
#include "pipeline/build_database.h"
#include "pipeline/evaluate.h"
#include "pipeline/ingest.h"
#include "store/schema.h"

namespace tenken {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int touched_names = 50;
constexpr std::size_t hosts_at_once = 100;

template <typename T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_fleet: %s\n", result.error().what.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Scores differ as they do in what is published, so that findings of one score are few of all.
std::string severity(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  const auto one_of = [&](std::string_view values) { return values[random() % values.size()]; };
  return fmt::format(
      R"([{{"type":"CVSS_V3","score":"CVSS:3.1/AV:{}/AC:{}/PR:{}/UI:{}/S:U/C:{}/I:{}/A:H"}}])",
      one_of("NNAL"), one_of("LLH"), one_of("NNLH"), one_of("NR"), one_of("NLH"), one_of("NLH"));
}

std::string advisory(int number, int name, int fixed) {
  return fmt::format(
      R"({{"id":"DSA-{}-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2026-{}"],)"
      R"("severity":{},)"
      R"("affected":[{{"package":{{"ecosystem":"Debian:12","name":"package-{}"}},"ranges":)"
      R"([{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"1.{}-1"}}]}}]}}]}})",
      number, number, severity(number), name, fixed);
}

pipeline::Generation generation(const std::string& directory, int vulnerabilities, int extra) {
  std::filesystem::create_directories(directory);
  const auto write = [&](int number, int name, int fixed) {
    need(write_file_atomic(fmt::format("{}/DSA-{}-1.json", directory, number),
                           advisory(number, name, fixed)));
  };
  for (int i = 0; i < vulnerabilities; ++i) write(1000 + i, i * 7 % names, 5 + i % 10);
  // One vulnerability in fifty packages: the worst that a single advisory does.
  if (extra > 0) {
    std::string rows;
    for (int i = 0; i < extra; ++i)
      rows += fmt::format(
          R"({}{{"package":{{"ecosystem":"Debian:12","name":"package-{}"}},"ranges":[{{"type":)"
          R"("ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"1.{}-1"}}]}}]}})",
          i == 0 ? "" : ",", 1000 + i, versions / 2);
    need(write_file_atomic(directory + "/DSA-9999-1.json",
                           fmt::format(R"({{"id":"DSA-9999-1","modified":"2026-02-01T00:00:00Z",)"
                                       R"("upstream":["CVE-2026-9999"],"severity":{},)"
                                       R"("affected":[{}]}})",
                                       severity(9999), rows)));
  }
  const auto file = directory + ".db";
  need(pipeline::build_database({.from = {directory}, .out = file}));
  return std::make_shared<const advisories::Database>(need(advisories::Database::open(file)));
}

void work(pipeline::Evaluator& evaluator) {
  while (need(evaluator.work()) > 0) {
  }
}

std::int64_t count(sql::Pool& pool, std::string_view sql) {
  auto connection = need(pool.lease());
  return need(connection->one_integer(sql)).value_or(0);
}

int run(int hosts, const std::string& uri) {
  const bench::Directory directory;
  sql::Pool pool({.sqlite_file = directory / "fleet.sqlite", .postgresql_uri = uri}, 4);
  need(store::migrate(*need(pool.lease())));
  auto current = generation(directory / "before", 500, 0);
  const auto before = current;
  pipeline::Evaluator evaluator(
      {.pool = &pool,
       .node = "bench",
       .current = [&] { return current; },
       .find = [&](const std::string& id) { return id == before->generation() ? before : nullptr; },
       .clock = [] { return now(); }});
  need(evaluator.notice_generation());

  auto start = Clock::now();
  double writing = 0;
  store::KnownVersions known;
  for (int at = 0; at < hosts; at += static_cast<int>(hosts_at_once)) {
    std::vector<store::InventoryWrite> writes;
    for (int i = at; i < std::min(hosts, at + static_cast<int>(hosts_at_once)); ++i)
      writes.push_back(pipeline::stored_inventory({.account = "111122223333",
                                                   .external_id = fmt::format("i-{:08}", i),
                                                   .digest = fmt::format("{}", i),
                                                   .received = now()},
                                                  fleet_host(i)));
    std::vector<const store::InventoryWrite*> batch;
    for (const auto& one : writes) batch.push_back(&one);
    const auto begun = Clock::now();
    auto connection = need(pool.lease());
    auto transaction = need(sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
    const auto written = need(store::put_inventories(*connection, batch, known));
    need(transaction.commit());
    for (const auto id : written.interned) known.insert(id);
    writing += seconds_since(begun);
  }
  fmt::print("ingest into the store: {:.0f} inventories/s ({} packages each)\n", hosts / writing,
             packages_per_host);
  start = Clock::now();
  work(evaluator);
  fmt::print("first evaluation: {:.0f} hosts/s\n", hosts / seconds_since(start));
  fmt::print("package versions: {}, findings: {}\n",
             count(pool, "SELECT COUNT(*) FROM package_version"),
             count(pool, "SELECT COUNT(*) FROM finding"));

  current = generation(directory / "after", 500, touched_names);
  const auto named = [&] {
    std::vector<pipeline::NamedVersion> out;
    auto connection = need(pool.lease());
    for (int i = 0; i < touched_names; ++i)
      for (auto& one :
           need(store::versions_named(*connection, "Debian", fmt::format("package-{}", 1000 + i))))
        out.push_back(std::move(one));
    return out;
  }();
  start = Clock::now();
  CHECK(pipeline::match_versions(*current, named, now()).failed.empty());
  fmt::print("new advisory, matching {} package versions: {:.1f} ms\n", named.size(),
             1000 * seconds_since(start));
  start = Clock::now();
  need(evaluator.notice_generation());
  work(evaluator);
  fmt::print("new advisory, difference to findings written: {:.2f} s, {} findings\n",
             seconds_since(start),
             count(pool, "SELECT COUNT(*) FROM finding WHERE vulnerability_id = 'CVE-2026-9999'"));
  return 0;
}

}  // namespace
}  // namespace tenken

int main(int argc, char** argv) {
  const auto hosts = argc > 1 ? tenken::parse_uint(argv[1]) : 1'000;
  if (!hosts || *hosts == 0 || *hosts > 10'000'000) {
    std::fprintf(stderr, "usage: bench_fleet HOSTS [postgresql://…]\n");
    return 2;
  }
  return tenken::run(static_cast<int>(*hosts), argc > 2 ? argv[2] : "");
}
