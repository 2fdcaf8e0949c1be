// What the server answers to agents, and to those who would like to be one.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "access/tokens.h"
#include "api/agents/door.h"
#include "api/api_fixture.h"
#include "api/v1/v1.h"
#include "base/compress.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "host/report.h"
#include "store/resources.h"

namespace tenken::api::agents {
namespace {

constexpr Seconds day = 86'400;

std::string digest_of(std::string_view text) {
  return crypto::to_hex(crypto::view(crypto::sha256(text)));
}

// A host as its agent speaks for it.
struct Host {
  std::string machine = std::string(64, 'a');
  std::string host_key = std::string(64, 'b');
  std::string state = std::string(32, 'c');
  std::string instance;  // of a cloud
  std::string key = crypto::make_key().value();
  std::string session = std::string(16, '1');
  std::string certificate;
  std::string agent;
  std::string resource;
  bool clone = false;
};

std::string text_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

std::vector<std::string> lines_with(const std::map<std::string, std::string>& packages) {
  host::HostReport report{.inventory = test::python_host(packages)};
  report.inventory.databases_read = 1;
  report.facts.kernel = "6.1";
  return host::report_lines(report);
}

// The body of a report: the whole, or what came and went between two.
std::string whole_body(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += "+" + line + "\n";
  return out;
}
std::string delta_body(const std::vector<std::string>& from, const std::vector<std::string>& to) {
  std::string out;
  for (const auto& line : from)
    if (std::ranges::find(to, line) == to.end()) out += "-" + host::line_name(line) + "\n";
  for (const auto& line : to)
    if (std::ranges::find(from, line) == from.end()) out += "+" + line + "\n";
  return out;
}

class AgentsTest : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::load_openssl());
    ApiTest::SetUp();
    authority_ = crypto::make_ca("tenken CA", clock_).value();
    door_.emplace(AgentServices{.pool = &*pool_,
                                .ingest = services_.ingest,
                                .clock = [this] { return clock_; },
                                .region = "us-east-1",
                                .authority = authority_,
                                .server_ca = authority_.certificate,
                                .command_seed = seed_.copy(),
                                .releases = scratch_ / "releases"},
                  [this](std::string_view, const Error& error) { faults_.push_back(error.what); });
  }
  void TearDown() override { EXPECT_TRUE(faults_.empty()) << faults_.front(); }

  std::string token(std::int64_t uses = 1, access::Tags tags = {},
                    std::string_view account = own_account) {
    auto connection = pool_->lease();
    return std::string(access::create_token(**connection,
                                            {.account = account,
                                             .made_by = "alice",
                                             .expires_at = clock_ + 3'600,
                                             .uses = uses,
                                             .tags = std::move(tags)},
                                            clock_)
                           .value()
                           .token.reveal());
  }
  static std::string enrol_body(const Host& host, std::string_view token) {
    json::Writer out;
    out.begin_object().member("token", token);
    out.member("request", crypto::make_certificate_request(host.key).value());
    out.member("hostName", "web-1").member_if("machineId", host.machine);
    out.member_if("hostKey", host.host_key).member_if("stateId", host.state);
    out.member("version", "0.1").member("architecture", "x86_64");
    if (!host.instance.empty()) {
      out.key("cloud").begin_object().member("provider", "aws");
      out.member("instanceId", host.instance).member("region", "eu-west-1").end_object();
    }
    return out.end_object().take();
  }
  http::Response post(std::string_view name, std::string body, const Host* host = nullptr,
                      std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Request request{.method = "POST",
                          .target = fmt::format("/agent/{}", name),
                          .body = std::move(body),
                          .peer = "192.0.2.1:1",
                          .id = "r"};
    if (host != nullptr) {
      request.client_certificate = host->certificate;
      headers.emplace_back("Tenken-Session", host->session);
      headers.emplace_back("Tenken-Version", "0.1");
    }
    request.headers.all = std::move(headers);
    request.held = held_;
    return door_->answer(request);
  }
  http::Response get(std::string_view path) {
    return door_->answer({.method = "GET", .target = std::string(path), .id = "r"});
  }
  static std::string member(const http::Response& response, std::string_view name) {
    json::Parser parser;
    const auto parsed = parser.parse(response.body);
    if (!parsed) return "no JSON";
    const auto value = (*parsed)[name];
    if (const auto number = value.integer()) return std::to_string(*number);
    if (const auto truth = value.boolean()) return *truth ? "true" : "false";
    return std::string(value.string());
  }
  int enrol(Host& host, std::string_view token) {
    const auto response = post("enrol", enrol_body(host, token));
    if (response.status != 200) {
      refusal_ = member(response, "message");
      return response.status;
    }
    host.certificate = member(response, "certificate");
    host.agent = member(response, "agentId");
    host.resource = member(response, "resourceId");
    host.clone = member(response, "clone") == "true";
    return 200;
  }
  Host enrolled() {
    Host host;
    EXPECT_EQ(enrol(host, token()), 200) << refusal_;
    return host;
  }
  static Host other_host() {
    return {.machine = std::string(64, 'd'), .host_key = std::string(64, 'e')};
  }

  http::Response report(const Host& host, std::int64_t sequence, std::string body,
                        const std::string& digest, const std::string& base = "") {
    std::vector<std::pair<std::string, std::string>> headers{
        {"Tenken-Sequence", std::to_string(sequence)}, {"Tenken-Digest", digest}};
    if (!base.empty()) headers.emplace_back("Tenken-Base", base);
    return post("report", std::move(body), &host, std::move(headers));
  }
  http::Response report_whole(const Host& host, std::int64_t sequence,
                              const std::vector<std::string>& lines) {
    return report(host, sequence, whole_body(lines), host::report_digest(lines));
  }
  http::Response poll(const Host& host, const std::string& digest = "") {
    return post("poll", "", &host, {{"Tenken-Digest", digest}});
  }
  store::Agent agent(const Host& host) {
    auto connection = pool_->lease();
    return store::find_agent(**connection, own_account, host.agent).value().value();
  }
  std::optional<store::Resource> resource(const Host& host) {
    auto connection = pool_->lease();
    return store::find_resource(**connection, own_account, host.resource).value();
  }
  bool end(const Host& host, store::AgentStatus status) {
    auto connection = pool_->lease();
    return store::end_agent(**connection, host.agent, status, clock_).value();
  }
  std::string stored_text(const Host& host) {
    auto connection = pool_->lease();
    const auto found =
        store::find_report(**connection, store::resource_id(own_account, host.resource)).value();
    return found->packed.empty() ? "none" : unpack(found->packed, 1 << 20).value();
  }

  crypto::Secret seed_{std::string(32, 's')};
  crypto::Identity authority_;
  std::optional<AgentDoor> door_;
  std::vector<std::string> faults_;
  std::string refusal_;
  bool held_ = false;
};

