// Who is let in, what agents are told, and the files they fetch.
#include <filesystem>
#include <fstream>

#include "api/agents/agents_fixture.h"
#include "api/agents/move.h"
#include "api/v1/v1.h"
#include "crypto/ed25519.h"
#include "crypto/random.h"
#include "store/agent_updates.h"
#include "store/inventory_query.h"

namespace tenken::api::agents {
namespace {

bool is_asked_for_whole(const http::Response& answer) {
  return answer.body.contains(R"(\"command\":\"collect\")");
}

TEST_F(AgentsTest, WhoHasNoKnownCertificateIsRefused) {
  auto host = enrolled();
  host.certificate.clear();
  EXPECT_EQ(poll(host).status, 403);
  const auto stranger = crypto::make_ca("somebody", clock_).value();
  host.certificate =
      crypto::issue_client_certificate(stranger, crypto::make_certificate_request(host.key).value(),
                                       host.agent, 30 * day, clock_)
          .value();
  EXPECT_EQ(poll(host).status, 403);
  host.certificate = "no certificate";
  EXPECT_EQ(poll(host).status, 400);
}

TEST_F(AgentsTest, AnAgentThatIsEndedIsTold) {
  const auto lines = lines_with({{"requests", "2.0"}});
  auto host = enrolled();
  ASSERT_TRUE(end(host, store::AgentStatus::revoked));
  const auto refused = report_whole(host, 1, lines);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(member(refused, "message"), "This agent was revoked: enrol it again with a new token");
  ASSERT_EQ(enrol(host, token()), 200);
  EXPECT_EQ(report_whole(host, 1, lines).status, 200);
  ASSERT_TRUE(end(host, store::AgentStatus::retired));
  EXPECT_EQ(report_whole(host, 2, lines).status, 403);
  EXPECT_EQ(post("renew", "{}", &host).status, 403);
}

TEST_F(AgentsTest, ThePollOfAnAgentThatIsEndedEndsAtOnce) {
  auto first = enrolled();
  auto second = other_host();
  ASSERT_EQ(enrol(second, token()), 200);
  ASSERT_TRUE(poll(first).hold);
  ASSERT_TRUE(poll(second).hold);
  EXPECT_TRUE(door_->polls_to_wake().value().empty());
  for (const auto& [host, status] : {std::pair(&first, store::AgentStatus::revoked),
                                     std::pair(&second, store::AgentStatus::retired)}) {
    ASSERT_TRUE(end(*host, status));
    EXPECT_EQ(door_->polls_to_wake().value(), std::vector<std::string>{"agent:" + host->agent});
    EXPECT_TRUE(door_->polls_to_wake().value().empty());
    held_ = true;
    const auto answer = poll(*host);
    held_ = false;
    EXPECT_EQ(answer.status, 403);
    EXPECT_FALSE(answer.hold);
  }
  // Let in again and ended again is news again.
  ASSERT_EQ(enrol(first, token()), 200);
  clock_ += 1;
  ASSERT_TRUE(end(first, store::AgentStatus::retired));
  EXPECT_EQ(door_->polls_to_wake().value(), std::vector<std::string>{"agent:" + first.agent});
  clock_ += 301;
  EXPECT_TRUE(door_->polls_to_wake().value().empty());
}

TEST_F(AgentsTest, AnAgentWhoseResourceAnotherTookIsToldSo) {
  const auto host = enrolled();
  auto other = other_host();
  ASSERT_EQ(enrol(other, token()), 200);
  ASSERT_TRUE(poll(other).hold);
  const auto mover = agent(host);
  {
    auto connection = pool_->lease();
    auto transaction = sql::Transaction::begin(**connection, sql::Transaction::Mode::write);
    ASSERT_TRUE(take_resource(**connection, mover, other.resource, clock_));
    ASSERT_TRUE(transaction->commit());
  }
  EXPECT_EQ(agent(host).resource, other.resource);
  EXPECT_EQ(agent(other).status, store::AgentStatus::retired);
  EXPECT_EQ(agent(other).resource, host.resource);
  EXPECT_EQ(door_->polls_to_wake().value(), std::vector<std::string>{"agent:" + other.agent});
  held_ = true;
  const auto answer = poll(other);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(member(answer, "message"),
            fmt::format("This agent was retired, for {} is that of another: enrol it again with a "
                        "new token",
                        other.resource));
  held_ = false;
  EXPECT_TRUE(poll(host).hold);
  // Enrolled again it is neither.
  auto again = other;
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_NE(again.resource, host.resource);
  EXPECT_EQ(agent(again).wanted, other.resource);
}

TEST_F(AgentsTest, TheAgentsOfARevokedAccountAreNotLetIn) {
  const auto host = enrolled();
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(access::revoke_account(**connection, own_account, clock_));
  }
  EXPECT_EQ(poll(host).status, 403);
}

TEST_F(AgentsTest, ACertificateEndsByTheServersClock) {
  const auto host = enrolled();
  clock_ += 30 * day - 1;
  EXPECT_TRUE(poll(host).hold);
  clock_ += 1;
  EXPECT_EQ(poll(host).status, 403);
}

TEST_F(AgentsTest, ARenewedCertificateReplacesTheOldOneWhenItIsUsed) {
  const auto old = enrolled();
  clock_ += 20 * day;
  auto renewed = old;
  renewed.key = crypto::make_key().value();
  json::Writer body;
  body.begin_object().member("request", crypto::make_certificate_request(renewed.key).value());
  const auto response = post("renew", body.end_object().take(), &old);
  ASSERT_EQ(response.status, 200) << response.body;
  renewed.certificate = member(response, "certificate");
  EXPECT_TRUE(poll(old).hold);
  EXPECT_TRUE(poll(renewed).hold);
  EXPECT_EQ(poll(old).status, 403);
  EXPECT_EQ(agent(renewed).certificate_end, clock_ + 30 * day);
}

TEST_F(AgentsTest, ARenewalWithoutRequestIsRefusedAndNoted) {
  const auto host = enrolled();
  EXPECT_EQ(post("renew", R"({"request":"x"})", &host).status, 400);
  const auto noted = [this] {  // without what made the account and the token
    auto connection = pool_->lease();
    auto out = access::list_audit(**connection, own_account, {}, 100).value();
    std::erase_if(out, [](const auto& one) { return one.principal == access::command_line; });
    return out;
  };
  const auto events = noted();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].action, "tenken:RenewAgent");
  EXPECT_EQ(events[1].action, "tenken:EnrolAgent");
  EXPECT_EQ(events[1].target, host.resource);
  ASSERT_TRUE(end(host, store::AgentStatus::revoked));
  EXPECT_EQ(post("renew", "{}", &host).status, 403);
  EXPECT_EQ(noted().size(), 3U);
}

