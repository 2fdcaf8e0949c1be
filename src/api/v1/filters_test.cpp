// Filters of the own API: when a suppression rule ends by itself.
#include <gtest/gtest.h>

#include "api/api_fixture.h"
#include "api/v1/v1.h"
#include "store/findings.h"
#include "store/organisation.h"

namespace tenken::api::v1 {
namespace {

class V1FiltersTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    use_advisories({{"PYSEC-1", osv_advisory("PYSEC-1", "alpha", "2.0")}});
    put_inventory("web-1", {{"alpha", "1.0"}});
    evaluate();
    const auto made = ApiTest::answer(
        "CreateFilter", R"({"name":"r","action":"SUPPRESS","reason":"accepted","filterCriteria":)"
                        R"({"resourceId":[{"comparison":"EQUALS","value":"web-1"}]}})");
    id_ = made.substr(made.rfind('/') + 1, 16);
    evaluate();
  }

  V1Answer ask(std::string_view method, std::string target, std::string body = "") {
    return v1::answer(
        {.method = std::string(method), .target = std::move(target), .body = std::move(body)}, who_,
        services_);
  }
  V1Answer set_expiry(std::string_view time) {
    return ask("PUT", fmt::format("/v1/filters/{}/expiry", id_),
               fmt::format(R"({{"expiresAt":{}}})", time));
  }
  V1Answer set_expiry(Seconds time) { return set_expiry(fmt::format("\"{}\"", format_time(time))); }
  std::string shown() { return ask("GET", "/v1/filters/" + id_).response.body; }
  bool suppressed() { return ApiTest::answer("ListFindings").contains(R"("status":"SUPPRESSED")"); }
  std::string last_cause() {
    auto connection = pool_->lease();
    return store::history(**connection, store::resource_id(own_account, "web-1"), "PYSEC-1")
        .value()
        .back()
        .cause;
  }

  std::string id_;
};

