#include "store/collect_targets.h"

#include "support/store_case.h"

namespace tenken::store {
namespace {

constexpr std::string_view account = "111122223333";

class CollectTargetsTest : public StoreCase {
 protected:
  Result<> add(std::string_view host, Seconds at) {
    return add_collect_target(db(), {.account = std::string(account),
                                     .host = std::string(host),
                                     .interval = 3'600,
                                     .created = at});
  }
  std::string lease(Seconds now) {
    const auto target = lease_collect_target(db(), "node", now, 100);
    EXPECT_TRUE(target) << target.error().what;
    return *target ? (*target)->host : "none";
  }
};

TEST_P(CollectTargetsTest, each_has_its_turn_and_one_node_at_a_time) {
  ASSERT_TRUE(add("a", 10));
  ASSERT_TRUE(add("b", 20));
  EXPECT_EQ(add("a", 30).error().code, Errc::conflict);
  EXPECT_EQ(lease(5), "none");
  EXPECT_EQ(lease(30), "a");
  EXPECT_EQ(lease(30), "b");
  EXPECT_EQ(lease(30), "none");
  auto targets = collect_targets(db(), account).value();
  ASSERT_EQ(targets.size(), 2U);
  targets[0].attempted = 30;
  targets[0].next = 30 + retry_after(3'600, 1);
  targets[0].failures = 1;
  targets[0].last_error = "no route";
  ASSERT_TRUE(finish_collect_target(db(), targets[0]));
  EXPECT_EQ(lease(89), "none");
  EXPECT_EQ(lease(90), "a");
  EXPECT_EQ(lease(130), "b") << "its lease has ended";
  EXPECT_EQ(collect_targets(db(), "").value()[0].last_error, "no route");
  EXPECT_TRUE(collect_targets(db(), "444455556666").value().empty());
  EXPECT_TRUE(remove_collect_target(db(), account, "a").value());
  EXPECT_FALSE(remove_collect_target(db(), account, "a").value());
  ASSERT_TRUE(finish_collect_target(db(), targets[0]));
  EXPECT_EQ(collect_targets(db(), account).value().size(), 1U);
}

TEST(CollectTargets, pauses_grow_up_to_the_interval) {
  EXPECT_EQ(retry_after(3'600, 1), 60);
  EXPECT_EQ(retry_after(3'600, 2), 120);
  EXPECT_EQ(retry_after(3'600, 7), 3'600);
  EXPECT_EQ(retry_after(3'600, 1'000'000), 3'600);
  EXPECT_EQ(retry_after(30, 1), 30);
}

INSTANTIATE_TEST_SUITE_P(Engines, CollectTargetsTest,
                         ::testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::store
