// Who becomes an agent, and which resource its host is.
#include "api/agents/agents_fixture.h"
#include "crypto/ed25519.h"
#include "host/identity.h"
#include "pipeline/retire.h"

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
  struct Case {
    const char* name;
    std::string key;       // of the first
    std::string copy_key;  // of its copy
    std::string copy_state;
  };
  const auto key = [](char c) { return std::string(64, c); };
  const Case cases[] = {
      {"other keys", key('1'), key('2'), std::string(32, '8')},
      {"one key, of the image", key('1'), key('1'), std::string(32, '8')},
      {"no keys", "", "", std::string(32, '8')},
      {"a copy without a key", key('1'), "", std::string(32, '8')},
      {"copied with its state, and given other keys", key('1'), key('2'), std::string(32, '7')},
  };
  char machine = '1';
  for (const auto& one : cases) {
    Host first{.machine = key(machine++), .host_key = one.key, .state = std::string(32, '7')};
    ASSERT_EQ(enrol(first, token()), 200) << one.name;
    Host copy{.machine = first.machine, .host_key = one.copy_key, .state = one.copy_state};
    ASSERT_EQ(enrol(copy, token()), 200) << one.name;
    EXPECT_TRUE(copy.clone) << one.name;
    EXPECT_NE(copy.agent, first.agent) << one.name;
    EXPECT_NE(copy.resource, first.resource) << one.name;
    EXPECT_TRUE(copy.resource.starts_with("mi-")) << one.name;
    EXPECT_EQ(agent(first).clone_seen, clock_) << one.name;
    EXPECT_EQ(agent(copy).clone_seen, clock_) << one.name;
    EXPECT_EQ(agent(copy).wanted, first.resource) << one.name;
    EXPECT_TRUE(poll(first).hold) << one.name;
    // Both enrol again, each as what it was.
    for (const auto& host : {copy, first}) {
      auto again = host;
      ASSERT_EQ(enrol(again, token()), 200) << one.name;
      EXPECT_EQ(again.resource, host.resource) << one.name;
      EXPECT_EQ(again.agent, host.agent) << one.name;
    }
  }
}

TEST_F(AgentsTest, AHostThatWasMadeAnewTakesThePlaceOfOneThatIsSilent) {
  const auto first = enrolled();
  clock_ += 2 * 3'600;
  Host anew{.host_key = std::string(64, 'f'), .state = std::string(32, 'f')};
  ASSERT_EQ(enrol(anew, token()), 200);
  EXPECT_FALSE(anew.clone);
  EXPECT_EQ(anew.agent, first.agent);
  EXPECT_EQ(anew.resource, first.resource);
}

// The agent is put on the host again minutes later, its state is lost: for now nobody can tell it
// from a copy.
TEST_F(AgentsTest, AHostThatWasMadeAnewMinutesAgoHasItsResourceBackOnceTheOldAgentStaysSilent) {
  const auto first = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  ASSERT_EQ(report_whole(first, 1, lines).status, 200);
  clock_ += 60;
  Host anew{.state = std::string(32, 'f')};
  ASSERT_EQ(enrol(anew, token()), 200);
  EXPECT_TRUE(anew.clone);
  ASSERT_NE(anew.resource, first.resource);
  const auto apart = anew;
  const auto digest = host::report_digest(lines);
  ASSERT_EQ(report_whole(anew, 1, lines).status, 200);
  clock_ += 3'540;  // 3,600 s after the first was heard of
  EXPECT_FALSE(poll(anew, digest).hold) << "it is asked for the whole";
  ASSERT_EQ(report_whole(anew, 2, lines).status, 200);
  EXPECT_EQ(agent(anew).resource, first.resource);
  EXPECT_EQ(agent(anew).wanted, "");
  EXPECT_EQ(agent(anew).clone_seen, 0);
  EXPECT_EQ(resource(apart)->coverage_reason, "RESOURCE_TERMINATED");
  EXPECT_EQ(resource(first)->packages, 1);
  EXPECT_EQ(poll(first).status, 403);
  EXPECT_TRUE(poll(anew, digest).hold);
}

TEST_F(AgentsTest, AHostThatWasHeardOfAfterItsCopyEnrolledKeepsItsResource) {
  const auto first = enrolled();
  const auto lines = lines_with({{"requests", "2.0"}});
  ASSERT_EQ(report_whole(first, 1, lines).status, 200);
  Host copy{.state = std::string(32, 'f')};
  ASSERT_EQ(enrol(copy, token()), 200);
  clock_ += 60;
  ASSERT_TRUE(poll(first).hold);
  ASSERT_TRUE(door_->write_seen());
  clock_ += 10 * day;  // it is switched off
  EXPECT_TRUE(poll(copy).hold);
  ASSERT_EQ(report_whole(copy, 1, lines).status, 200);
  EXPECT_EQ(agent(copy).resource, copy.resource);
  EXPECT_EQ(agent(first).resource, first.resource);
  EXPECT_EQ(resource(first)->coverage_reason, "PENDING_INITIAL_SCAN");
}

