#include "store/collect_targets.h"

#include "store/agents.h"
#include "store/owners.h"
#include "store/resources.h"
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
  // An inventory, fetched over SSH or put with a key.
  void put(std::string_view resource, bool fetched) {
    const InventoryWrite one{.account = std::string(account),
                             .external_id = std::string(resource),
                             .type = "AWS_EC2_INSTANCE",
                             .details = "{}",
                             .digest = fetched ? "fetched" : "put",
                             .received = 10,
                             .agentless = fetched};
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    const InventoryWrite* const all[] = {&one};
    const auto written = put_inventories(db(), all, {});
    ASSERT_TRUE(written) << written.error().what;
    ASSERT_TRUE(transaction->commit());
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
  ASSERT_TRUE(finish_collect_target(db(), targets[0], "another node"));
  EXPECT_EQ(collect_targets(db(), "").value()[0].last_error, "") << "who has it says what came";
  ASSERT_TRUE(finish_collect_target(db(), targets[0], "node"));
  EXPECT_EQ(lease(89), "none");
  EXPECT_EQ(lease(90), "a");
  EXPECT_EQ(lease(130), "b") << "its lease has ended";
  EXPECT_EQ(collect_targets(db(), "").value()[0].last_error, "no route");
  EXPECT_TRUE(collect_targets(db(), "444455556666").value().empty());
  EXPECT_TRUE(remove_collect_target(db(), account, "a").value());
  EXPECT_FALSE(remove_collect_target(db(), account, "a").value());
  ASSERT_TRUE(finish_collect_target(db(), targets[0], "node"));
  EXPECT_EQ(collect_targets(db(), account).value().size(), 1U);
}

TEST_P(CollectTargetsTest, a_resource_is_of_one_host) {
  for (const auto* host : {"a", "b"}) {
    ASSERT_TRUE(add(host, 10));
    ASSERT_EQ(lease(10), host);
  }
  auto targets = collect_targets(db(), account).value();
  ASSERT_TRUE(claim_resource(db(), targets[0], "node", "mi-1"));
  ASSERT_TRUE(claim_resource(db(), targets[0], "node", "mi-1")) << "it is its own";
  EXPECT_EQ(collect_targets(db(), account).value()[0].resource, "mi-1");
  const auto says = [&](CollectTarget& target, std::string_view resource, std::string_view what) {
    const auto claimed = claim_resource(db(), target, "node", resource);
    ASSERT_FALSE(claimed) << resource;
    EXPECT_EQ(claimed.error().code, Errc::conflict);
    EXPECT_TRUE(claimed.error().what.contains(what)) << claimed.error().what;
  };
  says(targets[0], "mi-2", "it names itself mi-2 now, and was mi-1");
  says(targets[1], "mi-1", "as a does, which is collected too");
  Agent agent{.id = "0123456789abcdef0123456789abcdef",
              .account = std::string(account),
              .resource = "mi-3",
              .host_name = "db-1"};
  ASSERT_TRUE(insert_agent(db(), agent));
  says(targets[1], "mi-3", "agent 0123456789abcdef0123456789abcdef (db-1)");
  EXPECT_EQ(collect_targets(db(), account).value()[1].resource, "") << "nothing was taken";
  ASSERT_TRUE(end_agent(db(), agent.id, AgentStatus::retired, 20).value());
  EXPECT_FALSE(claim_resource(db(), targets[1], "another node", "mi-3")) << "it has no lease";
  EXPECT_TRUE(claim_resource(db(), targets[1], "node", "mi-3")) << "its agent is no more";
}

TEST_P(CollectTargetsTest, what_another_source_owns_is_taken_by_an_operators_word_alone) {
  ASSERT_TRUE(add("a", 10));
  ASSERT_EQ(lease(10), "a");
  auto target = collect_targets(db(), account).value()[0];
  const auto claim = [&](std::string_view resource) {
    const auto claimed = claim_resource(db(), target, "node", resource);
    return claimed ? std::string() : claimed.error().what;
  };
  Agent agent{.id = "0123456789abcdef0123456789abcdef",
              .account = std::string(account),
              .resource = "mi-1",
              .host_name = "db-1"};
  ASSERT_TRUE(insert_agent(db(), agent));
  EXPECT_TRUE(claim("mi-1").contains("agent 0123456789abcdef0123456789abcdef (db-1) does"))
      << claim("mi-1");
  put("mi-2", false);
  EXPECT_TRUE(claim("mi-2").contains("names itself mi-2, whose inventory was put with a key"))
      << claim("mi-2");
  EXPECT_TRUE(claim("mi-2").contains("DELETE /v1/resources/mi-2")) << claim("mi-2");
  EXPECT_EQ(collect_targets(db(), account).value()[0].resource, "");
  put("mi-3", true);
  EXPECT_EQ(claim("mi-3"), "") << "its target may have been removed and added again";
  put("mi-3", false);
  EXPECT_EQ(claim("mi-3"), "") << "it is its own";

  ASSERT_TRUE(remove_collect_target(db(), account, "a").value());
  ASSERT_TRUE(add("a", 10));
  ASSERT_EQ(lease(10), "a");
  target = collect_targets(db(), account).value()[0];
  EXPECT_NE(claim("mi-2"), "");
  ASSERT_TRUE(terminate_resource(db(), resource_id(account, "mi-2"), 30).value());
  EXPECT_EQ(claim("mi-2"), "");
}

TEST_P(CollectTargetsTest, the_host_of_a_revoked_agent_is_seen_again) {
  for (const auto* host : {"a", "b"}) {
    ASSERT_TRUE(add(host, 10));
    ASSERT_EQ(lease(10), host);
  }
  const Agent agent{.id = "0123456789abcdef0123456789abcdef",
                    .account = std::string(account),
                    .resource = "mi-1",
                    .host_name = "db-1"};
  ASSERT_TRUE(insert_agent(db(), agent));
  put("mi-1", false);
  auto targets = collect_targets(db(), account).value();
  EXPECT_FALSE(claim_resource(db(), targets[0], "node", "mi-1"));
  ASSERT_TRUE(end_agent(db(), agent.id, AgentStatus::revoked, 20).value());
  EXPECT_EQ(owner_of(db(), account, "mi-1").value().agent->id, agent.id);
  ASSERT_TRUE(claim_resource(db(), targets[0], "node", "mi-1"));
  // From then on it is the target's, for its agent too.
  const auto owner = owner_of(db(), account, "mi-1").value();
  EXPECT_FALSE(owner.agent);
  EXPECT_EQ(owner.target, "a");
  const auto second = claim_resource(db(), targets[1], "node", "mi-1");
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().what.contains("as a does, which is collected too"))
      << second.error().what;
  ASSERT_TRUE(claim_resource(db(), targets[0], "node", "mi-1"));
  ASSERT_TRUE(remove_collect_target(db(), account, "a").value());
  EXPECT_EQ(owner_of(db(), account, "mi-1").value().agent->id, agent.id);
}

TEST_P(CollectTargetsTest, looking_for_a_turn_begins_no_transaction_that_writes) {
  auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::read);
  ASSERT_TRUE(transaction);
  const auto none = lease_collect_target(db(), "node", 10, 100);
  ASSERT_TRUE(none) << none.error().what;
  EXPECT_FALSE(*none);
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
