// Hosts of which nothing is heard: what the own API says of them, of their findings, and of what is
// to be done.
#include <gtest/gtest.h>

#include "api/api_fixture.h"
#include "api/v1/repair.h"
#include "api/v1/v1.h"
#include "store/agent_health.h"
#include "store/agents.h"
#include "store/coverage_now.h"

namespace tenken::api::v1 {
namespace {

constexpr Seconds day = 86'400;

class SilenceTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    use_advisories({{"PYSEC-1", osv_advisory("PYSEC-1", "alpha", "2.0")}});
    for (const auto* host : {"web-1", "web-2"}) put_inventory(host, {{"alpha", "1.0"}});
    evaluate();
  }
  std::string ask(std::string target) {
    return v1::answer({.method = "GET", .target = std::move(target)}, who_, services_)
        .response.body;
  }
  std::string finding_of(std::string_view resource) {
    return ask(fmt::format("/v1/findings?resource={}", resource));
  }
  std::string detail_of(std::string_view resource) {
    json::Parser parser;
    const auto list = finding_of(resource);
    const auto root = parser.parse(list);
    std::string id;
    (*root)["findings"].for_each([&](json::Value one) { id = one["findingId"].string(); });
    return ask("/v1/findings/" + id);
  }
};

TEST_F(SilenceTest, findings_of_a_host_that_is_silent_are_stale_and_say_since_when) {
  const auto heard = clock_;
  clock_ += 7 * day;
  EXPECT_TRUE(finding_of("web-1").contains(R"("stale":false,"restartNeeded")"));
  clock_ += 1;
  put_inventory("web-2", {{"alpha", "1.0"}});
  for (const auto& shown : {finding_of("web-1"), detail_of("web-1")}) {
    EXPECT_TRUE(shown.contains(R"("status":"ACTIVE")")) << shown;
    EXPECT_TRUE(shown.contains(fmt::format(
        R"("stale":true,"staleReasons":[{{"reason":"STALE_INVENTORY",)"
        R"("message":"the host has been silent for more than seven days","since":"{}"}}])",
        format_time(heard))))
        << shown;
  }
  EXPECT_TRUE(finding_of("web-2").contains(R"("stale":false,"restartNeeded")"));
  put_inventory("web-1", {{"alpha", "1.0"}});
  EXPECT_TRUE(finding_of("web-1").contains(R"("stale":false,"restartNeeded")"));
}

TEST_F(SilenceTest, findings_whose_advisories_went_say_so_beside_the_silence) {
  {
    auto connection = pool_->lease();
    ASSERT_TRUE((*connection)->run("UPDATE finding SET stale = 1"));
  }
  EXPECT_TRUE(finding_of("web-1").contains(
      R"("stale":true,"staleReasons":[{"reason":"NOT_COVERED",)"
      R"("message":"the advisory data in use no longer covers it"}])"));
  clock_ += 7 * day + 1;
  const auto shown = finding_of("web-1");
  EXPECT_TRUE(shown.contains(R"("NOT_COVERED")") && shown.contains(R"("STALE_INVENTORY")"));
}

TEST_F(SilenceTest, findings_of_what_could_not_be_decided_say_so) {
  put_inventory("web-1", {{"alpha", "no version"}});
  evaluate();
  const auto shown = finding_of("web-1");
  EXPECT_TRUE(shown.contains(R"("status":"ACTIVE")")) << shown;
  EXPECT_TRUE(shown.contains(R"("stale":true,"staleReasons":[{"reason":"UNDECIDED",)"
                             R"("message":"what is installed now could not be decided"}])"))
      << shown;
}

TEST_F(SilenceTest, findings_of_a_host_whose_agent_was_revoked_are_stale_at_once) {
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::replace_agent(**connection,
                                     {.id = "a", .account = who_.account, .resource = "web-1"}));
    ASSERT_TRUE(store::end_agent(**connection, "a", store::AgentStatus::revoked, clock_).value());
  }
  EXPECT_TRUE(finding_of("web-1").contains(R"("reason":"UNMANAGED_EC2_INSTANCE")"));
  EXPECT_TRUE(finding_of("web-2").contains(R"("stale":false)"));
}

TEST_F(SilenceTest, a_closed_finding_is_not_stale) {
  put_inventory("web-1", {{"alpha", "2.0"}});
  evaluate();
  clock_ += 8 * day;
  const auto closed = ask("/v1/findings?resource=web-1&status=CLOSED");
  EXPECT_TRUE(closed.contains(R"("status":"CLOSED")")) << closed;
  EXPECT_TRUE(closed.contains(R"("stale":false)")) << closed;
}

TEST_F(SilenceTest, resources_show_their_coverage_as_it_is_now_with_the_repair) {
  const auto shown = ask("/v1/resources/web-1");
  EXPECT_TRUE(shown.contains(R"("coverage":{"status":"ACTIVE","reason":"SUCCESSFUL"})")) << shown;
  clock_ += 7 * day + 1;
  for (const auto* target : {"/v1/resources/web-1", "/v1/resources?status=INACTIVE"}) {
    const auto stale = ask(target);
    EXPECT_TRUE(stale.contains(R"("status":"INACTIVE","reason":"STALE_INVENTORY","repair":")"
                               "On the host: tenken-agent status"))
        << stale;
    EXPECT_TRUE(stale.contains("--resource web-1")) << stale;
  }
  EXPECT_TRUE(ask("/v1/resources?status=ACTIVE").contains(R"("resources":[])"));
}

TEST_F(SilenceTest, every_reason_but_success_has_its_repair) {
  store::Resource resource{.account = "111122223333", .external_id = "i-1"};
  for (const auto* reason : {"PENDING_INITIAL_SCAN", "NO_INVENTORY", "STALE_INVENTORY",
                             "UNSUPPORTED_OS", "UNMANAGED_EC2_INSTANCE", "RESOURCE_TERMINATED"}) {
    resource.coverage_reason = reason;
    EXPECT_NE(repair_of(resource), "") << reason;
    EXPECT_FALSE(repair_of(resource).contains('{')) << reason;
  }
  resource.coverage_reason = "SUCCESSFUL";
  EXPECT_EQ(repair_of(resource), "");
}

TEST_F(SilenceTest, an_agent_is_as_healthy_as_the_worst_that_is_known_of_it) {
  store::Agent agent{.id = "a", .account = "1", .seen = clock_, .reported = clock_};
  const auto is = [&](std::string_view wanted) {
    EXPECT_EQ(store::health_of(agent, clock_), wanted);
    EXPECT_EQ(repair_of(agent, wanted).empty(), wanted == "healthy");
  };
  is("healthy");
  agent.reported = 0;
  is("never_reported");
  agent.seen = clock_ - store::agent_is_silent_after;
  is("silent");
  agent.clone_seen = clock_ - store::clone_is_told_for + 1;
  is("clone");
  agent.clone_seen -= 1;
  is("silent");
  agent.status = store::AgentStatus::revoked;
  is("revoked");
  agent.status = store::AgentStatus::retired;
  is("retired");
  agent = {.id = "a", .account = "1", .wanted = "i-1", .seen = clock_, .reported = clock_};
  EXPECT_EQ(repair_of(agent, "healthy"),
            "Its host names i-1, which is another's. It is that host: tenken admin agent move a "
            "i-1 --account 1.");
}

}  // namespace
}  // namespace tenken::api::v1