TEST_F(AgentsTest, ASessionThatWasReplacedIsASecondAgent) {
  auto first = enrolled();
  ASSERT_TRUE(poll(first).hold);
  auto second = first;
  second.session = std::string(16, '2');
  ASSERT_TRUE(poll(second).hold);
  // What was under way when the process was replaced is no second agent.
  EXPECT_EQ(poll(first).status, 503);
  EXPECT_EQ(agent(first).clone_seen, 0);
  // Whoever comes again is one.
  clock_ += 16;
  const auto refused = poll(first);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(member(refused, "need"), "");
  EXPECT_NE(member(refused, "message"), "");
  EXPECT_EQ(agent(first).clone_seen, clock_);
  EXPECT_TRUE(poll(second).hold);
  // And stays one, however often the other begins anew: an update does so twice.
  for (const char digit : {'3', '4'}) {
    second.session = std::string(16, digit);
    EXPECT_TRUE(poll(second).hold);
  }
  clock_ += 3'000;
  EXPECT_TRUE(poll(second).hold);
  ASSERT_TRUE(door_->write_seen());
  clock_ += 3'000;
  EXPECT_EQ(poll(first).status, 409);
  EXPECT_EQ(agent(first).clone_seen, clock_);
  EXPECT_EQ(agent(first).session, second.session);
  EXPECT_TRUE(poll(second).hold);
  ASSERT_TRUE(door_->write_seen());
  // But where the other has gone it goes on: a machine was put back with its memory.
  clock_ += 3'600;
  EXPECT_TRUE(poll(first).hold);
  EXPECT_EQ(agent(first).session, first.session);
  second.session = "x";
  EXPECT_EQ(poll(second).status, 400);
}

TEST_F(AgentsTest, ASessionThatWasReplacedTwiceBeforeItComesAgainIsASecondAgent) {
  const auto first = enrolled();
  ASSERT_TRUE(poll(first).hold);
  auto second = first;
  for (const char digit : {'2', '3'}) {
    second.session = std::string(16, digit);
    ASSERT_TRUE(poll(second).hold);
  }
  clock_ += 50;
  EXPECT_EQ(poll(first).status, 409);
  EXPECT_TRUE(poll(second).hold);
}

