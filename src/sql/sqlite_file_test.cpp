#include "sql/sqlite_file.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "sql/sql.h"
#include "support/scratch.h"

namespace tenken::sql {
namespace {

using namespace std::chrono_literals;

class SqliteFileTest : public testing::Test {
 protected:
  std::string path(std::string_view name) { return scratch_.path() + "/" + std::string(name); }
  std::uintmax_t bytes_of(std::string_view name) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path(name), error);
    return error ? 0 : size;
  }

  std::unique_ptr<Connection> connect() {
    auto out = open({.sqlite_file = path("a.db")}).value();
    EXPECT_TRUE(out->run("CREATE TABLE IF NOT EXISTS one (bytes BLOB)"));
    return out;
  }
  static void write_megabytes(Connection& connection, int megabytes) {
    auto transaction = Transaction::begin(connection, Transaction::Mode::write).value();
    ASSERT_TRUE(connection.run("INSERT INTO one VALUES (zeroblob(?1))",
                               std::int64_t{megabytes} << 20));
    ASSERT_TRUE(transaction.commit());
  }
  template <typename Condition>
  static bool comes_true(Condition condition) {
    for (int i = 0; i < 6'000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }

  test::Scratch scratch_;
};

constexpr std::uintmax_t megabyte = std::uintmax_t{1} << 20;

TEST_F(SqliteFileTest, is_shared_by_all_who_have_the_file_open) {
  ASSERT_TRUE(write_file_atomic(path("a"), "x"));
  ASSERT_TRUE(write_file_atomic(path("b"), "x"));
  const auto file = SqliteFile::of(path("a")).value();
  EXPECT_EQ(SqliteFile::of(path("./a")).value(), file);
  EXPECT_NE(SqliteFile::of(path("b")).value(), file);
  EXPECT_FALSE(SqliteFile::of(path("none")));
}

TEST_F(SqliteFileTest, a_long_log_is_brought_back_while_its_connections_stay) {
  const auto connection = connect();
  write_megabytes(*connection, 40);
  write_megabytes(*connection, 40);
  EXPECT_TRUE(comes_true([&] { return bytes_of("a.db") > 80 * megabyte; }));
  EXPECT_EQ(connection->one_integer("SELECT SUM(length(bytes)) FROM one").value(), 80 << 20);
}

TEST_F(SqliteFileTest, a_log_begins_anew_though_one_writes_after_the_other) {
  const auto connection = connect();
  std::uintmax_t longest = 0;
  for (int i = 0; i < 100; ++i) {
    write_megabytes(*connection, 6);
    longest = std::max(longest, bytes_of("a.db-wal"));
  }
  EXPECT_LT(longest, 450 * megabyte);
  EXPECT_TRUE(comes_true([&] { return bytes_of("a.db") > 300 * megabyte; }));
}

// Each reader is there for a moment, and there is always one.
TEST_F(SqliteFileTest, a_log_begins_anew_though_readers_come_one_after_the_other) {
  const auto connection = connect();
  std::atomic<bool> ended = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&, reader = std::shared_ptr(connect()), i] {
      std::this_thread::sleep_for(i * 10ms);
      while (!ended) {
        auto transaction = Transaction::begin(*reader, Transaction::Mode::read).value();
        EXPECT_TRUE(reader->one_integer("SELECT COUNT(*) FROM one"));
        std::this_thread::sleep_for(20ms);
        EXPECT_TRUE(transaction.commit());
      }
    });
  }
  std::uintmax_t longest = 0;
  for (int i = 0; i < 100; ++i) {
    write_megabytes(*connection, 6);
    longest = std::max(longest, bytes_of("a.db-wal"));
  }
  ended = true;
  EXPECT_LT(longest, 450 * megabyte);
}

TEST_F(SqliteFileTest, a_log_that_began_anew_with_a_longer_commit_is_brought_back) {
  const auto connection = connect();
  write_megabytes(*connection, 100);
  EXPECT_TRUE(comes_true([&] { return bytes_of("a.db") > 100 * megabyte; }));
  write_megabytes(*connection, 130);
  write_megabytes(*connection, 66);
  EXPECT_TRUE(comes_true([&] { return bytes_of("a.db") > 296 * megabyte; }));
}

TEST_F(SqliteFileTest, is_the_file_it_was_though_another_has_its_name) {
  const auto connection = connect();
  std::filesystem::rename(path("a.db"), path("b.db"));
  ASSERT_TRUE(write_file_atomic(path("a.db"), "no database"));
  for (int i = 0; i < 4; ++i) write_megabytes(*connection, 40);
  EXPECT_TRUE(comes_true([&] { return bytes_of("b.db") > 120 * megabyte; }));
  EXPECT_EQ(bytes_of("a.db"), 11U);
}

TEST_F(SqliteFileTest, a_reader_that_stays_sees_what_it_saw_and_stops_nobody) {
  const auto connection = connect();
  const auto reader = connect();
  write_megabytes(*connection, 1);
  auto transaction = Transaction::begin(*reader, Transaction::Mode::read).value();
  const auto count = [&](Connection& one) {
    return one.one_integer("SELECT COUNT(*) FROM one").value().value();
  };
  EXPECT_EQ(count(*reader), 1);
  for (int i = 0; i < 20; ++i) write_megabytes(*connection, 8);
  EXPECT_EQ(count(*reader), 1);
  EXPECT_TRUE(transaction.commit());
  EXPECT_EQ(count(*reader), 21);
  write_megabytes(*connection, 66);
  EXPECT_TRUE(comes_true([&] { return bytes_of("a.db") > 160 * megabyte; }));
}

}  // namespace
}  // namespace tenken::sql
