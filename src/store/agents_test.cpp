// Agents and their last reports, on both engines.
#include "store/agents.h"

#include "base/compress.h"
#include "store/agent_updates.h"
#include "store/collect_targets.h"
#include "store/owners.h"
#include "store/resources.h"
#include "support/store_case.h"

namespace tenken::store {
namespace {

constexpr std::string_view account = "111122223333";
constexpr Seconds today = 1'800'000'000;

class AgentsTest : public StoreCase {
 protected:
  Agent add(const std::string& id, const std::string& resource) {
    Agent agent{.id = id,
                .account = std::string(account),
                .resource = resource,
                .host_name = "web-1",
                .certificate = "cert-" + id,
                .certificate_end = today + 100,
                .machine_id = "m",
                .host_key = "k-" + id,
                .enrolled = today,
                .seen = today,
                .tags = R"({"env":"prod"})"};
    EXPECT_TRUE(insert_agent(db(), agent));
    return agent;
  }
  Agent get(std::string_view id) { return find_agent(db(), account, id).value().value(); }

  static InventoryWrite inventory(const std::string& resource, std::int64_t sequence,
                                  const std::string& text) {
    return {.account = std::string(account),
            .external_id = resource,
            .type = "AWS_EC2_INSTANCE",
            .details = "{}",
            .digest = "d-" + text,
            .received = today + sequence,
            .report = ReportWrite{
                .agent = "a1", .sequence = sequence, .digest = "d-" + text, .packed = pack(text)}};
  }
  std::size_t put(const InventoryWrite& one) {
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    const InventoryWrite* const all[] = {&one};
    const auto written = put_inventories(db(), all, {});
    EXPECT_TRUE(written) << written.error().what;
    EXPECT_TRUE(transaction->commit());
    return written ? written->resources.size() : 0;
  }
};
INSTANTIATE_TEST_SUITE_P(BothEngines, AgentsTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

TEST_P(AgentsTest, AreFoundByWhatIsKnownOfThem) {
  add("a1", "mi-1");
  add("a2", "mi-2");
  EXPECT_EQ(get("a1").resource, "mi-1");
  EXPECT_EQ(get("a1").tags, R"({"env":"prod"})");
  EXPECT_FALSE(find_agent(db(), "444455556666", "a1").value());
  EXPECT_EQ(find_agent_of_resource(db(), account, "mi-2").value()->id, "a2");
  EXPECT_EQ(find_agent_by_certificate(db(), "cert-a2").value()->id, "a2");
  EXPECT_FALSE(find_agent_by_certificate(db(), "cert-a3").value());
  EXPECT_EQ(agents_of_machine(db(), account, "m").value().size(), 2U);
  EXPECT_EQ(list_agents(db(), account, "mi-1", 10).value().front().id, "a2");
}

TEST_P(AgentsTest, OneOfAResource) {
  auto agent = add("a1", "mi-1");
  agent.id = "a2";
  EXPECT_EQ(insert_agent(db(), agent).error().code, Errc::conflict);
  agent.id = "a1";
  agent.host_name = "web-2";
  ASSERT_TRUE(replace_agent(db(), agent));
  EXPECT_EQ(get("a1").host_name, "web-2");
}

TEST_P(AgentsTest, ARenewalCountsBesideTheOldCertificateUntilItIsUsed) {
  add("a1", "mi-1");
  ASSERT_TRUE(offer_certificate(db(), "a1", "new", today + 500));
  EXPECT_TRUE(find_agent_by_certificate(db(), "cert-a1").value());
  EXPECT_TRUE(find_agent_by_certificate(db(), "new").value());
  ASSERT_TRUE(use_next_certificate(db(), "a1", "new"));
  EXPECT_FALSE(find_agent_by_certificate(db(), "cert-a1").value());
  EXPECT_EQ(find_agent_by_certificate(db(), "new").value()->certificate_end, today + 500);
}

TEST_P(AgentsTest, ASessionIsReplacedOnce) {
  add("a1", "mi-1");
  EXPECT_TRUE(change_session(db(), "a1", "", "s1", "0.1", today).value());
  EXPECT_FALSE(change_session(db(), "a1", "", "s2", "0.1", today).value());
  EXPECT_TRUE(change_session(db(), "a1", "s1", "s2", "0.2", today + 1).value());
  EXPECT_EQ(get("a1").session_before, "s1");
  EXPECT_EQ(get("a1").session, "s2");
  EXPECT_EQ(get("a1").version, "0.2");
}

TEST_P(AgentsTest, AReportIsStoredWithItsInventoryOrNotAtAll) {
  add("a1", "mi-1");
  EXPECT_EQ(put(inventory("mi-1", 2, "two")), 1U);
  const auto id = resource_id(account, "mi-1");
  EXPECT_EQ(report_state(db(), id).value()->sequence, 2);
  EXPECT_EQ(unpack(find_report(db(), id).value()->packed, 100).value(), "two");
  EXPECT_EQ(get("a1").reported, today + 2);
  // One that comes again, and one that comes too late.
  EXPECT_EQ(put(inventory("mi-1", 2, "zwei")), 0U);
  EXPECT_EQ(put(inventory("mi-1", 1, "one")), 0U);
  EXPECT_EQ(report_state(db(), id).value()->digest, "d-two");
  EXPECT_EQ(find_resource(db(), account, "mi-1").value()->inventory_digest, "d-two");
  // One that enrols again is asked for the whole, with its tags.
  ASSERT_TRUE(expect_reports(db(), id, "a1", today));
  EXPECT_EQ(report_state(db(), id).value()->digest, "");
  EXPECT_EQ(put(inventory("mi-1", 1, "one")), 1U);
  EXPECT_EQ(find_resource(db(), account, "mi-1").value()->inventory_digest, "d-one");
}

TEST_P(AgentsTest, AHostThatNeverReportedIsListedWithoutInventory) {
  ASSERT_TRUE(put_resource_without_inventory(db(),
                                             {.account = std::string(account),
                                              .external_id = "mi-1",
                                              .region = "us-east-1",
                                              .name = "web-1",
                                              .tags = {{"env", "prod"}}},
                                             today));
  auto resource = find_resource(db(), account, "mi-1").value().value();
  EXPECT_EQ(resource.coverage_status, "INACTIVE");
  EXPECT_EQ(resource.coverage_reason, "NO_INVENTORY");
  EXPECT_EQ(resource.tags, R"({"env":"prod"})");
  const auto id = resource_id(account, "mi-1");
  ASSERT_TRUE(expect_reports(db(), id, "a1", today));
  EXPECT_EQ(report_state(db(), id).value()->digest, "");
  EXPECT_EQ(put(inventory("mi-1", 1, "one")), 1U);
  resource = find_resource(db(), account, "mi-1").value().value();
  EXPECT_EQ(resource.coverage_reason, "PENDING_INITIAL_SCAN");
}

TEST_P(AgentsTest, HeartbeatsMoveTheAgentAndWhatItConfirmed) {
  add("a1", "mi-1");
  add("a2", "mi-2");
  put(inventory("mi-1", 1, "one"));
  put(inventory("mi-2", 1, "two"));
  const AgentSeen seen[] = {
      {"a1", resource_id(account, "mi-1"), today + 60, today + 60},
      {"a2", resource_id(account, "mi-2"), today + 61, 0},
  };
  ASSERT_TRUE(note_agents_seen(db(), seen));
  EXPECT_EQ(get("a1").seen, today + 60);
  EXPECT_EQ(get("a2").seen, today + 61);
  EXPECT_EQ(find_resource(db(), account, "mi-1").value()->seen, today + 60);
  EXPECT_EQ(find_resource(db(), account, "mi-2").value()->seen, today + 1);
}

TEST_P(AgentsTest, CommandsAreSentOnceAndUntilTheirEnd) {
  add("a1", "mi-1");
  ASSERT_TRUE(add_command(db(), {"c1", "a1", "collect", today, today + 60}));
  ASSERT_TRUE(add_command(db(), {"c2", "a1", "renew", today + 1, today + 10}));
  EXPECT_EQ(waiting_commands(db(), "a1", today).value().size(), 2U);
  EXPECT_EQ(waiting_commands(db(), "a1", today + 10).value().front().id, "c1");
  EXPECT_EQ(waiting_commands(db(), today, 10).value().size(), 2U);
  EXPECT_TRUE(mark_sent(db(), "c1", today).value());
  EXPECT_FALSE(mark_sent(db(), "c1", today).value());
  EXPECT_TRUE(waiting_commands(db(), "a1", today + 10).value().empty());
}

TEST_P(AgentsTest, UpdatesAreOfOneReleaseAndEndWithTheAgent) {
  add("a1", "mi-1");
  add("a2", "mi-2");
  EXPECT_FALSE(find_update(db(), "a1").value());
  ASSERT_TRUE(ask_for_update(db(), "a1", "0.2.0", today));
  ASSERT_TRUE(change_update(db(), "a1", "0.1.0", UpdateState::failed, "late", today + 1));
  EXPECT_EQ(find_update(db(), "a1").value()->state, UpdateState::waiting);
  ASSERT_TRUE(change_update(db(), "a1", "0.2.0", UpdateState::failed, "no room", today + 2));
  const auto failed = find_update(db(), "a1").value().value();
  EXPECT_EQ(failed.message, "no room");
  EXPECT_EQ(failed.changed, today + 2);
  EXPECT_EQ(shown_state(failed, "0.1.0"), "failed");
  EXPECT_EQ(shown_state(failed, "0.2.0"), "updated");
  EXPECT_EQ(list_updates(db(), account, "", "mi-2").value().size(), 1U);
  EXPECT_TRUE(list_updates(db(), account, "mi-1", "mi-2").value().empty());
  EXPECT_TRUE(list_updates(db(), "999988887777", "", "mi-2").value().empty());
  // Asked again, the fault is of the past.
  ASSERT_TRUE(ask_for_update(db(), "a1", "0.3.0", today + 3));
  EXPECT_EQ(find_update(db(), "a1").value()->message, "");
  EXPECT_TRUE(end_agent(db(), "a1", AgentStatus::retired, today).value());
  EXPECT_EQ(prune_agents(db(), today + 5).value(), 1);
  EXPECT_FALSE(find_update(db(), "a1").value());
}

TEST_P(AgentsTest, AreCountedAndForgotten) {
  add("a1", "mi-1");
  add("a2", "mi-2");
  add("a3", "mi-3");
  EXPECT_TRUE(end_agent(db(), "a2", AgentStatus::retired, today).value());
  EXPECT_FALSE(end_agent(db(), "a2", AgentStatus::revoked, today).value());
  EXPECT_TRUE(end_agent(db(), "a3", AgentStatus::revoked, today + 10).value());
  const auto ended = ended_agents(db(), today, 10).value();
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].agent, "a3");
  EXPECT_EQ(ended[0].ended, today + 10);
  EXPECT_EQ(ended_agents(db(), today + 1, 10).value().size(), 1U);
  EXPECT_EQ(ended_agents(db(), today, 1).value().size(), 1U);
  const auto counts = count_agents(db(), today).value();
  EXPECT_EQ(counts.active, 1);
  EXPECT_EQ(counts.retired, 1);
  EXPECT_EQ(counts.revoked, 1);
  EXPECT_EQ(counts.seen, 1);
  EXPECT_EQ(count_agents(db(), today + 1).value().seen, 0);
  EXPECT_EQ(prune_agents(db(), today + 5).value(), 1);
  EXPECT_FALSE(find_agent(db(), account, "a2").value());
}

TEST_P(AgentsTest, AResourceHasOneOwner) {
  const auto owner = [&](std::string_view resource) {
    return owner_of(db(), account, resource).value();
  };
  EXPECT_TRUE(owner("i-1").nobody());
  auto agent = add("a1", "i-1");
  EXPECT_EQ(owner("i-1").agent->id, "a1");
  EXPECT_TRUE(end_agent(db(), "a1", AgentStatus::revoked, today).value());
  EXPECT_EQ(shown(owner("i-1")), "agent a1 (web-1)") << "a revoked agent's is not free";
  agent.status = AgentStatus::retired;
  ASSERT_TRUE(replace_agent(db(), agent));
  EXPECT_TRUE(owner("i-1").nobody());
  ASSERT_EQ(put(inventory("i-1", 1, "text")), 1U);
  EXPECT_TRUE(owner("i-1").other_inventory) << "somebody reports of it since";
  EXPECT_TRUE(owner_of(db(), "444455556666", "i-1").value().nobody());
  ASSERT_TRUE(terminate_resource(db(), resource_id(account, "i-1"), today).value());
  EXPECT_TRUE(owner("i-1").nobody());
  ASSERT_TRUE(put_resource_without_inventory(
      db(), {.account = std::string(account), .external_id = "i-2"}, today));
  EXPECT_TRUE(owner("i-2").nobody()) << "it is only expected";
  CollectTarget target{.account = std::string(account), .host = "root@db"};
  ASSERT_TRUE(add_collect_target(db(), target));
  ASSERT_TRUE(lease_collect_target(db(), "node", today, 60).value());
  ASSERT_TRUE(claim_resource(db(), target, "node", "i-2"));
  EXPECT_EQ(owner("i-2").target, "root@db");
}

}  // namespace
}  // namespace tenken::store
