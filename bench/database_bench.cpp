// Opening the database and looking things up in it: $TENKEN_BENCH_DB names the file.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "advisories/database.h"
#include "match/matcher.h"

namespace {

using tenken::advisories::Database;

std::string database_path() {
  const char* path = std::getenv("TENKEN_BENCH_DB");
  return path != nullptr ? path : "advisories.db";
}

const Database& database() {
  static const auto opened = Database::open(database_path());
  if (!opened) {
    std::fprintf(stderr, "%s; set TENKEN_BENCH_DB\n", opened.error().what.c_str());
    std::exit(2);
  }
  return *opened;
}

struct Key {
  std::string ecosystem;
  std::string release;
  std::string name;
};

// Names of the whole database in random order: each look-up touches another place.
std::vector<Key> some_keys(std::size_t count) {
  std::vector<Key> keys;
  const auto& db = database();
  std::mt19937 random(7);
  while (keys.size() < count) {
    const auto partition = db.partition(static_cast<std::uint32_t>(random() % db.partition_count()));
    const auto name = db.name(partition->first_name + static_cast<std::uint32_t>(random() % partition->names));
    keys.push_back({std::string(partition->ecosystem), std::string(partition->release), std::string(name->name)});
  }
  return keys;
}

void open_database(benchmark::State& state) {
  const auto path = database_path();
  for (auto _ : state) benchmark::DoNotOptimize(Database::open(path));
}
BENCHMARK(open_database)->Unit(benchmark::kMicrosecond);

void find_missing_name(benchmark::State& state) {
  auto keys = some_keys(4096);
  for (auto& key : keys) key.name += "-nothing-has-this-name";
  std::size_t i = 0;
  for (auto _ : state) {
    const auto& key = keys[i++ % keys.size()];
    benchmark::DoNotOptimize(database().rows(key.ecosystem, key.release, key.name));
  }
}
BENCHMARK(find_missing_name);

void find_name_with_its_rows(benchmark::State& state) {
  const auto keys = some_keys(4096);
  std::size_t i = 0;
  std::size_t rows = 0;
  for (auto _ : state) {
    const auto& key = keys[i++ % keys.size()];
    rows += database().rows(key.ecosystem, key.release, key.name)->size();
  }
  state.counters["rows"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kAvgIterations);
}
BENCHMARK(find_name_with_its_rows);

void find_vulnerability(benchmark::State& state) {
  std::vector<std::string> ids;
  for (std::uint32_t i = 0; i < database().vulnerability_count(); i += 97)
    ids.emplace_back(database().vulnerability(i)->id);
  std::mt19937 random(7);
  std::ranges::shuffle(ids, random);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(database().find_vulnerability(ids[i++ % ids.size()]));
}
BENCHMARK(find_vulnerability);

}  // namespace

BENCHMARK_MAIN();
