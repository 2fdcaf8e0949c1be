// A database with the tables of src/access and a master key, for its tests on either engine.
#pragma once

#include <gtest/gtest.h>

#include "access/keys.h"
#include "access/schema.h"
#include "support/test_database.h"

namespace tenken::access {

inline constexpr Seconds today = 1'729'516'502;
inline constexpr std::string_view acme = "111122223333";
inline constexpr std::string_view other_account = "444455556666";

class AccessTest : public testing::TestWithParam<sql::Engine> {
 protected:
  void SetUp() override {
    NEED_ENGINE(GetParam());
    database_.emplace(GetParam());
    connection_ = sql::open(database_->location()).value();
    ASSERT_TRUE(migrate(*connection_));
  }
  sql::Connection& db() { return *connection_; }
  const sql::Location& location() const { return database_->location(); }
  sql::Location missing_location() const { return database_->missing(); }
  MasterKey other_master() { return MasterKey::open_or_create(scratch_ / "other.key").value(); }
  NewKey make_key(std::string_view account = acme, std::string_view user = "alice",
                  Role role = Role::viewer) {
    return create_key(db(), master_, {.account = account, .user = user, .role = role}, today)
        .value();
  }

  test::Scratch scratch_;
  MasterKey master_ = MasterKey::open_or_create(scratch_ / "secret.key").value();

 private:
  std::optional<test::TestDatabase> database_;
  std::unique_ptr<sql::Connection> connection_;
};

}  // namespace tenken::access