TEST_F(AgentsTest, ACloudInstanceIsNamedByItsCloud) {
  Host host{.state = std::string(32, '1'), .instance = "i-0abc0abc"};
  ASSERT_EQ(enrol(host, token(1, {{"env", "prod"}})), 200);
  EXPECT_EQ(host.resource, "i-0abc0abc");
  EXPECT_EQ(resource(host)->region, "eu-west-1");
  EXPECT_EQ(resource(host)->tags, R"({"env":"prod"})");
  // Another of the same image is another; this one, where the cloud does not answer, is the same.
  Host other{.state = std::string(32, '2'), .instance = "i-0def0def"};
  ASSERT_EQ(enrol(other, token()), 200);
  EXPECT_EQ(other.resource, "i-0def0def");
  EXPECT_NE(other.agent, host.agent);
  auto again = other;
  again.instance.clear();
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_EQ(again.resource, other.resource);
  EXPECT_EQ(again.agent, other.agent);
  EXPECT_FALSE(again.clone);
  // The agent was put on it anew.
  again = Host{.state = std::string(32, '3'), .instance = other.instance};
  ASSERT_EQ(enrol(again, token()), 200);
  EXPECT_EQ(again.agent, other.agent);
}

TEST_F(AgentsTest, ACopyThatIsAnInstanceLeavesTheHostThatItIsACopyOf) {
  const auto first = enrolled();
  ASSERT_EQ(report_whole(first, 1, lines_with({{"requests", "2.0"}})).status, 200);
  clock_ += 2 * 3'600;
  Host copy{.state = std::string(32, 'f'), .instance = "i-0123456789abcdef0"};
  ASSERT_EQ(enrol(copy, token()), 200);
  EXPECT_EQ(copy.resource, copy.instance);
  EXPECT_NE(copy.agent, first.agent);
  EXPECT_EQ(resource(first)->coverage_reason, "PENDING_INITIAL_SCAN");
}

TEST_F(AgentsTest, WhatNamesNoInstanceIsRefused) {
  const auto good = token();
  const auto victim = enrolled();
  for (const auto& id : {victim.resource, std::string("i-"), std::string("i-0abc"),
                         std::string("i-0ABCDEF0"), "i-" + std::string(18, '0')}) {
    auto host = other_host();
    host.instance = id;
    EXPECT_EQ(enrol(host, good), 400) << id;
    EXPECT_TRUE(refusal_.contains("cloud.instanceId")) << refusal_;
  }
}

TEST_F(AgentsTest, NobodyHasTheInstanceOfAnotherByNamingIt) {
  Host victim{.instance = "i-0123456789abcdef0"};
  ASSERT_EQ(enrol(victim, token()), 200);
  const auto lines = lines_with({{"requests", "2.0"}});
  ASSERT_EQ(report_whole(victim, 1, lines).status, 200);
  for (const Seconds later : {Seconds{0}, 2 * day}) {
    clock_ += later;
    auto thief = other_host();
    thief.state = std::string(32, later == 0 ? '8' : '9');
    thief.machine = std::string(64, later == 0 ? '8' : '9');
    thief.host_key = victim.host_key;  // which anybody can read
    thief.instance = victim.instance;
    ASSERT_EQ(enrol(thief, token()), 200);
    EXPECT_TRUE(thief.clone);
    EXPECT_EQ(thief.resource, host::resource_of_machine(thief.machine));
    EXPECT_NE(thief.agent, victim.agent);
    EXPECT_EQ(agent(thief).wanted, victim.instance);
    ASSERT_EQ(report_whole(thief, 1, lines_with({{"flask", "1.0"}})).status, 200);
    EXPECT_EQ(agent(victim).clone_seen, clock_ - later) << "it is told while it lives";
    EXPECT_TRUE(poll(victim).hold);
    EXPECT_EQ(stored_text(victim), text_of(lines));
  }
}

TEST_F(AgentsTest, NobodyHasTheResourceOfAMachineByMostOfItsId) {
  const auto victim = enrolled();
  clock_ += 2 * 3'600;
  auto thief = other_host();
  thief.machine = victim.machine.substr(0, 17) + std::string(47, '0');  // which the id shows
  ASSERT_EQ(enrol(thief, token()), 200);
  EXPECT_NE(thief.resource, victim.resource);
  EXPECT_NE(thief.agent, victim.agent);
}

TEST_F(AgentsTest, WhatIsKnownOtherwiseIsNotHadByEnrolling) {
  Host host;
  host.resource = host::resource_of_machine(host.machine);
  put_with_key(host.resource);
  ASSERT_EQ(enrol(host, token()), 200);
  const auto known = host::resource_of_machine(host.machine);
  EXPECT_TRUE(host.clone);
  EXPECT_NE(host.resource, known);
  EXPECT_EQ(agent(host).wanted, known);
  // Who may put with a key says that it is gone.
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(
        pipeline::retire(**connection, store::resource_id(own_account, known), "x", clock_));
  }
  EXPECT_FALSE(poll(host).hold);
  ASSERT_EQ(report_whole(host, 1, lines_with({{"requests", "2.0"}})).status, 200);
  EXPECT_EQ(agent(host).resource, known);

  auto other = other_host();
  collect_as(host::resource_of_machine(other.machine));
  ASSERT_EQ(enrol(other, token()), 200);
  EXPECT_TRUE(other.clone);
  EXPECT_NE(other.resource, host::resource_of_machine(other.machine));
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
