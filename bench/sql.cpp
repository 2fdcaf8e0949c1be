// The layer over SQLite beside the C API alone, with the same settings: loading rows, reading them,
// and one row by its key.
#include "sql/sql.h"

#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "directory.h"

namespace {

using tenken::sql::Connection;
using tenken::sql::Value;

constexpr std::int64_t rows = 200'000;
constexpr const char* table =
    "CREATE TABLE t (id BIGINT PRIMARY KEY, package BIGINT NOT NULL, path TEXT NOT NULL) WITHOUT "
    "ROWID";
constexpr const char* insert = "INSERT INTO t (id, package, path) VALUES (?1, ?2, ?3)";
constexpr const char* read_all = "SELECT id, package, path FROM t";
constexpr const char* read_one = "SELECT package FROM t WHERE id = ?1";

// The layer's connection makes the file and chooses the settings; the C API gets the same ones.
class Database {
 public:
  Database() {
    connection_ = tenken::sql::open({.sqlite_file = file()}).value();
    connection_->script(table).value();
    sqlite3_open_v2(file().c_str(), &raw_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    for (const char* setting : {"synchronous", "mmap_size", "cache_size", "temp_store",
                                "wal_autocheckpoint", "foreign_keys"}) {
      const auto value = connection_->one_text(fmt::format("PRAGMA {}", setting)).value();
      execute(fmt::format("PRAGMA {} = {}", setting, *value).c_str());
    }
  }
  ~Database() {
    sqlite3_close(raw_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Connection& connection() { return *connection_; }
  sqlite3* raw() { return raw_; }
  void execute(const char* sql) { sqlite3_exec(raw_, sql, nullptr, nullptr, nullptr); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(raw_, sql, -1, &statement, nullptr);
    return statement;
  }

  void fill() {
    auto bulk = connection_->bulk({.table = "t", .columns = {"id", "package", "path"}}).value();
    for (std::int64_t id = 0; id < rows; ++id) {
      const std::string path = fmt::format("usr/lib/python3/dist-packages/package-{}", id % 1000);
      const Value row[] = {id, id * 7 % 100'000, path};
      bulk->add(row).value();
    }
    bulk->finish().value();
  }
  void fill_raw() {
    sqlite3_stmt* statement = prepare(insert);
    execute("BEGIN IMMEDIATE");
    for (std::int64_t id = 0; id < rows; ++id) {
      const std::string path = fmt::format("usr/lib/python3/dist-packages/package-{}", id % 1000);
      sqlite3_bind_int64(statement, 1, id);
      sqlite3_bind_int64(statement, 2, id * 7 % 100'000);
      sqlite3_bind_text(statement, 3, path.data(), static_cast<int>(path.size()), SQLITE_STATIC);
      sqlite3_step(statement);
      sqlite3_reset(statement);
    }
    execute("COMMIT");
    sqlite3_finalize(statement);
  }

 private:
  std::string file() const { return directory_ / "bench.db"; }
  tenken::bench::Directory directory_;
  std::unique_ptr<Connection> connection_;
  sqlite3* raw_ = nullptr;
};

template <void (Database::*fill)()>
void load(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto database = std::make_unique<Database>();
    state.ResumeTiming();
    (database.get()->*fill)();
    state.PauseTiming();
    database.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(load<&Database::fill_raw>)->Name("load/c_api")->Unit(benchmark::kMillisecond);
BENCHMARK(load<&Database::fill>)->Name("load/layer")->Unit(benchmark::kMillisecond);

void read_raw(benchmark::State& state) {
  Database database;
  database.fill();
  sqlite3_stmt* statement = database.prepare(read_all);
  for (auto _ : state) {
    std::int64_t sum = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      sum += sqlite3_column_int64(statement, 0) + sqlite3_column_int64(statement, 1);
      benchmark::DoNotOptimize(sqlite3_column_text(statement, 2));
      sum += sqlite3_column_bytes(statement, 2);
    }
    benchmark::DoNotOptimize(sum);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(read_raw)->Name("read/c_api")->Unit(benchmark::kMillisecond);

void read_layer(benchmark::State& state) {
  Database database;
  database.fill();
  for (auto _ : state) {
    std::int64_t sum = 0;
    const auto answer = database.connection().query(read_all).value();
    while (const auto* row = answer->next().value())
      sum += row->integer(0) + row->integer(1) + static_cast<std::int64_t>(row->text(2).size());
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(read_layer)->Name("read/layer")->Unit(benchmark::kMillisecond);

void one_raw(benchmark::State& state) {
  Database database;
  database.fill();
  sqlite3_stmt* statement = database.prepare(read_one);
  std::int64_t id = 0;
  for (auto _ : state) {
    sqlite3_bind_int64(statement, 1, id = (id + 7919) % rows);
    sqlite3_step(statement);
    benchmark::DoNotOptimize(sqlite3_column_int64(statement, 0));
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(one_raw)->Name("one_row/c_api");

void one_layer(benchmark::State& state) {
  Database database;
  database.fill();
  std::int64_t id = 0;
  for (auto _ : state) {
    id = (id + 7919) % rows;
    benchmark::DoNotOptimize(database.connection().one_integer(read_one, id).value());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(one_layer)->Name("one_row/layer");

}  // namespace

BENCHMARK_MAIN();
