// Pools, on both engines.
#include <chrono>
#include <thread>
#include <vector>

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

}  // namespace
}  // namespace tenken::sql
