// Agents and their last reports, on both engines.
#include "store/agents.h"

#include <algorithm>
#include <chrono>
#include <future>

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
  const auto fresh = add("a1", "mi-1");
  EXPECT_TRUE(change_session(db(), fresh, "s1", "0.1", today).value());
  EXPECT_FALSE(change_session(db(), fresh, "s2", "0.1", today).value());
  EXPECT_TRUE(change_session(db(), get("a1"), "s2", "0.2", today + 1).value());
  EXPECT_TRUE(was_replaced(get("a1"), "s1"));
  EXPECT_FALSE(was_replaced(get("a1"), "s2"));
  EXPECT_EQ(get("a1").session, "s2");
  EXPECT_EQ(get("a1").version, "0.2");
}

TEST_P(AgentsTest, ASessionThatComesAgainStaysKnown) {
  add("a1", "mi-1");
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(change_session(db(), get("a1"), std::to_string(i), "0.1", today).value());
    if (i % 10 == 1) ASSERT_TRUE(refuse_session(db(), get("a1"), "0", today + i));
  }
  EXPECT_TRUE(was_replaced(get("a1"), "0"));
  EXPECT_TRUE(was_replaced(get("a1"), "38"));
  EXPECT_FALSE(was_replaced(get("a1"), "1"));
  EXPECT_EQ(get("a1").clone_seen, today + 31);
  // A process begins while it is refused.
  const auto read = get("a1");
  ASSERT_TRUE(change_session(db(), read, "40", "0.1", today).value());
  ASSERT_TRUE(refuse_session(db(), read, "0", today + 50));
  EXPECT_TRUE(was_replaced(get("a1"), "39"));
  EXPECT_EQ(get("a1").clone_seen, today + 50);
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

// As a batch of reports and a node's heartbeats, both at once.
TEST(AgentLocks, HeartbeatsLockInTheOrderOfReports) {
  NEED_ENGINE(sql::Engine::postgresql);
  const test::TestDatabase database(sql::Engine::postgresql);
  auto location = database.location();
  location.lock_wait_ms = 20'000;
  const auto reports = sql::open(location).value();
  const auto heartbeats = sql::open(location).value();
  const auto watch = sql::open(location).value();
  ASSERT_TRUE(migrate(*reports));
  // The agent of the first resource has the last id.
  std::vector<std::pair<ResourceId, std::string>> resources;
  for (const auto* name : {"mi-1", "mi-2"})
    resources.emplace_back(resource_id(account, name), name);
  std::ranges::sort(resources);
  const std::string ids[] = {"a2", "a1"};
  std::vector<AgentSeen> seen;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    ASSERT_TRUE(insert_agent(
        *reports,
        {.id = ids[i], .account = std::string(account), .resource = resources[i].second}));
    seen.push_back({ids[i], resources[i].first, today, today});
  }
  std::ranges::sort(seen, {}, &AgentSeen::agent);
  const auto put = [&](std::size_t i) {
    const auto written = put_report(*reports, resources[i].first,
                                    {.agent = ids[i], .sequence = 1, .digest = "d"}, today);
    ASSERT_TRUE(written) << written.error().what;
  };
  auto transaction = sql::Transaction::begin(*reports, sql::Transaction::Mode::write);
  ASSERT_TRUE(transaction);
  put(0);
  auto noted = std::async(std::launch::async, [&] { return note_agents_seen(*heartbeats, seen); });
  const auto waits = [&] {
    return watch
        ->one_integer(
            "SELECT COUNT(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'")
        .value();
  };
  while (waits() == 0 &&
         noted.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
  }
  put(1);
  ASSERT_TRUE(transaction->commit());
  const auto done = noted.get();
  EXPECT_TRUE(done) << done.error().what;
}

TEST_P(AgentsTest, WhatIsInForceIsTheLastReportAndTheInventory) {
  add("a1", "mi-1");
  const auto id = resource_id(account, "mi-1");
  const auto in_force = [&](std::string_view digest) {
    return is_in_force(db(), id, digest, today).value();
  };
  EXPECT_FALSE(in_force("d-one"));
  put(inventory("mi-1", 1, "one"));
  EXPECT_TRUE(in_force("d-one"));
  EXPECT_FALSE(in_force("d-two"));
  auto other = inventory("mi-1", 2, "two");
  other.report.reset();
  put(other);
  EXPECT_FALSE(in_force("d-one"));
  EXPECT_FALSE(in_force("d-two"));
  put(inventory("mi-1", 3, "one"));
  EXPECT_TRUE(in_force("d-one"));
  ASSERT_TRUE(terminate_resource(db(), id, today).value());
  EXPECT_FALSE(in_force("d-one"));
  ASSERT_TRUE(expect_reports(db(), id, "a1", today));
  EXPECT_FALSE(in_force(""));
}