// A process was replaced, and the slow line of its host brings what it had sent.
TEST_F(AgentsTest, ARequestThatIsLateMarksNobody) {
  const auto first = enrolled();
  ASSERT_TRUE(poll(first).hold);
  auto second = first;
  second.session = std::string(16, '2');
  ASSERT_TRUE(poll(second).hold);
  clock_ += 60;
  for (int i = 0; i < 2; ++i)  // two that were sent behind each other
    EXPECT_EQ(poll(first).status, 409);
  EXPECT_EQ(agent(first).clone_seen, 0);
  EXPECT_TRUE(poll(second).hold);
  clock_ += 60;
  EXPECT_EQ(poll(first).status, 409);
  EXPECT_EQ(agent(first).clone_seen, clock_) << "it comes again";
  EXPECT_TRUE(poll(second).hold);
}

TEST_F(AgentsTest, APollThatIsHeldIsAnsweredThoughAnotherProcessBegan) {
  auto first = enrolled();
  const auto held = poll(first);
  ASSERT_TRUE(held.hold);
  EXPECT_EQ(held.hold->key, "agent:" + first.agent);
  EXPECT_LE(held.hold->milliseconds, 50'000);
  EXPECT_GT(held.hold->milliseconds, 40'000);
  auto second = first;
  second.session = std::string(16, '2');
  ASSERT_TRUE(poll(second).hold);
  held_ = true;
  const auto answer = poll(first);
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.hold);
  EXPECT_EQ(member(answer, "now"), std::to_string(clock_));
}

TEST_F(AgentsTest, ACommandIsSigned) {
  const auto host = enrolled();
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::add_command(
        **connection, {std::string(32, '7'), host.agent, "collect", clock_, clock_ + 60}));
  }
  EXPECT_EQ(door_->polls_to_wake().value(), std::vector<std::string>{"agent:" + host.agent});
  EXPECT_TRUE(door_->polls_to_wake().value().empty());
  const auto answer = poll(host);
  json::Parser parser;
  const auto root = parser.parse(answer.body).value();
  std::string text;
  std::string signature;
  root["commands"].for_each([&](const json::Value& one) {
    text = one["text"].string();
    signature = one["signature"].string();
  });
  EXPECT_EQ(text, fmt::format(R"({{"id":"{}","agentId":"{}","command":"collect","issued":{},)"
                              R"("expires":{}}})",
                              std::string(32, '7'), host.agent, clock_, clock_ + 60));
  EXPECT_TRUE(crypto::ed25519_verify(crypto::ed25519_public_key(seed_).value(), text,
                                     crypto::from_base64(signature).value()));
  EXPECT_TRUE(poll(host).hold);
}

// Its answer may be lost on the way.
TEST_F(AgentsTest, ACommandIsSentAgainUntilItIsDone) {
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto tell = [&](const std::string& command) {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::add_command(**connection, {crypto::to_hex(crypto::random_bytes(16)),
                                                  host.agent, command, clock_, clock_ + day}));
  };
  const auto expect_twice = [&](const std::string& command) {
    for (int i = 0; i < 2; ++i) {
      const auto answer = poll(host);
      EXPECT_TRUE(answer.body.contains(fmt::format(R"(\"command\":\"{}\")", command)))
          << answer.body;
      EXPECT_TRUE(poll(host).hold);
      clock_ += 900;
    }
  };
  tell("collect");
  expect_twice("collect");
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  EXPECT_TRUE(poll(host, host::report_digest(lines)).hold);

  tell("renew");
  expect_twice("renew");
  auto renewed = host;
  renewed.key = crypto::make_key().value();
  json::Writer body;
  body.begin_object().member("request", crypto::make_certificate_request(renewed.key).value());
  const auto response = post("renew", body.end_object().take(), &host);
  ASSERT_EQ(response.status, 200) << response.body;
  renewed.certificate = member(response, "certificate");
  EXPECT_TRUE(poll(renewed).hold);
}

