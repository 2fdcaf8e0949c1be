#include "pipeline/slices.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include <gtest/gtest.h>

#include "store/findings.h"
#include "support/test_database.h"

namespace tenken::pipeline {
namespace {

class SlicesTest : public testing::TestWithParam<sql::Engine> {
 protected:
  void SetUp() override {
    NEED_ENGINE(GetParam());
    database_.emplace(GetParam());
    pool_.emplace(database_->location(), 8);
  }
  sql::Pool& pool() { return *pool_; }

 private:
  std::optional<test::TestDatabase> database_;
  std::optional<sql::Pool> pool_;
};

TEST_P(SlicesTest, each_is_worked_on_once) {
  std::array<std::atomic<int>, store::slices> seen{};
  const auto done =
      each_slice(pool(), [&](sql::Connection& connection, std::int64_t slice) -> Result<> {
        ++seen.at(static_cast<std::size_t>(slice));
        TRY(const auto one, connection.one_integer("SELECT 1"));
        EXPECT_EQ(one, 1);
        return {};
      });
  ASSERT_TRUE(done) << done.error().what;
  for (const auto& times : seen) EXPECT_EQ(times, 1);
}

TEST_P(SlicesTest, postgresql_works_on_several_at_a_time_and_sqlite_on_one) {
  std::mutex mutex;
  std::condition_variable changed;
  int at_work = 0;
  int most = 0;
  const bool together = GetParam() == sql::Engine::postgresql;
  const auto done = each_slice(pool(), [&](sql::Connection&, std::int64_t) -> Result<> {
    std::unique_lock lock(mutex);
    most = std::max(most, ++at_work);
    changed.notify_all();
    if (together) changed.wait_for(lock, std::chrono::seconds(10), [&] { return most > 1; });
    --at_work;
    return {};
  });
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(most > 1, together);
}

TEST_P(SlicesTest, no_more_are_begun_after_the_store_could_not_be_used) {
  std::atomic<int> begun = 0;
  const auto done = each_slice(pool(), [&](sql::Connection&, std::int64_t) -> Result<> {
    ++begun;
    return Error{Errc::unavailable, "gone"};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "gone");
  EXPECT_LE(begun, 4);
}

TEST_P(SlicesTest, one_that_fails_keeps_no_other_waiting) {
  std::atomic<int> done_well = 0;
  const auto done = each_slice(pool(), [&](sql::Connection&, std::int64_t slice) -> Result<> {
    if (slice == 0) return Error{Errc::limit, "too large"};
    ++done_well;
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "too large");
  EXPECT_EQ(done_well, store::slices - 1);
}

TEST_P(SlicesTest, that_the_store_could_not_be_used_is_said_before_all_else) {
  const auto done = each_slice(pool(), [&](sql::Connection&, std::int64_t slice) -> Result<> {
    if (slice == 0) return Error{Errc::limit, "too large"};
    if (slice == store::slices - 1) return Error{Errc::unavailable, "gone"};
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "gone");
}

INSTANTIATE_TEST_SUITE_P(BothEngines, SlicesTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         [](const auto& engine) { return test::engine_name(engine); });

}  // namespace
}  // namespace tenken::pipeline
