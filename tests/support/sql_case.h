// What the cases of src/sql share: a case runs on each engine with an empty database of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/result.h"
#include "sql/dialect.h"
#include "sql/sql.h"
#include "support/test_database.h"

namespace tenken::sql {

template <typename T>
std::string error_of(const Result<T>& result) {
  return result ? "no error"
                : fmt::format("{}: {}", name(result.error().code), result.error().what);
}

template <typename T>
Errc code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Errc::internal : result.error().code;
}

#define ASSERT_OK(...)                                         \
  do {                                                         \
    const auto& assert_ok = (__VA_ARGS__);                     \
    ASSERT_TRUE(assert_ok.has_value()) << error_of(assert_ok); \
  } while (false)
#define EXPECT_OK(...)                                         \
  do {                                                         \
    const auto& expect_ok = (__VA_ARGS__);                     \
    EXPECT_TRUE(expect_ok.has_value()) << error_of(expect_ok); \
  } while (false)

class SqlTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    NEED_ENGINE(GetParam());
    database_.emplace(GetParam());
    connection_ = connect();
  }

  std::unique_ptr<Connection> connect() {
    auto connection = open(database_->location());
    EXPECT_TRUE(connection.has_value()) << error_of(connection);
    return connection ? *std::move(connection) : nullptr;
  }
  const Dialect& words() const { return dialect(GetParam()); }

  // id, and a column of each type.
  void create_all_types() {
    ASSERT_OK(connection_->script(fmt::format(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, i BIGINT, d DOUBLE PRECISION, s {}, b {}){}",
        words().text, words().blob, words().clustered)));
  }
  void create_numbers() {
    ASSERT_OK(connection_->script("CREATE TABLE n (id BIGINT PRIMARY KEY, v BIGINT)"));
  }
  std::int64_t count(Connection& connection, std::string_view table = "n") {
    const auto rows = connection.one_integer(fmt::format("SELECT count(*) FROM {}", table));
    EXPECT_OK(rows);
    return rows ? rows->value_or(-1) : -1;
  }

  std::optional<test::TestDatabase> database_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tenken::sql
