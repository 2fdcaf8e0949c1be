// An empty database of either engine, for tests that run the same cases on both.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "sql/sql.h"
#include "support/postgres_server.h"
#include "support/scratch.h"

namespace tenken::test {

class TestDatabase {
 public:
  explicit TestDatabase(sql::Engine engine) {
    location_.lock_wait_ms = 300;
    if (engine == sql::Engine::sqlite) {
      location_.sqlite_file = scratch_ / "tenken.db";
    } else {
      location_.postgresql_uri = server_.emplace().uri();
    }
  }
  const sql::Location& location() const { return location_; }
  // A database that is not there, of the same engine.
  sql::Location missing() const {
    auto out = location_;
    if (auto& uri = out.postgresql_uri; !uri.empty())
      uri.replace(uri.find("/postgres?"), 10, "/missing?");
    else
      out.sqlite_file = scratch_ / "missing/tenken.db";
    return out;
  }
  const Scratch& scratch() const { return scratch_; }
  PostgresServer& server() { return *server_; }  // of PostgreSQL only

 private:
  Scratch scratch_;
  std::optional<PostgresServer> server_;
  sql::Location location_;
};

// The end of a case's name: BothEngines/StoreTest.keeps_rows/sqlite.
inline std::string engine_name(const testing::TestParamInfo<sql::Engine>& engine) {
  return engine.param == sql::Engine::sqlite ? "sqlite" : "postgresql";
}

}  // namespace tenken::test

#define NEED_ENGINE(engine)                               \
  if ((engine) == ::tenken::sql::Engine::postgresql &&    \
      ::tenken::test::PostgresServer::programs().empty()) \
  GTEST_SKIP() << "no PostgreSQL server under /usr/lib/postgresql; install postgresql-15"