TEST_F(AgentsTest, ATokenBecomesACertificateOfTheAuthority) {
  auto host = enrolled();
  EXPECT_EQ(host.agent.size(), 32U);
  EXPECT_EQ(host.resource, "mi-" + std::string(17, 'a'));
  EXPECT_FALSE(host.clone);
  const auto facts = crypto::certificate_facts(host.certificate).value();
  EXPECT_EQ(facts.subject, "CN=" + host.agent);
  EXPECT_EQ(facts.not_after, clock_ + 30 * day);
  EXPECT_TRUE(crypto::is_signed_by(host.certificate, authority_.certificate).value());
  EXPECT_TRUE(crypto::key_matches(host.certificate, host.key).value());
  EXPECT_EQ(agent(host).certificate, facts.fingerprint);
  EXPECT_EQ(resource(host)->coverage_reason, "NO_INVENTORY");
  const auto listed = answer("ListCoverage");
  EXPECT_TRUE(listed.contains(R"("reason":"NO_INVENTORY")")) << listed;
  EXPECT_TRUE(listed.contains(R"("scanMode":"EC2_INSPECTOR_AGENT_BASED")")) << listed;
}

TEST_F(AgentsTest, TheAnswerToEnrolHasEveryMember) {
  Host host;
  const auto response = post("enrol", enrol_body(host, token()));
  EXPECT_EQ(member(response, "ca"), authority_.certificate);
  EXPECT_EQ(member(response, "now"), std::to_string(clock_));
  EXPECT_EQ(crypto::from_base64(member(response, "commandKey")).value(),
            crypto::ed25519_public_key(seed_).value());
}

TEST_F(AgentsTest, ATokenThatIsNoneLetsNobodyIn) {
  Host host;
  const auto used = token();
  ASSERT_EQ(enrol(host, used), 200);
  auto second = other_host();
  EXPECT_EQ(enrol(second, used), 403);
  EXPECT_EQ(enrol(second, ""), 403);
  EXPECT_EQ(enrol(second, std::string(43, 'A')), 403);
  const auto late = token();
  clock_ += 3'600;
  EXPECT_EQ(enrol(second, late), 403);
}

TEST_F(AgentsTest, AHostIsOfTheTokensAccount) {
  Host host;
  ASSERT_EQ(enrol(host, token(1, {}, second_account)), 200);
  auto connection = pool_->lease();
  EXPECT_FALSE(store::find_agent(**connection, own_account, host.agent).value());
  EXPECT_TRUE(store::find_agent(**connection, second_account, host.agent).value());
  EXPECT_FALSE(store::find_resource(**connection, own_account, host.resource).value());
}

TEST_F(AgentsTest, AnEnrolmentThatFailsCostsNoUse) {
  const auto good = token();
  Host host;
  auto body = enrol_body(host, good);
  body.replace(body.find("CERTIFICATE REQUEST"), 19, "CERTIFICATE NOTHING");
  EXPECT_EQ(post("enrol", body).status, 400);
  EXPECT_EQ(enrol(host, good), 200) << refusal_;
}