TEST_F(AgentsTest, AnUpdateIsSentAgainUntilTheAgentSaysWhatCameOfIt) {
  const auto host = enrolled();
  std::filesystem::create_directories(scratch_ / "releases/0.2.0");
  std::ofstream(scratch_ / "releases/0.2.0/tenken-agent-x86_64") << "program";
  std::ofstream(scratch_ / "releases/0.2.0/tenken-agent-x86_64.sig") << "signature";
  const auto ask = [&] {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::ask_for_update(**connection, host.agent, "0.2.0", clock_));
    ASSERT_TRUE(store::add_command(**connection, {crypto::to_hex(crypto::random_bytes(16)),
                                                  host.agent, "update", clock_, clock_ + day}));
  };
  const auto poll_with = [&](const char* name, const char* value) {
    return post("poll", "", &host, {{name, value}});
  };
  const auto is_update = [](const http::Response& answer) {
    return answer.body.contains(R"(\"command\":\"update\")");
  };
  ask();
  EXPECT_TRUE(is_update(poll(host)));
  EXPECT_TRUE(poll(host).hold);
  clock_ += 900;
  EXPECT_TRUE(is_update(poll(host)));
  clock_ += 900;
  EXPECT_TRUE(poll_with("Tenken-Update", "0.2.0 no room").hold);
  clock_ += 900;
  EXPECT_TRUE(poll(host).hold);
  // Asked anew it tells of the earlier fault until it is told.
  ask();
  EXPECT_TRUE(is_update(poll_with("Tenken-Update", "0.2.0 no room")));
  clock_ += 900;
  EXPECT_TRUE(poll_with("Tenken-Version", "0.2.0").hold);
}

TEST_F(AgentsTest, AResourceThatWasRetiredIsBackWhenItsAgentSpeaks) {
  use_advisories({{"PYSEC-1", osv_advisory("PYSEC-1", "requests", "3.0")}});
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto digest = host::report_digest(lines);
  const auto ask = [&](const std::string& method, const std::string& target) {
    return v1::answer({.method = method, .target = target}, who_, services_).response;
  };
  const auto is_active = [&] {
    evaluate();
    return ask("GET", fmt::format("/v1/findings?resource={}&status=ACTIVE", host.resource))
        .body.contains("PYSEC-1");
  };
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  EXPECT_TRUE(is_active());
  EXPECT_TRUE(poll(host, digest).hold);
  clock_ += 60;
  ASSERT_EQ(ask("DELETE", "/v1/resources/" + host.resource).status, 200);
  EXPECT_FALSE(is_active());
  EXPECT_EQ(resource(host)->coverage_reason, "RESOURCE_TERMINATED");
  clock_ += 60;
  EXPECT_TRUE(is_asked_for_whole(poll(host, digest)));
  ASSERT_TRUE(door_->write_seen());
  EXPECT_LT(resource(host)->seen, clock_);
  ASSERT_EQ(report_whole(host, 2, lines).status, 200);
  EXPECT_TRUE(is_active());
  EXPECT_EQ(resource(host)->coverage_status, "ACTIVE");
  EXPECT_TRUE(poll(host, digest).hold);
}

TEST_F(AgentsTest, AnInventoryThatSomebodyElseHasPutIsNotConfirmed) {
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto digest = host::report_digest(lines);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  put_with_key(host.resource);
  clock_ += 60;
  EXPECT_TRUE(is_asked_for_whole(poll(host, digest)));
  ASSERT_TRUE(door_->write_seen());
  EXPECT_LT(resource(host)->seen, clock_);
  ASSERT_EQ(report_whole(host, 2, lines).status, 200);
  EXPECT_EQ(resource(host)->inventory_digest, digest);
  EXPECT_TRUE(poll(host, digest).hold);
}

