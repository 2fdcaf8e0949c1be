// Who is let in, what agents are told, and the files they fetch.
#include <filesystem>
#include <fstream>

#include "api/agents/agents_fixture.h"
#include "crypto/ed25519.h"

namespace tenken::api::agents {
namespace {

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
  second.session = "x";
  EXPECT_EQ(poll(second).status, 400);
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

TEST_F(AgentsTest, ACommandIsSignedAndSentOnce) {
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

TEST_F(AgentsTest, AnAgentThatBelievesOtherwiseIsAskedForTheWholeOnceInAWhile) {
  const auto host = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  const auto digest = host::report_digest(lines);
  ASSERT_EQ(report_whole(host, 1, lines).status, 200);
  EXPECT_TRUE(poll(host, digest).hold);
  EXPECT_TRUE(poll(host).hold);
  const auto asked = poll(host, digest_of("x"));
  EXPECT_FALSE(asked.hold);
  EXPECT_TRUE(asked.body.contains(R"(\"command\":\"collect\")")) << asked.body;
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

TEST_F(AgentsTest, FilesAreTheDirectorysAndNoOthers) {
  std::filesystem::create_directory(scratch_ / "releases");
  std::ofstream(scratch_ / "releases/tenken-agent-x86_64") << "program";
  std::ofstream(scratch_ / "releases/tenken-agent-x86_64.sig") << "signature";
  std::ofstream(scratch_ / "secret.key") << "secret";
  EXPECT_EQ(get("/agent/release/x86_64").body, "program");
  EXPECT_EQ(get("/agent/release/x86_64.sig").body, "signature");
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
