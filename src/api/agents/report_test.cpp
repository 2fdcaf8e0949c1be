// What agents report, whole and by its changes.
#include <algorithm>
#include <functional>

#include "api/agents/agents_fixture.h"
#include "api/agents/move.h"
#include "api/v1/v1.h"

namespace tenken::api::agents {
namespace {

TEST_F(AgentsTest, AReportIsTheResourcesInventory) {
  auto host = Host();
  ASSERT_EQ(enrol(host, token(1, {{"env", "prod"}})), 200);
  const auto lines = lines_with({{"requests", "2.0"}, {"flask", "1.0"}});
  const auto response = report_whole(host, 1, lines);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(member(response, "sequence"), "1");
  EXPECT_EQ(member(response, "digest"), host::report_digest(lines));
  EXPECT_EQ(stored_text(host), text_of(lines));
  EXPECT_EQ(resource(host)->packages, 2);
  EXPECT_EQ(resource(host)->tags, R"({"env":"prod"})");
  EXPECT_EQ(resource(host)->coverage_reason, "PENDING_INITIAL_SCAN");
  EXPECT_EQ(agent(host).reported, clock_);
}

TEST_F(AgentsTest, WhatAnAgentSaidIsShown) {
  const auto host = enrolled();
  const auto ask = [&](const std::string& target) {
    return v1::answer({.method = "GET", .target = target}, who_, services_).response;
  };
  const auto facts = "/v1/resources/" + host.resource + "/facts";
  EXPECT_EQ(ask(facts).status, 404);
  EXPECT_TRUE(ask("/v1/agents").body.contains(R"("health":"never_reported")"));
  ASSERT_EQ(report_whole(host, 1, lines_with({{"requests", "2.0"}})).status, 200);
  const auto shown = ask(facts);
  EXPECT_TRUE(shown.body.contains(R"("host":[{"k":"host",)")) << shown.body;
  EXPECT_FALSE(shown.body.contains(R"("package":)")) << shown.body;
  EXPECT_TRUE(ask(facts + "?kind=package").body.contains(R"("name":"requests")"));
  EXPECT_TRUE(ask("/v1/agents").body.contains(R"("health":"healthy")"));
  clock_ += 300;
  EXPECT_TRUE(ask("/v1/agents").body.contains(R"("health":"silent")"));
  become(second_account);
  EXPECT_EQ(ask(facts).status, 404);
  EXPECT_TRUE(ask("/v1/agents").body.contains(R"("agents":[])"));
}

TEST_F(AgentsTest, AChangeCostsAChange) {
  const auto host = enrolled();
  const auto before = lines_with({{"requests", "2.0"}, {"flask", "1.0"}});
  const auto after = lines_with({{"requests", "2.1"}, {"flask", "1.0"}});
  ASSERT_EQ(report_whole(host, 1, before).status, 200);
  const auto body = delta_body(before, after);
  EXPECT_EQ(std::ranges::count(body, '\n'), 2);
  const auto response =
      report(host, 2, body, host::report_digest(after), host::report_digest(before));
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(stored_text(host), text_of(after));
  EXPECT_EQ(resource(host)->inventory_digest, host::report_digest(after));
}

TEST_F(AgentsTest, AReportThatComesAgainChangesNothing) {
  const auto host = enrolled();
  const auto first = lines_with({{"requests", "2.0"}});
  const auto second = lines_with({{"requests", "2.1"}});
  ASSERT_EQ(report_whole(host, 1, first).status, 200);
  ASSERT_EQ(report_whole(host, 2, second).status, 200);
  for (const auto& again : {report_whole(host, 2, second), report_whole(host, 1, first)}) {
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(member(again, "sequence"), "2");
    EXPECT_EQ(member(again, "digest"), host::report_digest(second));
  }
  EXPECT_EQ(agent(host).clone_seen, 0);
  EXPECT_EQ(stored_text(host), text_of(second));
}

// Under cron each run is a session of its own: a copy of the state is known by what it counts.
TEST_F(AgentsTest, ACopyOfTheStateIsRefusedWhileTheOtherGoesOn) {
  auto host = enrolled();
  const auto base = lines_with({{"requests", "2.0"}});
  const auto here = lines_with({{"requests", "2.1"}});
  const auto there = lines_with({{"requests", "2.2"}});
  ASSERT_EQ(report_whole(host, 1, base).status, 200);
  auto copy = host;
  const auto next_run = [](Host& one) { one.session = digest_of(one.session).substr(0, 16); };
  ASSERT_EQ(
      report(host, 2, delta_body(base, here), host::report_digest(here), host::report_digest(base))
          .status,
      200);
  for (int round = 1; round <= 3; ++round) {
    clock_ += 240;
    copy.session = std::string(16, static_cast<char>('a' + round));
    const auto refused = round == 1 ? report(copy, 2, delta_body(base, there),
                                             host::report_digest(there), host::report_digest(base))
                                    : report_whole(copy, 2, there);
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(member(refused, "need"), "");
    EXPECT_TRUE(member(refused, "message").contains("Remove the state")) << refused.body;
    EXPECT_EQ(agent(host).clone_seen, clock_);
    EXPECT_EQ(stored_text(host), text_of(here));
    next_run(host);
    EXPECT_TRUE(poll(host, host::report_digest(here)).hold);
    ASSERT_TRUE(door_->write_seen());
  }
  // What the state counts was put back, and nobody goes on from the last report: this is the host.
  clock_ += 3'600;
  copy.session = std::string(16, '9');
  const auto answer = report_whole(copy, 2, there);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(member(answer, "digest"), host::report_digest(here));
  EXPECT_EQ(report_whole(copy, 3, there).status, 200);
  EXPECT_EQ(stored_text(copy), text_of(there));
}

// A machine that was copied with its memory: two processes, and one session.
TEST_F(AgentsTest, ACopyOfARunningProcessIsRefused) {
  const auto host = enrolled();
  const auto& copy = host;
  const auto base = lines_with({{"requests", "2.0"}});
  const auto here = lines_with({{"requests", "2.1"}});
  const auto there = lines_with({{"requests", "2.2"}});
  const auto change = [&](const Host& one, std::int64_t sequence, const auto& from,
                          const auto& to) {
    return report(one, sequence, delta_body(from, to), host::report_digest(to),
                  host::report_digest(from));
  };
  ASSERT_EQ(report_whole(host, 1, base).status, 200);
  clock_ += 60;
  ASSERT_EQ(change(host, 2, base, here).status, 200);
  const auto expect_refused = [&](const http::Response& answer) {
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(member(answer, "need"), "");
    EXPECT_TRUE(member(answer, "message").contains("Remove the state")) << answer.body;
    EXPECT_EQ(stored_text(host), text_of(here));
  };
  expect_refused(change(copy, 2, base, there));
  EXPECT_EQ(agent(host).clone_seen, clock_);
  expect_refused(report_whole(copy, 1, there));
  clock_ += 60;
  // Neither is it asked for the whole, by which it would take the other's place.
  expect_refused(poll(copy, host::report_digest(base)));
  expect_refused(change(copy, 3, base, there));
  EXPECT_TRUE(poll(host, host::report_digest(here)).hold);
  ASSERT_EQ(change(host, 3, here, base).status, 200);
  // Until nobody goes on from the last report.
  clock_ += 3'600;
  EXPECT_FALSE(poll(copy, host::report_digest(there)).hold);
  EXPECT_EQ(report_whole(copy, 4, there).status, 200);
}

// The agent waited two minutes for its answer, and has sent it and the next one again since.
TEST_F(AgentsTest, AReportThatIsLateMarksNobody) {
  const auto host = enrolled();
  const auto first = lines_with({{"requests", "2.0"}});
  const auto second = lines_with({{"requests", "2.1"}});
  ASSERT_EQ(report_whole(host, 1, first).status, 200);
  ASSERT_EQ(report_whole(host, 2, second).status, 200);
  clock_ += 120;
  EXPECT_EQ(report_whole(host, 1, first).status, 409);
  EXPECT_EQ(agent(host).clone_seen, 0);
  EXPECT_EQ(stored_text(host), text_of(second));
  EXPECT_TRUE(poll(host, host::report_digest(second)).hold);
  ASSERT_EQ(report_whole(host, 3, first).status, 200);
  // Whoever comes again lives, and counts as another does.
  clock_ += 120;
  EXPECT_EQ(report_whole(host, 2, second).status, 409);
  EXPECT_EQ(agent(host).clone_seen, clock_);
}

// From a backup: it knows an earlier report, and an earlier process.
TEST_F(AgentsTest, AServerThatWasPutBackHasItsAgentsAsTheyAre) {
  for (const bool same_process : {true, false}) {
    auto host = same_process ? enrolled() : other_host();
    if (!same_process) ASSERT_EQ(enrol(host, token()), 200);
    const auto first = lines_with({{"requests", "2.0"}});
    const auto second = lines_with({{"requests", "2.1"}});
    const auto third = lines_with({{"requests", "2.2"}});
    ASSERT_EQ(report_whole(host, 1, first).status, 200);
    const auto before = agent(host);
    const auto id = store::resource_id(own_account, host.resource);
    const auto received = clock_;
    clock_ += 60;
    if (!same_process) host.session = std::string(16, '2');
    ASSERT_EQ(report_whole(host, 2, second).status, 200);
    {
      auto connection = pool_->lease();
      auto transaction = sql::Transaction::begin(**connection, sql::Transaction::Mode::write);
      ASSERT_TRUE(store::replace_agent(**connection, before));
      ASSERT_TRUE(store::expect_reports(**connection, id, host.agent, received));
      ASSERT_TRUE(store::put_report(**connection, id,
                                    {.agent = host.agent,
                                     .sequence = 1,
                                     .digest = host::report_digest(first),
                                     .packed = pack(text_of(first))},
                                    received)
                      .value());
      ASSERT_TRUE(transaction->commit());
    }
    clock_ += 60;
    const auto polled = poll(host, host::report_digest(second));
    EXPECT_TRUE(polled.body.contains("collect")) << polled.body;
    const auto answer = report(host, 3, delta_body(second, third), host::report_digest(third),
                               host::report_digest(second));
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(member(answer, "need"), "whole");
    EXPECT_EQ(member(answer, "sequence"), "1");
    ASSERT_EQ(report_whole(host, 4, third).status, 200);
    EXPECT_EQ(stored_text(host), text_of(third));
    EXPECT_TRUE(poll(host, host::report_digest(third)).hold);
    EXPECT_EQ(agent(host).clone_seen, 0);
    EXPECT_EQ(agent(host).session, host.session);
  }
}

TEST_F(AgentsTest, WhoeverEnrolsAgainIsAskedForTheWholeAtOnce) {
  auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto digest = host::report_digest(lines);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  for (int time = 0; time < 3; ++time) {
    clock_ += 5;
    ASSERT_TRUE(end(host, store::AgentStatus::retired));
    ASSERT_EQ(enrol(host, token()), 200);
    EXPECT_TRUE(poll(host, digest).body.contains("collect")) << time;
    EXPECT_FALSE(poll(host, digest).body.contains("collect")) << "once in a while";
  }
}

TEST_F(AgentsTest, WhatDoesNotFitIsAskedForWhole) {
  const auto host = enrolled();
  const auto first = lines_with({{"requests", "2.0"}});
  const auto second = lines_with({{"requests", "2.1"}});
  const auto digest = host::report_digest(second);
  const auto base = host::report_digest(first);
  const auto body = delta_body(first, second);
  // Before anything was stored.
  auto refused = report(host, 1, body, digest, base);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(member(refused, "need"), "whole");
  EXPECT_EQ(member(refused, "sequence"), "0");
  ASSERT_EQ(report_whole(host, 1, first).status, 200);
  // From another report; with a line that is not there; with another result.
  EXPECT_EQ(report(host, 2, body, digest, digest_of("x")).status, 409);
  EXPECT_EQ(report(host, 2, "-0123456789abcdef\n" + body, digest, base).status, 409);
  refused = report(host, 2, body, digest_of("x"), base);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(member(refused, "need"), "whole");
  EXPECT_EQ(member(refused, "sequence"), "1");
  EXPECT_EQ(member(refused, "digest"), base);
  EXPECT_EQ(stored_text(host), text_of(first));
}

TEST_F(AgentsTest, AReportThatIsNoneIsRefused) {
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto digest = host::report_digest(lines);
  const auto body = whole_body(lines);
  EXPECT_EQ(report(host, 1, body, digest_of("x")).status, 400);
  EXPECT_EQ(report(host, 1, body, "x").status, 400);
  EXPECT_EQ(report(host, 0, body, digest).status, 400);
  EXPECT_EQ(report(host, -1, body, digest).status, 400);
  EXPECT_EQ(report(host, 1, body, digest, "x").status, 400);
  EXPECT_EQ(report(host, 1, "no sign\n", digest).status, 400);
  EXPECT_EQ(report(host, 1, body.substr(0, body.size() - 1), digest).status, 400);
  EXPECT_EQ(report(host, 1, "-0123456789abcdef\n", digest).status, 400);
  EXPECT_EQ(report(host, 1, "", digest_of("")).status, 400);
  EXPECT_EQ(report(host, 1, "+garbage\n", digest_of("garbage\n")).status, 400);
  EXPECT_EQ(report(host, 1, "+{}\n+{\n", digest_of("{}\n{\n")).status, 400);
  EXPECT_EQ(stored_text(host), "none");
  EXPECT_EQ(report_whole(host, 1, lines).status, 200);
}

std::vector<std::string> lines_of_instance(const std::string& instance) {
  host::HostReport report{.inventory = test::python_host({{"requests", "2.0"}})};
  report.inventory.databases_read = 1;
  report.facts.kernel = "6.1";
  report.facts.cloud = {.provider = "aws", .instance_id = instance, .region = "eu-west-1"};
  return host::report_lines(report);
}

TEST_F(AgentsTest, AHostWhoseCloudAnswersLaterBecomesItsInstance) {
  auto host = enrolled();
  const auto before = lines_with({{"requests", "2.0"}});
  ASSERT_EQ(report_whole(host, 1, before).status, 200);
  const auto after = lines_of_instance("i-0123456789abcdef0");
  ASSERT_EQ(report(host, 2, delta_body(before, after), host::report_digest(after),
                   host::report_digest(before))
                .status,
            200);
  EXPECT_EQ(resource(host)->coverage_reason, "RESOURCE_TERMINATED");
  EXPECT_EQ(agent(host).resource, "i-0123456789abcdef0");
  host.resource = "i-0123456789abcdef0";
  EXPECT_EQ(resource(host)->coverage_reason, "PENDING_INITIAL_SCAN");
  EXPECT_EQ(stored_text(host), text_of(after));
  // It goes on as before, by changes, and stays what it is where its cloud is silent.
  ASSERT_EQ(report(host, 3, delta_body(after, before), host::report_digest(before),
                   host::report_digest(after))
                .status,
            200);
  EXPECT_EQ(agent(host).resource, host.resource);
  auto connection = pool_->lease();
  const auto events = access::list_audit(**connection, own_account, {}, 100).value();
  EXPECT_EQ(std::ranges::count_if(events,
                                  [&](const auto& event) {
                                    return event.action == "tenken:MoveAgent" &&
                                           event.target == host.resource;
                                  }),
            1);
}

// A golden image with the agent's state, which counts and calls itself as its host does until its
// own cloud answers.
TEST_F(AgentsTest, ACopyOfAnInstanceIsRefusedAndTheInstanceGoesOn) {
  Host host{.instance = "i-0123456789abcdef0"};
  ASSERT_EQ(enrol(host, token()), 200);
  const auto lines = lines_of_instance(host.instance);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  auto copy = host;
  copy.session = std::string(16, '2');
  auto believed = lines;
  believed.push_back(lines_with({{"flask", "1.0"}}).back());
  std::ranges::sort(believed);
  ASSERT_NE(text_of(believed), text_of(lines));
  ASSERT_EQ(report_whole(copy, 2, believed).status, 200);
  const std::string instance = "i-0fedcba9876543210";
  const auto refused = report_whole(copy, 3, lines_of_instance(instance));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(member(refused, "need"), "");
  EXPECT_TRUE(member(refused, "message")
                  .starts_with("This agent is that of i-0123456789abcdef0, and this host is "
                               "i-0fedcba9876543210"))
      << refused.body;
  EXPECT_EQ(agent(host).resource, host.resource);
  EXPECT_EQ(agent(host).clone_seen, clock_);
  const auto find = [&](const std::string& name) {
    auto connection = pool_->lease();
    return store::find_resource(**connection, own_account, name).value();
  };
  EXPECT_FALSE(find(instance));
  // The process that was replaced goes on, with the whole, and the other is the second.
  clock_ += 16;
  EXPECT_FALSE(poll(host, host::report_digest(lines)).hold);
  ASSERT_EQ(report_whole(host, 2, lines).status, 200);
  EXPECT_EQ(stored_text(host), text_of(lines));
  EXPECT_EQ(find(host.resource)->inventory_digest, host::report_digest(lines));
  EXPECT_EQ(poll(copy).status, 409);
  EXPECT_TRUE(poll(host, host::report_digest(lines)).hold);
  const auto noted = [&] {
    auto connection = pool_->lease();
    const auto events = access::list_audit(**connection, own_account, {}, 100).value();
    return std::ranges::count_if(events, [&](const auto& event) {
      return event.action == "tenken:MoveAgent" && event.target == instance &&
             event.outcome == "denied: the agent is that of i-0123456789abcdef0";
    });
  };
  EXPECT_EQ(noted(), 1);
  // Under cron each try is a new session: the log says it once.
  copy.session = std::string(16, '3');
  EXPECT_EQ(report_whole(copy, 3, lines_of_instance(instance)).status, 409);
  EXPECT_EQ(noted(), 1);
  // Enrolled anew it is what it is.
  copy = {.state = std::string(32, 'd'), .instance = instance};
  ASSERT_EQ(enrol(copy, token()), 200);
  EXPECT_EQ(copy.resource, instance);
  EXPECT_NE(copy.agent, host.agent);
}

TEST_F(AgentsTest, AnAgentIsNoOtherInstanceThanItsHostHasNamed) {
  const std::string own = "i-0123456789abcdef0";
  const std::string other = "i-0fedcba9876543210";
  put_with_key(own);
  put_with_key(other);
  const auto host = enrolled();
  const auto lines = lines_of_instance(own);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  ASSERT_EQ(agent(host).wanted, own);
  {
    auto connection = pool_->lease();
    const auto taken = take_resource(**connection, agent(host), other, clock_);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().what, "the agent's host is " + own + ", which is no other instance");
  }
  // Nor by its own word: that is a copy's.
  const auto refused = report_whole(host, 2, lines_of_instance(other));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(member(refused, "need"), "");
  EXPECT_TRUE(member(refused, "message").starts_with("This agent is that of " + own))
      << refused.body;
  EXPECT_EQ(agent(host).resource, host.resource);
  EXPECT_EQ(agent(host).wanted, own);
}

TEST_F(AgentsTest, AnAgentThatWasMovedMeanwhileIsWhatItBecame) {
  const auto host = enrolled();
  const auto before = agent(host);  // as a request has it that came then
  const std::string instance = "i-0123456789abcdef0";
  ASSERT_EQ(report_whole(host, 1, lines_of_instance(instance)).status, 200);
  http::Request request{.method = "POST", .target = "/agent/report", .id = "r"};
  request.headers.all = {{"Tenken-Session", host.session}};
  const AgentServices services{.pool = &*pool_, .clock = [this] { return clock_; }};
  Presence presence;
  access::AuditLog audit;
  const auto now_is = moved(
      {.request = request, .agent = before, .services = services, .presence = presence}, instance,
      audit);
  ASSERT_TRUE(now_is);
  EXPECT_EQ(now_is->resource, instance);
  EXPECT_EQ(agent(host).resource, instance);
  EXPECT_EQ(agent(host).status, store::AgentStatus::active);
}

TEST_F(AgentsTest, WhoNamesTheInstanceOfAnotherStaysWhatItIs) {
  auto owner = other_host();
  owner.instance = "i-0123456789abcdef0";
  ASSERT_EQ(enrol(owner, token()), 200);
  const auto host = enrolled();
  const auto lines = lines_of_instance(owner.instance);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  EXPECT_EQ(agent(host).resource, host.resource);
  EXPECT_EQ(stored_text(host), text_of(lines));
  EXPECT_EQ(agent(host).clone_seen, clock_);
  EXPECT_EQ(agent(owner).clone_seen, clock_);
  EXPECT_EQ(stored_text(owner), "none");
  // One that was retired makes room.
  ASSERT_TRUE(end(owner, store::AgentStatus::retired));
  ASSERT_EQ(report_whole(host, 2, lines).status, 200);
  EXPECT_EQ(agent(host).resource, owner.instance);
}

TEST_F(AgentsTest, WhatIsKnownOtherwiseIsNotHadByNamingIt) {
  struct Case {
    const char* whose;
    std::function<void(const std::string& instance)> own;
  };
  const Case cases[] = {
      {"put with a key", [&](const auto& instance) { put_with_key(instance); }},
      {"collected over SSH", [&](const auto& instance) { collect_as(instance); }},
      {"of a revoked agent",
       [&](const auto& instance) {
         auto owner = other_host();
         owner.instance = instance;
         ASSERT_EQ(enrol(owner, token()), 200);
         ASSERT_EQ(report_whole(owner, 1, lines_with({{"flask", "1.0"}})).status, 200);
         ASSERT_TRUE(end(owner, store::AgentStatus::revoked));
       }},
  };
  char digit = '1';
  for (const auto& one : cases) {
    const auto instance = "i-" + std::string(17, digit);
    one.own(instance);
    Host host{.machine = std::string(64, digit++)};
    ASSERT_EQ(enrol(host, token()), 200) << one.whose;
    const auto before = [&] {
      auto connection = pool_->lease();
      const auto found = store::find_resource(**connection, own_account, instance).value();
      return found ? found->inventory_digest + found->coverage_reason : "";
    };
    const auto was = before();
    const auto lines = lines_of_instance(instance);
    ASSERT_EQ(report_whole(host, 1, lines).status, 200) << one.whose;
    EXPECT_EQ(agent(host).resource, host.resource) << one.whose;
    EXPECT_EQ(agent(host).wanted, instance) << one.whose;
    EXPECT_EQ(agent(host).clone_seen, clock_) << one.whose;
    EXPECT_EQ(stored_text(host), text_of(lines)) << one.whose;
    EXPECT_EQ(before(), was) << one.whose;
    // However often it says so, the log says it once.
    ASSERT_EQ(report_whole(host, 2, lines).status, 200) << one.whose;
    auto connection = pool_->lease();
    const auto events = access::list_audit(**connection, own_account, {}, 100).value();
    EXPECT_EQ(std::ranges::count_if(events,
                                    [&](const auto& event) {
                                      return event.action == "tenken:MoveAgent" &&
                                             event.target == instance &&
                                             event.outcome.starts_with("denied: it belongs to ");
                                    }),
              1)
        << one.whose;
  }
}

TEST_F(AgentsTest, AHostThatEnrolsAgainAsAnInstanceIsNotCountedTwice) {
  auto host = enrolled();
  ASSERT_EQ(report_whole(host, 1, lines_with({{"requests", "2.0"}})).status, 200);
  const auto first = host;
  host.instance = "i-0123456789abcdef0";
  ASSERT_EQ(enrol(host, token()), 200);
  EXPECT_EQ(host.agent, first.agent);
  EXPECT_EQ(host.resource, host.instance);
  EXPECT_EQ(resource(first)->coverage_reason, "RESOURCE_TERMINATED");
  EXPECT_EQ(resource(host)->coverage_reason, "NO_INVENTORY");
}

}  // namespace
}  // namespace tenken::api::agents
