// Pools, on both engines.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "support/scratch.h"
#include "support/sql_case.h"

namespace tenken::sql {
namespace {

class PoolTest : public SqlTest {};
INSTANTIATE_TEST_SUITE_P(BothEngines, PoolTest, testing::Values(Engine::sqlite, Engine::postgresql),
                         test::engine_name);

TEST_P(PoolTest, a_pool_lends_up_to_its_limit_and_takes_back) {
  create_numbers();
  Pool pool(database_->location(), 2);
  EXPECT_EQ(pool.engine(), GetParam());
  auto first = pool.lease();
  auto second = std::make_optional(pool.lease());
  ASSERT_OK(first);
  ASSERT_OK(*second);
  EXPECT_EQ(code_of(pool.lease(50)), Errc::unavailable);
  std::thread giver([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    second.reset();
  });
  const auto third = pool.lease(10'000);
  giver.join();
  ASSERT_OK(third);
  EXPECT_EQ(count(**third), 0);
}

TEST_P(PoolTest, a_pool_does_not_lend_what_was_left_half_done) {
  create_numbers();
  Pool pool(database_->location(), 1);
  {
    const auto lease = pool.lease();
    ASSERT_OK(lease);
    ASSERT_OK((*lease)->run("BEGIN"));
    ASSERT_OK((*lease)->run("INSERT INTO n VALUES (1, 1)"));
  }
  const auto lease = pool.lease();
  ASSERT_OK(lease);
  EXPECT_EQ(count(**lease), 0);
}

TEST_P(PoolTest, a_database_that_is_gone_may_come_back) {
  EXPECT_EQ(code_of(open(database_->missing())), Errc::not_found);
  Pool pool(database_->missing(), 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(code_of(pool.lease()), Errc::unavailable);
}

TEST_P(PoolTest, connections_that_nobody_uses_are_closed) {
  Pool pool(database_->location(), 3);
  // How many of three connections were there before.
  const auto marked = [&] {
    std::vector<Pool::Lease> all;
    int out = 0;
    for (int i = 0; i < 3; ++i) {
      auto lease = pool.lease();
      EXPECT_OK(lease);
      if ((*lease)->query("SELECT * FROM mark")) ++out;
      all.push_back(*std::move(lease));
    }
    for (const auto& lease : all)
      EXPECT_OK(lease->run("CREATE TEMPORARY TABLE IF NOT EXISTS mark (a BIGINT)"));
    return out;
  };
  pool.close_idle();
  EXPECT_EQ(marked(), 0);
  EXPECT_EQ(marked(), 3);
  pool.close_idle();
  EXPECT_EQ(marked(), 0);
  const auto lent = pool.lease();
  pool.close_idle();
  ASSERT_OK(lent);
  EXPECT_OK((*lent)->query("SELECT * FROM mark"));
}

TEST_P(PoolTest, threads_share_a_pool) {
  create_numbers();
  auto location = database_->location();
  location.lock_wait_ms = 20'000;
  Pool pool(location, 3);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 6; ++thread)
    threads.emplace_back([&pool, thread] {
      for (int i = 0; i < 20; ++i) {
        const auto lease = pool.lease(20'000);
        ASSERT_OK(lease);
        ASSERT_OK((*lease)->run("INSERT INTO n VALUES (?1, 0)", thread * 1000 + i));
        ASSERT_OK((*lease)->one_integer("SELECT count(*) FROM n"));
      }
    });
  threads.clear();
  EXPECT_EQ(count(*connection_), 120);
}

// Whether this process holds a lock on the file, as the kernel says.
bool holds_lock_on(const std::string& file) {
  struct stat facts{};
  EXPECT_EQ(::stat(file.c_str(), &facts), 0);
  const auto inode = fmt::format(":{} ", facts.st_ino);
  const auto process = fmt::format(" {} ", ::getpid());
  const auto locks = read_file("/proc/locks", std::size_t{1} << 20);
  EXPECT_OK(locks);
  bool out = false;
  for_each_line(*locks, [&](std::string_view line) {
    out = out || (line.contains("POSIX") && line.contains(process) && line.contains(inode));
  });
  return out;
}

// A file that nobody else has open.
class FileTest : public ::testing::Test {
 protected:
  const test::Scratch scratch_;
  bool look() const {
    const auto connection = open(location_);
    return connection && (*connection)->one_integer("SELECT COUNT(*) FROM sqlite_schema");
  }

  const Location location_{.sqlite_file = scratch_ / "store.sqlite", .postgresql_uri = {}};
};

TEST_F(FileTest, stays_locked_while_no_connection_is_lent) {
  Pool pool(location_, 4);
  ASSERT_OK(pool.lease());
  pool.close_idle();
  EXPECT_TRUE(holds_lock_on(location_.sqlite_file));
}

// With the lock gone, another process that opened and closed the database would take the log away,
// and with it what was written since.
TEST_F(FileTest, keeps_its_log_when_another_process_has_looked) {
  Pool pool(location_, 8);
  ASSERT_OK((*pool.lease())->run("CREATE TABLE one (number INTEGER)"));
  std::atomic<bool> ended = false;
  std::atomic<int> leased = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      for (; !ended; ++leased) EXPECT_OK(pool.lease());
    });
  while (leased < 300) pool.close_idle();
  ended = true;
  for (auto& reader : readers) reader.join();
  pool.close_idle();
  const auto log = location_.sqlite_file + "-wal";
  struct stat before{};
  ASSERT_EQ(::stat(log.c_str(), &before), 0);
  const auto other = ::fork();
  if (other == 0) ::_exit(look() ? 0 : 1);
  int status = 1;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  struct stat after{};
  ASSERT_EQ(::stat(log.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

}  // namespace
}  // namespace tenken::sql