TEST_F(AgentsTest, NamesThatAreNoneAreRefused) {
  const auto good = token();
  for (const auto& [member, value] :
       std::vector<std::pair<std::string, std::string>>{{"machineId", "short"},
                                                        {"machineId", std::string(64, 'Z')},
                                                        {"hostKey", "../../etc"},
                                                        {"stateId", "x"},
                                                        {"hostName", "a\nb"},
                                                        {"hostName", std::string(300, 'a')},
                                                        {"version", std::string(100, '1')},
                                                        {"architecture", "\x1b[31m"}}) {
    Host host;
    json::Writer out;
    out.begin_object().member("token", good);
    out.member("request", crypto::make_certificate_request(host.key).value());
    for (const std::string_view name :
         {"machineId", "hostKey", "stateId", "hostName", "version", "architecture"})
      if (name == member) out.member(name, value);
    if (member != "machineId") out.member("machineId", host.machine);
    EXPECT_EQ(post("enrol", out.end_object().take()).status, 400) << member;
  }
  for (const auto* body : {"", "[]", "{", "7", R"({"token":7})", R"({"cloud":"x"})"})
    EXPECT_GE(post("enrol", body).status, 400) << body;
}

TEST_F(AgentsTest, AHostThatEnrolsAgainIsTheSameAgentWithANewCertificate) {
  const auto first = enrolled();
  auto again = first;
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_EQ(again.agent, first.agent);
  EXPECT_EQ(again.resource, first.resource);
  EXPECT_EQ(poll(first).status, 403);
  EXPECT_TRUE(poll(again).hold);
}

TEST_F(AgentsTest, ACopyOfAHostIsAResourceOfItsOwn) {
  const auto first = enrolled();
  Host copy{.host_key = std::string(64, 'f')};
  ASSERT_EQ(enrol(copy, token()), 200);
  EXPECT_TRUE(copy.clone);
  EXPECT_NE(copy.resource, first.resource);
  EXPECT_TRUE(copy.resource.starts_with("mi-"));
  EXPECT_EQ(agent(first).clone_seen, clock_);
  EXPECT_EQ(agent(copy).clone_seen, clock_);
  // Both enrol again, each as what it was.
  auto again = copy;
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_EQ(again.resource, copy.resource);
  again = first;
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_EQ(again.resource, first.resource);
}

TEST_F(AgentsTest, AHostThatWasMadeAnewTakesThePlaceOfOneThatIsSilent) {
  const auto first = enrolled();
  clock_ += 2 * 3'600;
  Host anew{.host_key = std::string(64, 'f')};
  ASSERT_EQ(enrol(anew, token()), 200);
  EXPECT_FALSE(anew.clone);
  EXPECT_EQ(anew.agent, first.agent);
  EXPECT_EQ(anew.resource, first.resource);
}

TEST_F(AgentsTest, ACloudInstanceIsNamedByItsCloud) {
  Host host{.instance = "i-0abc"};
  ASSERT_EQ(enrol(host, token(1, {{"env", "prod"}})), 200);
  EXPECT_EQ(host.resource, "i-0abc");
  EXPECT_EQ(resource(host)->region, "eu-west-1");
  EXPECT_EQ(resource(host)->tags, R"({"env":"prod"})");
  // Another of the same image is another; this one, where the cloud does not answer, is the same.
  Host other{.instance = "i-0def"};
  ASSERT_EQ(enrol(other, token()), 200);
  EXPECT_EQ(other.resource, "i-0def");
  EXPECT_NE(other.agent, host.agent);
  Host again{.host_key = std::string(64, 'f'), .instance = "i-0123"};
  ASSERT_EQ(enrol(again, token()), 200);
  const auto agent_before = again.agent;
  again.instance.clear();
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_EQ(again.resource, "i-0123");
  EXPECT_EQ(again.agent, agent_before);
  EXPECT_FALSE(again.clone);
}

TEST_F(AgentsTest, AHostWithoutMachineIdIsNamedByItsState) {
  Host host{.machine = ""};
  ASSERT_EQ(enrol(host, token()), 200);
  EXPECT_TRUE(host.resource.starts_with("mi-"));
  Host nameless{.machine = "", .state = ""};
  EXPECT_EQ(enrol(nameless, token()), 400);
}

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
  const auto again = report_whole(host, 1, first);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(member(again, "sequence"), "2");
  EXPECT_EQ(member(again, "digest"), host::report_digest(second));
  EXPECT_EQ(stored_text(host), text_of(second));
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
  EXPECT_EQ(poll(first).status, 409);
  EXPECT_EQ(agent(first).clone_seen, 0);
  clock_ += 60;
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
  EXPECT_EQ(door_->look_for_commands().value(), std::vector<std::string>{"agent:" + host.agent});
  EXPECT_TRUE(door_->look_for_commands().value().empty());
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