TEST_F(V1FiltersTest, a_rule_ends_at_its_time_and_the_history_says_why) {
  const auto set = set_expiry(clock_ + 3'600);
  ASSERT_EQ(set.response.status, 200) << set.response.body;
  EXPECT_TRUE(set.response.body.contains(
      fmt::format(R"("expiresAt":"{}","suppresses":true)", format_time(clock_ + 3'600))))
      << set.response.body;
  EXPECT_TRUE(set.response.body.contains(R"("reason":"accepted")"));
  clock_ += 3'599;
  evaluate();
  EXPECT_TRUE(suppressed());
  clock_ += 1;
  evaluate();
  EXPECT_FALSE(suppressed());
  EXPECT_EQ(last_cause(), "filter " + id_ + " expired");
  EXPECT_TRUE(shown().contains(R"("suppresses":false)")) << shown();
  // With another end it holds again.
  ASSERT_EQ(set_expiry("null").response.status, 200);
  evaluate();
  EXPECT_TRUE(suppressed());
  EXPECT_EQ(last_cause(), "filter " + id_);
  EXPECT_FALSE(shown().contains("expiresAt")) << shown();
}

TEST_F(V1FiltersTest, an_end_that_was_put_off_is_not_its_end) {
  ASSERT_EQ(set_expiry(clock_ + 60).response.status, 200);
  evaluate();
  ASSERT_EQ(set_expiry(clock_ + 120).response.status, 200);
  evaluate();
  clock_ += 60;
  evaluate();
  EXPECT_TRUE(suppressed());
  clock_ += 60;
  evaluate();
  EXPECT_FALSE(suppressed());
}

TEST_F(V1FiltersTest, what_a_clock_that_is_behind_suppresses_is_let_go_at_the_end_too) {
  const auto start = clock_;
  int reports = 0;
  const auto at = [&](Seconds seconds, bool reported) {
    clock_ = start + seconds;
    if (reported)
      put_inventory("web-1", {{"alpha", "1.0"}, {fmt::format("other-{}", ++reports), "1.0"}});
    evaluate();
    return suppressed();
  };
  ASSERT_EQ(set_expiry(start + 60).response.status, 200);
  EXPECT_TRUE(at(0, false));
  EXPECT_FALSE(at(64, false));
  EXPECT_TRUE(at(56, true)) << "of another node, some seconds behind";
  EXPECT_FALSE(at(65, false));
  EXPECT_FALSE(at(400, false));
  EXPECT_TRUE(at(20, true)) << "the clock was set back";
  EXPECT_FALSE(at(61, false));
}

TEST_F(V1FiltersTest, a_time_that_has_passed_ends_it_at_once) {
  ASSERT_EQ(set_expiry(R"("1970-01-01T00:00:00Z")").response.status, 200);
  evaluate();
  EXPECT_FALSE(suppressed());
}

TEST_F(V1FiltersTest, the_inspector_api_neither_shows_nor_changes_it) {
  ASSERT_EQ(set_expiry(clock_ + 3'600).response.status, 200);
  const auto arn =
      fmt::format("arn:aws:inspector2:us-east-1:{0}:owner/{0}/filter/{1}", own_account, id_);
  EXPECT_FALSE(ApiTest::answer("ListFilters").contains("expires"));
  ApiTest::answer("UpdateFilter", fmt::format(R"({{"filterArn":"{}","name":"other"}})", arn));
  EXPECT_TRUE(shown().contains(R"("expiresAt":)")) << shown();
}

TEST_F(V1FiltersTest, what_is_no_time_is_refused) {
  for (const auto* body : {"", "[]", "{}", R"({"expiresAt":1})", R"({"expiresAt":""})",
                           R"({"expiresAt":"tomorrow"})", R"({"expiresAt":"2027-02-30T00:00:00Z"})",
                           R"({"expiresAt":"2027-06-30"})", R"({"expiresAt":null,"reason":"x"})"})
    EXPECT_EQ(ask("PUT", fmt::format("/v1/filters/{}/expiry", id_), body).response.status, 400)
        << body;
  EXPECT_FALSE(shown().contains("expiresAt"));
}

TEST_F(V1FiltersTest, another_account_a_viewer_and_a_member_change_nothing) {
  const auto set = set_expiry(clock_ + 60);
  EXPECT_EQ(set.action, "SetFilterExpiry");
  EXPECT_EQ(set.note.target, id_);
  become(own_account, access::Role::operator_);
  EXPECT_EQ(set_expiry("null").response.status, 403);
  EXPECT_EQ(ask("GET", "/v1/filters").response.status, 200);
  become(second_account);
  EXPECT_EQ(set_expiry("null").response.status, 404);
  EXPECT_EQ(ask("GET", "/v1/filters/" + id_).response.status, 404);
  EXPECT_EQ(ask("GET", "/v1/filters").response.body, R"({"filters":[]})");
  become(own_account);
  EXPECT_TRUE(shown().contains("expiresAt"));
  EXPECT_EQ(ask("PUT", "/v1/filters/0/expiry", R"({"expiresAt":null})").response.status, 404);
}

TEST_F(V1FiltersTest, filters_come_in_pages) {
  for (int i = 0; i < 4; ++i)
    ApiTest::answer("CreateFilter",
                    fmt::format(R"({{"name":"f{}","action":"NONE","filterCriteria":{{}}}})", i));
  std::string target = "/v1/filters?limit=2";
  std::size_t seen = 0;
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = ask("GET", target).response;
    ASSERT_EQ(page.status, 200) << page.body;
    json::Parser parser;
    const auto document = parser.parse(page.body).value();
    seen += document["filters"].size();
    target = fmt::format("/v1/filters?limit=2&nextToken={}", document["nextToken"].string());
  }
  EXPECT_EQ(seen, 5U);
}

TEST_F(V1FiltersTest, a_signature_in_the_url_is_no_parameter_and_no_part_of_the_question) {
  ApiTest::answer("CreateFilter", R"({"name":"f","action":"NONE","filterCriteria":{}})");
  const auto page = ask("GET", "/v1/filters?limit=1&X-Amz-Algorithm=a&X-Amz-Signature=1").response;
  ASSERT_EQ(page.status, 200) << page.body;
  json::Parser parser;
  const auto document = parser.parse(page.body).value();
  const auto next = fmt::format("/v1/filters?limit=1&nextToken={}&X-Amz-Signature=2",
                                document["nextToken"].string());
  EXPECT_EQ(ask("GET", next).response.status, 200);
  EXPECT_EQ(ask("GET", "/v1/filters?colour=red&X-Amz-Signature=1").response.status, 400);
}

}  // namespace
}  // namespace tenken::api::v1