TEST_P(AgentsTest, CommandsAreSentUntilTheyAreDoneOrEnd) {
  add("a1", "mi-1");
  ASSERT_TRUE(add_command(db(), {"c1", "a1", "collect", today, today + 5'000}));
  ASSERT_TRUE(add_command(db(), {"c2", "a1", "renew", today + 1, today + 10}));
  EXPECT_EQ(waiting_commands(db(), "a1", today).value().size(), 2U);
  EXPECT_EQ(waiting_commands(db(), "a1", today + 10).value().front().id, "c1");
  EXPECT_EQ(waiting_commands(db(), today, 10).value().size(), 2U);
  const auto fresh = waiting_commands(db(), "a1", today).value().front();
  EXPECT_TRUE(mark_sent(db(), fresh, today).value());
  EXPECT_FALSE(mark_sent(db(), fresh, today).value());
  EXPECT_EQ(waiting_commands(db(), today, 10).value().size(), 1U);
  EXPECT_TRUE(waiting_commands(db(), "a1", today + 899).value().empty());
  // Perhaps the answer was lost.
  const auto again = waiting_commands(db(), "a1", today + 900).value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again.front().id, "c1");
  EXPECT_TRUE(mark_sent(db(), again.front(), today + 900).value());
  EXPECT_FALSE(mark_sent(db(), again.front(), today + 900).value());
  EXPECT_TRUE(waiting_commands(db(), "a1", today + 1'799).value().empty());
  EXPECT_EQ(waiting_commands(db(), "a1", today + 1'800).value().size(), 1U);
  ASSERT_TRUE(end_commands(db(), "a1", "collect"));
  EXPECT_TRUE(waiting_commands(db(), "a1", today + 1'800).value().empty());
  // What was not sent is not done, and gives way to the next of its kind.
  ASSERT_TRUE(add_command(db(), {"c3", "a1", "collect", today, today + 5'000}));
  ASSERT_TRUE(end_commands(db(), "a1", "collect"));
  EXPECT_EQ(waiting_commands(db(), "a1", today + 10).value().front().id, "c3");
  ASSERT_TRUE(add_command(db(), {"c4", "a1", "collect", today, today + 5'000}));
  EXPECT_EQ(waiting_commands(db(), "a1", today + 10).value().size(), 1U);
  EXPECT_EQ(waiting_commands(db(), "a1", today + 10).value().front().id, "c4");
}

TEST_P(AgentsTest, UpdatesAreOfOneReleaseAndEndWithTheAgent) {
  add("a1", "mi-1");
  add("a2", "mi-2");
  EXPECT_FALSE(find_update(db(), "a1").value());
  ASSERT_TRUE(ask_for_update(db(), "a1", "0.2.0", today));
  ASSERT_TRUE(change_update(db(), "a1", "0.1.0", UpdateState::failed, "late", today + 1));
  const auto waiting = find_update(db(), "a1").value().value();
  EXPECT_EQ(waiting.state, UpdateState::waiting);
  EXPECT_FALSE(is_over(waiting, today + update_ends_after - 1));
  EXPECT_TRUE(is_over(waiting, today + update_ends_after));
  ASSERT_TRUE(change_update(db(), "a1", "0.2.0", UpdateState::failed, "no room", today + 2));
  const auto failed = find_update(db(), "a1").value().value();
  EXPECT_EQ(failed.message, "no room");
  EXPECT_EQ(failed.changed, today + 2);
  EXPECT_FALSE(is_over(failed, today + update_ends_after));
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

TEST_P(AgentsTest, OneThatHasEndedChangesPlacesWithWhoTakesItsResource) {
  add("a1", "mi-1");
  add("a2", "mi-2");
  EXPECT_FALSE(move_agent(db(), get("a1"), "mi-2")) << "it is let in";
  ASSERT_TRUE(end_agent(db(), "a2", AgentStatus::retired, today).value());
  ASSERT_TRUE(move_agent(db(), get("a1"), "mi-2"));
  EXPECT_EQ(get("a1").resource, "mi-2");
  EXPECT_EQ(get("a1").wanted, "");
  EXPECT_EQ(get("a2").resource, "mi-1");
  EXPECT_EQ(get("a2").wanted, "mi-2");
  EXPECT_EQ(agents_of_machine(db(), account, "m").value().size(), 1U);
  ASSERT_TRUE(move_agent(db(), get("a1"), "mi-3"));
  EXPECT_EQ(get("a1").resource, "mi-3");
  EXPECT_EQ(get("a2").resource, "mi-1");
}

TEST_P(AgentsTest, ASessionIsReturnedToTheProcessBefore) {
  add("a1", "mi-1");
  for (const auto* session : {"1", "2", "3"})
    ASSERT_TRUE(change_session(db(), get("a1"), session, "0.1", today).value());
  const auto third = get("a1");
  ASSERT_TRUE(return_session(db(), third, today + 1));
  const auto after = get("a1");
  EXPECT_EQ(after.session, "2");
  EXPECT_EQ(after.session_at, today + 1);
  EXPECT_EQ(after.clone_seen, today + 1);
  EXPECT_TRUE(was_replaced(after, "1"));
  EXPECT_TRUE(was_replaced(after, "3"));
  EXPECT_FALSE(was_replaced(after, "2"));
  // That was a copy too.
  ASSERT_TRUE(return_session(db(), after, today + 1));
  EXPECT_EQ(get("a1").session, "1") << "not the first that was refused";
  // One that began meanwhile stays.
  ASSERT_TRUE(change_session(db(), get("a1"), "4", "0.1", today).value());
  ASSERT_TRUE(return_session(db(), third, today + 2));
  EXPECT_EQ(get("a1").session, "4");
}

TEST_P(AgentsTest, AResourceHasOneOwner) {
  const auto owner = [&](std::string_view resource) {
    return owner_of(db(), account, resource).value();
  };
  EXPECT_TRUE(owner("i-1").nobody());
  add("a1", "i-1");
  EXPECT_EQ(owner("i-1").agent->id, "a1");
  EXPECT_TRUE(end_agent(db(), "a1", AgentStatus::revoked, today).value());
  EXPECT_EQ(shown(owner("i-1")), "agent a1 (web-1)") << "a revoked agent's is not free";
  EXPECT_TRUE(end_agent(db(), "a1", AgentStatus::retired, today).value());
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
