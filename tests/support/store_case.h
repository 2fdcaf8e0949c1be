// A store that has its tables and nothing in them, on either engine.
#pragma once

#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "store/schema.h"
#include "support/test_database.h"

namespace tenken::store {

class StoreCase : public testing::TestWithParam<sql::Engine> {
 protected:
  void SetUp() override {
    NEED_ENGINE(GetParam());
    database_.emplace(GetParam());
    auto connection = sql::open(database_->location());
    ASSERT_TRUE(connection) << connection.error().what;
    connection_ = *std::move(connection);
    const auto migrated = first_tables(*connection_);
    ASSERT_TRUE(migrated) << migrated.error().what;
  }
  sql::Connection& db() { return *connection_; }

 private:
  virtual Result<> first_tables(sql::Connection& connection) { return migrate(connection); }

  std::optional<test::TestDatabase> database_;
  std::unique_ptr<sql::Connection> connection_;
};

}  // namespace tenken::store
