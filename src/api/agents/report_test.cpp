// What agents report, whole and by its changes.
#include <algorithm>

#include "api/agents/agents_fixture.h"
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

}  // namespace
}  // namespace tenken::api::agents