TEST_F(AgentsTest, WhatRanIsNotKeptByAnAgentThatDoesNotSeeIt) {
  const auto lines_of = [](const std::string& version, HostFacts facts) {
    host::HostReport out{.inventory = {.databases_read = 1}, .facts = std::move(facts)};
    out.inventory.target = Inventory::Target::host;
    out.inventory.packages.push_back({.ecosystem = "Debian",
                                      .release = "12",
                                      .kind = "deb",
                                      .name = "libssl3",
                                      .version = version});
    out.facts.kernel = "6.1";
    return host::report_lines(out);
  };
  const auto host = enrolled();
  const auto running = [&] {
    auto connection = pool_->lease();
    const auto all = store::installed_versions(
                         **connection, store::resource_id(own_account, host.resource), {-1}, 10)
                         .value();
    return std::ranges::count_if(all, [](const auto& one) { return !one.running.empty(); });
  };
  HostFacts seen;
  seen.outdated = {{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"}};
  HostFacts blind;
  blind.skips = {{.file = "proc", .record = "processes", .reason = "not permitted"}};
  const auto lines = lines_of("2.0", blind);
  const auto digest = host::report_digest(lines);
  ASSERT_EQ(report_whole(host, 1, lines_of("1.0", {})).status, 200);
  ASSERT_EQ(report_whole(host, 2, lines_of("2.0", seen)).status, 200);
  clock_ += day;
  ASSERT_EQ(report_whole(host, 3, lines).status, 200);
  EXPECT_EQ(running(), 1);
  clock_ += 5 * day;
  EXPECT_TRUE(poll(host, digest).hold);
  clock_ += 3 * day;
  EXPECT_TRUE(is_asked_for_whole(poll(host, digest)));
  ASSERT_EQ(report_whole(host, 4, lines).status, 200);
  EXPECT_EQ(running(), 0);
}

TEST_F(AgentsTest, AnAgentThatBelievesOtherwiseIsAskedForTheWholeOnceInAWhile) {
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto digest = host::report_digest(lines);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  EXPECT_TRUE(poll(host, digest).hold);
  EXPECT_TRUE(poll(host).hold);
  const auto asked = poll(host, digest_of("x"));
  EXPECT_FALSE(asked.hold);
  EXPECT_TRUE(is_asked_for_whole(asked)) << asked.body;
  EXPECT_TRUE(poll(host, digest_of("x")).hold);
  clock_ += 60;
  EXPECT_FALSE(poll(host, digest_of("x")).hold);
}

TEST_F(AgentsTest, HeartbeatsAreWrittenTogether) {
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  clock_ += 8 * day;
  ASSERT_TRUE(poll(host, host::report_digest(lines)).hold);
  EXPECT_EQ(agent(host).seen, clock_ - 8 * day);
  ASSERT_TRUE(door_->write_seen());
  EXPECT_EQ(agent(host).seen, clock_);
  EXPECT_EQ(resource(host)->seen, clock_);
}

TEST_F(AgentsTest, StrangersCannotMakeTheServerHoldMuch) {
  http::Request head{.method = "POST", .target = "/agent/report"};
  EXPECT_EQ(AgentDoor::body_limit(head), 64U * 1024);
  head.client_certificate = "x";
  EXPECT_EQ(AgentDoor::body_limit(head), std::size_t{32} << 20);
  head.target = "/agent/enrol";
  EXPECT_EQ(AgentDoor::body_limit(head), 64U * 1024);
}

// However many read it slowly, it is in memory once.
TEST_F(AgentsTest, AProgramIsSharedByAllWhoFetchIt) {
  const auto file = scratch_ / "releases/tenken-agent-x86_64";
  std::filesystem::create_directory(scratch_ / "releases");
  std::ofstream(file) << "program";
  const auto first = get("/agent/release/x86_64");
  ASSERT_NE(first.shared_body, nullptr);
  EXPECT_EQ(get("/agent/release/x86_64").shared_body, first.shared_body);
  std::ofstream(file) << "a newer one";
  EXPECT_EQ(get("/agent/release/x86_64").content(), "a newer one");
  EXPECT_EQ(first.content(), "program");
}

TEST_F(AgentsTest, FilesAreTheDirectorysAndNoOthers) {
  std::filesystem::create_directory(scratch_ / "releases");
  std::ofstream(scratch_ / "releases/tenken-agent-x86_64") << "program";
  std::ofstream(scratch_ / "releases/tenken-agent-x86_64.sig") << "signature";
  std::ofstream(scratch_ / "secret.key") << "secret";
  EXPECT_EQ(get("/agent/release/x86_64").content(), "program");
  EXPECT_EQ(get("/agent/release/x86_64.sig").content(), "signature");
  EXPECT_EQ(get("/agent/ca.pem").body, authority_.certificate);
  for (const auto* path :
       {"/agent/release/aarch64", "/agent/release/", "/agent/release/../secret.key",
        "/agent/release/x86_64/../../../secret.key", "/agent/release/%2e%2e%2fsecret.key",
        "/agent/release/.sig", "/agent/release/x86_64.sig.sig", "/agent/", "/agent/secret.key"})
    EXPECT_EQ(get(path).status, 404) << path;
  EXPECT_EQ(get("/agent/enrol").status, 405);
  EXPECT_EQ(post("ca.pem", "").status, 405);
}

}  // namespace
}  // namespace tenken::api::agents
