// Who becomes an agent, and which resource its host is.
#include "api/agents/agents_fixture.h"
#include "crypto/ed25519.h"

namespace tenken::api::agents {
namespace {

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

}  // namespace
}  // namespace tenken::api::agents
