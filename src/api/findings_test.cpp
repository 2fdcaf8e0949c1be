#include "store/findings.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "api/api_fixture.h"
#include "api/finding_document.h"
#include "store/organisation.h"

namespace tenken::api {
namespace {

class FindingsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    use_advisories({{"PYSEC-1", advisory("PYSEC-1", "CVE-2024-0001", "alpha", "2.0")},
                    {"PYSEC-2", advisory("PYSEC-2", "CVE-2024-0002", "beta", "1.5")}});
    put_inventory("web-1", {{"alpha", "1.0"}, {"beta", "1.0"}}, {{"env", "prod"}});
    put_inventory("web-2", {{"alpha", "1.0"}}, {{"env", "dev"}});
    evaluate();
  }

  static std::string advisory(std::string_view id, std::string_view alias, std::string_view package,
                              std::string_view fixed) {
    auto out = osv_advisory(id, package, fixed);
    return out.insert(1, fmt::format(R"("aliases":["{}"],)", alias));
  }

  json::Value parsed(const std::string& text) {
    const auto value = parser_.parse(text);
    EXPECT_TRUE(value) << text;
    return value ? *value : json::Value();
  }
  // "<resource> <vulnerability> <status>", sorted.
  std::vector<std::string> shown(std::string_view input = "{}") {
    std::vector<std::string> out;
    const auto text = answer("ListFindings", input);
    parsed(text)["findings"].for_each([&](json::Value one) {
      std::string_view resource;
      one["resources"].for_each([&](json::Value of) { resource = of["id"].string(); });
      out.push_back(fmt::format("{} {} {}", resource,
                                one["packageVulnerabilityDetails"]["vulnerabilityId"].string(),
                                one["status"].string()));
    });
    std::ranges::sort(out);
    return out;
  }
  std::string first_arn() {
    const auto text = answer("ListFindings", R"({"maxResults":1})");
    std::string out;
    parsed(text)["findings"].for_each([&](json::Value one) { out = one["findingArn"].string(); });
    return out;
  }
  std::string member(const std::string& text, std::string_view name) {
    return std::string(parsed(text)[name].string());
  }
  std::vector<std::string> history(std::string_view resource, std::string_view vulnerability) {
    auto connection = pool_->lease();
    const auto events =
        store::history(**connection, store::resource_id(own_account, resource), vulnerability);
    EXPECT_TRUE(events);
    std::vector<std::string> out;
    for (const auto& event : *events)
      out.push_back(fmt::format("{} {}", static_cast<int>(event.status), event.cause));
    return out;
  }
  std::string create_rule(std::string_view criteria, std::string_view name = "rule") {
    return member(answer("CreateFilter",
                         fmt::format(R"({{"name":"{}","action":"SUPPRESS","filterCriteria":{}}})",
                                     name, criteria)),
                  "arn");
  }

  using Lines = std::vector<std::string>;
  json::Parser parser_;
};

constexpr std::string_view production =
    R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}]})";

TEST_F(FindingsTest, a_finding_says_what_is_known) {
  const auto text = answer(
      "ListFindings",
      R"({"filterCriteria":{"vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-2024-0002"}]}})");
  parsed(text)["findings"].for_each([](json::Value one) {
    EXPECT_EQ(one["title"].string(), "CVE-2024-0002 - beta");
    EXPECT_EQ(one["severity"].string(), "CRITICAL");
    EXPECT_EQ(one["inspectorScore"].number(), 9.8);
    EXPECT_EQ(one["fixAvailable"].string(), "YES");
    EXPECT_EQ(one["awsAccountId"].string(), own_account);
    EXPECT_EQ(one["firstObservedAt"].integer(), 1'800'000'000);
    EXPECT_EQ(one["remediation"]["recommendation"]["text"].string(),
              "Update to at least beta 1.5.");
    EXPECT_EQ(one["inspectorScoreDetails"]["adjustedCvss"]["cvssSource"].string(), "PYSEC");
    EXPECT_EQ(one["inspectorScoreDetails"]["adjustedCvss"]["scoreSource"].string(), "PYSEC");
    EXPECT_EQ(one["inspectorScoreDetails"]["adjustedCvss"]["scoringVector"].string(),
              "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    one["packageVulnerabilityDetails"]["vulnerablePackages"].for_each([](json::Value package) {
      EXPECT_EQ(package["name"].string(), "beta");
      EXPECT_EQ(package["version"].string(), "1.0");
      EXPECT_EQ(package["fixedInVersion"].string(), "1.5");
      EXPECT_EQ(package["packageManager"].string(), "PIP");
    });
  });
}

TEST(ScorerName, is_that_of_the_publisher_and_never_a_record) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"nvd@nist.gov", "NVD"},
      {"CVE-2020-7471", "NVD"},
      {"GHSA-aaaa-bbbb-cccc", "GITHUB"},
      {"DEBIAN-CVE-2020-7471", "DEBIAN_CVE"},
      {"BIT-django-2020-7471", "BIT"},
      {"PYSEC-2020-35", "PYSEC"},
      {"GO-2024-1", "GO"},
      {"134c704f-9b21-4f2e-91b3-4a467353bcc0", "CISA-ADP"},
      {"6b35d637-e00f-4228-858c-b20ad6e1d07b", "6b35d637-e00f-4228-858c-b20ad6e1d07b"},
      {"CISA-ADP", "CISA-ADP"},
      {"security@hashicorp.com", "security@hashicorp.com"},
      {"GitHub_M", "GitHub_M"},
      {"", ""}};
  for (const auto& [source, name] : cases) EXPECT_EQ(scorer_name(source), name);
}

TEST_F(FindingsTest, a_resource_is_of_the_provider_whose_types_it_has) {
  const auto count = [&](std::string_view field, std::string_view value) {
    const auto text = answer(
        "ListFindings",
        fmt::format(R"({{"filterCriteria":{{"{}":[{{"comparison":"EQUALS","value":"{}"}}]}}}})",
                    field, value));
    return parsed(text)["findings"].size();
  };
  const auto all = count("awsAccountId", own_account);
  EXPECT_GT(all, 0u);
  EXPECT_EQ(count("cloudProvider", "AWS"), all);
  EXPECT_EQ(count("cloudProviderAccountId", own_account), all);
  EXPECT_EQ(count("cloudProviderRegion", "us-east-1"), all);
  for (const auto* absent : {"cloudProvider", "cloudProviderAccountId", "cloudProviderRegion",
                             "cloudProviderOrgId", "cloudVmImageReference", "machineImageId"})
    EXPECT_EQ(count(absent, "AZURE"), 0u) << absent;
  const auto text = answer("ListFindings");
  parsed(text)["findings"].for_each([&](json::Value one) {
    one["resources"].for_each([&](json::Value resource) {
      EXPECT_EQ(resource["provider"].string(), "AWS");
      EXPECT_EQ(resource["providerAccountId"].string(), own_account);
      EXPECT_EQ(resource["region"].string(), "us-east-1");
    });
  });
}

TEST_F(FindingsTest, a_score_estimated_from_a_word_has_no_vector_and_the_chosen_one_stands_first) {
  const std::string vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";
  const auto github = fmt::format(R"("severity":[{{"type":"CVSS_V3","score":"{}"}}],)", vector);
  auto ghsa = advisory("GHSA-1", "CVE-2024-0001", "other", "2.0");
  const auto own = ghsa.find(R"("severity":)");
  ghsa.replace(own, ghsa.find(R"("affected")") - own, github);
  auto worded = advisory("PYSEC-3", "CVE-2024-0003", "gamma", "2.0");
  const auto at = worded.find(R"("severity":)");
  worded.replace(at, worded.find(R"("affected")") - at,
                 R"("database_specific":{"severity":"HIGH"},)");
  use_advisories({{"PYSEC-1", advisory("PYSEC-1", "CVE-2024-0001", "alpha", "2.0")},
                  {"GHSA-1", ghsa},
                  {"PYSEC-3", worded}});
  put_inventory("web-3", {{"alpha", "1.0"}, {"gamma", "1.0"}}, {});
  evaluate();
  const auto text =
      answer("ListFindings",
             R"({"filterCriteria":{"resourceId":[{"comparison":"EQUALS","value":"web-3"}]}})");
  std::map<std::string, std::string> seen;
  parsed(text)["findings"].for_each([&](json::Value one) {
    const auto details = one["packageVulnerabilityDetails"];
    std::string sources;
    details["cvss"].for_each([&](json::Value cvss) {
      sources += fmt::format(" {} {}", cvss["source"].string(), cvss["baseScore"].number().value());
    });
    seen[std::string(details["vulnerabilityId"].string())] = fmt::format(
        "{} {} {}:{}", one["severity"].string(), one["inspectorScore"].number().value_or(-1),
        one["inspectorScoreDetails"]["adjustedCvss"]["cvssSource"].string(), sources);
  });
  EXPECT_EQ(seen["CVE-2024-0001"], "MEDIUM 5.3 GITHUB: GITHUB 5.3 PYSEC 9.8");
  EXPECT_EQ(seen["CVE-2024-0003"], "HIGH 7 :");
}

TEST_F(FindingsTest, pages_are_joined_by_tokens) {
  const auto first = answer("ListFindings", R"({"maxResults":2})");
  const auto token = member(first, "nextToken");
  ASSERT_FALSE(token.empty());
  EXPECT_EQ(shown(fmt::format(R"({{"maxResults":2,"nextToken":"{}"}})", token)).size(), 1U);
  const auto second = answer("ListFindings", fmt::format(R"({{"nextToken":"{}"}})", token));
  EXPECT_EQ(member(second, "nextToken"), "");
}

TEST_F(FindingsTest, a_token_that_was_changed_or_belongs_elsewhere_is_refused) {
  auto token = member(answer("ListFindings", R"({"maxResults":1})"), "nextToken");
  const auto with = [](std::string_view text, std::string_view more = "") {
    return fmt::format(R"({{"nextToken":"{}"{}}})", text, more);
  };
  EXPECT_TRUE(refusal("ListFindings",
                      with(token, R"(,"sortCriteria":{"field":"EPSS_SCORE","sortOrder":"ASC"})"))
                  .starts_with("ValidationException"));
  EXPECT_TRUE(refusal("ListFilters", with(token)).starts_with("ValidationException"));
  become(second_account);
  EXPECT_TRUE(refusal("ListFindings", with(token)).starts_with("ValidationException"));
  become(own_account);
  token[token.size() / 2] = token[token.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(refusal("ListFindings", with(token)).starts_with("ValidationException"));
  EXPECT_TRUE(refusal("ListFindings", with("x")).starts_with("ValidationException"));
}

TEST_F(FindingsTest, ten_thousand_conditions_are_refused) {
  std::string list;
  for (int i = 0; i < 10'000; ++i)
    list += fmt::format(R"({}{{"comparison":"EQUALS","value":"{}"}})", i == 0 ? "" : ",", i);
  EXPECT_TRUE(
      refusal("ListFindings", fmt::format(R"({{"filterCriteria":{{"resourceId":[{}]}}}})", list))
          .starts_with("ValidationException"));
}

TEST_F(FindingsTest, another_account_sees_nothing) {
  const auto arn = first_arn();
  become(second_account);
  EXPECT_TRUE(shown().empty());
  const auto text =
      answer("BatchGetFindingDetails", fmt::format(R"({{"findingArns":["{}"]}})", arn));
  EXPECT_EQ(parsed(text)["findingDetails"].size(), 0U);
  EXPECT_EQ(parsed(text)["errors"].size(), 1U);
}

TEST_F(FindingsTest, details_are_of_findings_that_exist) {
  const auto text = answer(
      "BatchGetFindingDetails",
      fmt::format(
          R"({{"findingArns":["{}","arn:aws:inspector2:us-east-1:111122223333:finding/{}"]}})",
          first_arn(), std::string(32, '0')));
  EXPECT_EQ(parsed(text)["findingDetails"].size(), 1U);
  parsed(text)["errors"].for_each(
      [](json::Value one) { EXPECT_EQ(one["errorCode"].string(), "FINDING_DETAILS_NOT_FOUND"); });
}

TEST_F(FindingsTest, a_vulnerability_is_found_by_its_id) {
  const auto search = [&](std::string_view id) {
    return answer("SearchVulnerabilities",
                  fmt::format(R"({{"filterCriteria":{{"vulnerabilityIds":["{}"]}}}})", id));
  };
  const auto text = search("CVE-2024-0001");
  parsed(text)["vulnerabilities"].for_each([](json::Value one) {
    EXPECT_EQ(one["id"].string(), "CVE-2024-0001");
    EXPECT_EQ(one["cvss3"]["baseScore"].number(), 9.8);
  });
  EXPECT_EQ(parsed(text)["vulnerabilities"].size(), 1U);
  EXPECT_EQ(parsed(search("CVE-1999-0001"))["vulnerabilities"].size(), 0U);
}

TEST_F(FindingsTest, a_rule_suppresses_what_is_there_and_lets_it_go_again) {
  const auto arn = create_rule(production);
  evaluate();
  EXPECT_EQ(shown(), (Lines{"web-1 CVE-2024-0001 SUPPRESSED", "web-1 CVE-2024-0002 SUPPRESSED",
                            "web-2 CVE-2024-0001 ACTIVE"}));
  answer("DeleteFilter", fmt::format(R"({{"arn":"{}"}})", arn));
  evaluate();
  EXPECT_EQ(shown(), (Lines{"web-1 CVE-2024-0001 ACTIVE", "web-1 CVE-2024-0002 ACTIVE",
                            "web-2 CVE-2024-0001 ACTIVE"}));
  const auto cause = "filter " + arn.substr(arn.size() - 16);
  EXPECT_EQ(history("web-1", "CVE-2024-0002"),
            (Lines{"1 inventory d1", "2 " + cause, "1 " + cause}));
}

TEST_F(FindingsTest, a_rule_takes_what_is_new_at_once) {
  create_rule(production);
  evaluate();
  put_inventory("web-3", {{"beta", "1.0"}}, {{"env", "prod"}});
  evaluate();
  EXPECT_EQ(shown(R"({"filterCriteria":{"resourceId":[{"comparison":"EQUALS","value":"web-3"}]}})"),
            (Lines{"web-3 CVE-2024-0002 SUPPRESSED"}));
  EXPECT_EQ(history("web-3", "CVE-2024-0002").size(), 2U);
}

TEST_F(FindingsTest, a_suppressed_finding_closes_when_it_is_remedied) {
  create_rule(production);
  evaluate();
  put_inventory("web-1", {{"alpha", "2.0"}, {"beta", "1.0"}}, {{"env", "prod"}});
  evaluate();
  EXPECT_EQ(shown(), (Lines{"web-1 CVE-2024-0001 CLOSED", "web-1 CVE-2024-0002 SUPPRESSED",
                            "web-2 CVE-2024-0001 ACTIVE"}));
}

TEST_F(FindingsTest, a_rule_follows_the_tags_of_a_resource) {
  create_rule(production);
  evaluate();
  put_inventory("web-1", {{"alpha", "1.0"}, {"beta", "1.0"}}, {{"env", "test"}});
  put_inventory("web-2", {{"alpha", "1.0"}}, {{"env", "prod"}});
  evaluate();
  EXPECT_EQ(shown(), (Lines{"web-1 CVE-2024-0001 ACTIVE", "web-1 CVE-2024-0002 ACTIVE",
                            "web-2 CVE-2024-0001 SUPPRESSED"}));
}

TEST_F(FindingsTest, a_rule_follows_what_a_generation_says_of_a_vulnerability) {
  create_rule(R"({"relatedVulnerabilities":[{"comparison":"EQUALS","value":"GHSA-1"}]})");
  evaluate();
  EXPECT_EQ(shown()[0], "web-1 CVE-2024-0001 ACTIVE");
  const auto named = [&](std::string_view more) {
    auto out = osv_advisory("PYSEC-1", "alpha", "2.0");
    out.insert(1, fmt::format(R"("aliases":["CVE-2024-0001"{}],)", more));
    use_advisories(
        {{"PYSEC-1", out}, {"PYSEC-2", advisory("PYSEC-2", "CVE-2024-0002", "beta", "1.5")}});
    evaluate();
  };
  named(R"(,"GHSA-1")");
  EXPECT_EQ(shown()[0], "web-1 CVE-2024-0001 SUPPRESSED");
  EXPECT_EQ(shown()[1], "web-1 CVE-2024-0002 ACTIVE");
  named("");
  EXPECT_EQ(shown()[0], "web-1 CVE-2024-0001 ACTIVE");
}

TEST_F(FindingsTest, rules_of_the_administrator_hold_for_its_members_while_they_are) {
  const auto status_of_member = [&] {
    become(second_account);
    const auto out = shown();
    become(own_account);
    return out;
  };
  become(second_account);
  put_inventory("db-1", {{"beta", "1.0"}}, {{"env", "prod"}});
  become(own_account);
  create_rule(production);
  evaluate();
  EXPECT_EQ(status_of_member(), (Lines{"db-1 CVE-2024-0002 ACTIVE"}));
  answer("EnableDelegatedAdminAccount",
         fmt::format(R"({{"delegatedAdminAccountId":"{}"}})", own_account));
  const auto member_input = fmt::format(R"({{"accountId":"{}"}})", second_account);
  answer("AssociateMember", member_input);
  evaluate();
  EXPECT_EQ(status_of_member(), (Lines{"db-1 CVE-2024-0002 SUPPRESSED"}));
  answer("DisassociateMember", member_input);
  evaluate();
  EXPECT_EQ(status_of_member(), (Lines{"db-1 CVE-2024-0002 ACTIVE"}));
}

// Acknowledged is kept, also where one group commit could have held both.
TEST_F(FindingsTest, a_partial_report_that_waits_behind_a_whole_one_adds_to_it) {
  const auto report = [&](std::string_view resource, std::map<std::string, std::string> packages,
                          bool whole) {
    auto inventory = test::python_host(packages);
    if (!whole) inventory.skips.push_back({.file = "x", .reason = "unreadable"});
    return pipeline::stored_inventory({.account = std::string(own_account),
                                       .external_id = std::string(resource),
                                       .digest = fmt::format("{}{}", resource, packages.size()),
                                       .received = clock_},
                                      std::move(inventory));
  };
  auto& ingest = *services_.ingest;
  std::vector<std::jthread> senders;
  const auto send = [&](store::InventoryWrite inventory, std::size_t waiting) {
    senders.emplace_back([&ingest, one = std::move(inventory)] { EXPECT_TRUE(ingest.put(one)); });
    while (ingest.counts().waiting != waiting) std::this_thread::yield();
  };
  {
    auto writer = pool_->lease();
    auto held = sql::Transaction::begin(**writer, sql::Transaction::Mode::write);
    ASSERT_TRUE(held);
    send(report("first", {{"alpha", "1.0"}}, true), 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the writer has taken it
    send(report("race", {{"alpha", "1.0"}, {"beta", "1.0"}}, true), 2);
    send(report("race", {{"delta", "1.0"}}, false), 3);
  }
  senders.clear();
  auto connection = pool_->lease();
  EXPECT_EQ((*connection)
                ->one_integer("SELECT COUNT(*) FROM resource_package WHERE resource_id = ?1",
                              store::resource_id(own_account, "race").value)
                .value(),
            3);
}

TEST_F(FindingsTest, what_one_rule_lets_go_another_holds) {
  const auto first = create_rule(production, "one");
  evaluate();
  create_rule(R"({"vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-2024-0002"}]})", "two");
  evaluate();
  answer("UpdateFilter", fmt::format(R"({{"filterArn":"{}","action":"NONE"}})", first));
  evaluate();
  EXPECT_EQ(shown(), (Lines{"web-1 CVE-2024-0001 ACTIVE", "web-1 CVE-2024-0002 SUPPRESSED",
                            "web-2 CVE-2024-0001 ACTIVE"}));
}

TEST_F(FindingsTest, a_rule_about_active_findings_keeps_what_it_suppressed) {
  create_rule(R"({"findingStatus":[{"comparison":"EQUALS","value":"ACTIVE"}]})");
  evaluate();
  put_inventory("web-2", {{"alpha", "1.0"}, {"beta", "1.0"}}, {{"env", "dev"}});
  evaluate();
  EXPECT_EQ(shown(), (Lines{"web-1 CVE-2024-0001 SUPPRESSED", "web-1 CVE-2024-0002 SUPPRESSED",
                            "web-2 CVE-2024-0001 SUPPRESSED", "web-2 CVE-2024-0002 SUPPRESSED"}));
}

TEST_F(FindingsTest, a_rule_that_ends_lets_go) {
  const auto arn = create_rule(production);
  {
    auto connection = pool_->lease();
    ASSERT_TRUE((*connection)->run("UPDATE filter SET expires_at = ?1", clock_ + 100));
  }
  evaluate();
  EXPECT_EQ(shown()[0], "web-1 CVE-2024-0001 SUPPRESSED");
  clock_ += 101;
  evaluate();
  EXPECT_EQ(shown()[0], "web-1 CVE-2024-0001 ACTIVE");
}

TEST_F(FindingsTest, filters_are_kept_as_they_were_given) {
  const auto arn = member(
      answer("CreateFilter",
             R"({"name":"mine","action":"NONE","description":"d","reason":"r","tags":{"a":"b"},)"
             R"("filterCriteria":{"firstObservedAt":[{"startInclusive":"2024-01-01T00:00:00Z"}],)"
             R"("vulnerablePackages":[{"name":{"comparison":"PREFIX","value":"lib%"}}]}})"),
      "arn");
  EXPECT_TRUE(
      arn.starts_with("arn:aws:inspector2:us-east-1:111122223333:owner/111122223333/filter/"));
  const auto text = answer("ListFilters", fmt::format(R"({{"arns":["{}"]}})", arn));
  parsed(text)["filters"].for_each([&](json::Value one) {
    EXPECT_EQ(one["arn"].string(), arn);
    EXPECT_EQ(one["name"].string(), "mine");
    EXPECT_EQ(one["reason"].string(), "r");
    EXPECT_EQ(one["tags"]["a"].string(), "b");
    one["criteria"]["firstObservedAt"].for_each(
        [](json::Value range) { EXPECT_EQ(range["startInclusive"].number(), 1'704'067'200); });
  });
  EXPECT_EQ(parsed(answer("ListFilters", R"({"action":"SUPPRESS"})"))["filters"].size(), 0U);
}

TEST_F(FindingsTest, rules_of_a_member_rest_while_it_is_one) {
  become(second_account);
  put_inventory("db-1", {{"beta", "1.0"}}, {});
  create_rule(R"({"resourceId":[{"comparison":"EQUALS","value":"db-1"}]})");
  evaluate();
  EXPECT_EQ(shown(), (Lines{"db-1 CVE-2024-0002 SUPPRESSED"}));
  become(own_account);
  answer("EnableDelegatedAdminAccount", R"({"delegatedAdminAccountId":"111122223333"})");
  const auto member_input = fmt::format(R"({{"accountId":"{}"}})", second_account);
  answer("AssociateMember", member_input);
  evaluate();
  become(second_account);
  EXPECT_EQ(shown(), (Lines{"db-1 CVE-2024-0002 ACTIVE"}));
  become(own_account);
  answer("DisassociateMember", member_input);
  evaluate();
  become(second_account);
  EXPECT_EQ(shown(), (Lines{"db-1 CVE-2024-0002 SUPPRESSED"}));
}

TEST_F(FindingsTest, a_member_keeps_filters_and_suppresses_nothing) {
  const std::string rule = R"({"name":"rule","action":"SUPPRESS","filterCriteria":{}})";
  become(second_account);
  const auto standing_alone = member(answer("CreateFilter", rule), "arn");
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::designate_administrator(**connection, own_account, clock_));
    ASSERT_TRUE(store::add_member(**connection, own_account, second_account, clock_));
  }
  EXPECT_TRUE(refusal("CreateFilter", R"({"name":"more","action":"SUPPRESS","filterCriteria":{}})")
                  .starts_with("AccessDeniedException"));
  const auto saved = member(
      answer("CreateFilter", R"({"name":"saved","action":"NONE","filterCriteria":{}})"), "arn");
  const auto update = [](std::string_view arn, std::string_view action) {
    return fmt::format(R"({{"filterArn":"{}","action":"{}"}})", arn, action);
  };
  EXPECT_TRUE(refusal("UpdateFilter", update(saved, "SUPPRESS")).starts_with("AccessDenied"));
  EXPECT_EQ(member(answer("UpdateFilter", update(standing_alone, "NONE")), "arn"), standing_alone);
  EXPECT_TRUE(refusal("UpdateFilter", update(standing_alone, "SUPPRESS")).starts_with("AccessD"));
  answer("DeleteFilter", fmt::format(R"({{"arn":"{}"}})", standing_alone));
  become(own_account);
  EXPECT_FALSE(member(answer("CreateFilter", rule), "arn").empty()) << "the administrator may";
}

TEST_F(FindingsTest, a_filter_is_not_made_with_tags_that_are_the_service_s) {
  EXPECT_TRUE(refusal("CreateFilter", R"({"name":"rule","action":"NONE","filterCriteria":{},)"
                                      R"("tags":{"Aws:x":"y"}})")
                  .starts_with("ValidationException"));
  EXPECT_TRUE(answer("ListFilters").contains(R"("filters":[])"));
}

TEST_F(FindingsTest, a_name_is_given_once_in_an_account) {
  constexpr std::string_view filter = R"({"name":"mine","action":"NONE","filterCriteria":{}})";
  answer("CreateFilter", filter);
  EXPECT_EQ(refusal("CreateFilter", filter),
            "BadRequestException: A filter named mine already exists");
  const auto other = member(
      answer("CreateFilter", R"({"name":"other","action":"NONE","filterCriteria":{}})"), "arn");
  EXPECT_EQ(refusal("UpdateFilter", fmt::format(R"({{"filterArn":"{}","name":"mine"}})", other)),
            "ValidationException: A filter named mine already exists");
  become(second_account);
  answer("CreateFilter", filter);
}

TEST_F(FindingsTest, another_accounts_filter_is_not_found) {
  const auto arn = create_rule(production);
  become(second_account);
  EXPECT_TRUE(refusal("DeleteFilter", fmt::format(R"({{"arn":"{}"}})", arn))
                  .starts_with("ResourceNotFoundException"));
  EXPECT_TRUE(refusal("UpdateFilter", fmt::format(R"({{"filterArn":"{}"}})", arn))
                  .starts_with("ResourceNotFoundException"));
}

TEST_F(FindingsTest, filters_come_in_pages_and_are_500_at_most) {
  for (int i = 0; i < 500; ++i)
    answer("CreateFilter",
           fmt::format(R"({{"name":"f{}","action":"NONE","filterCriteria":{{}}}})", i));
  EXPECT_TRUE(refusal("CreateFilter", R"({"name":"x","action":"NONE","filterCriteria":{}})")
                  .starts_with("ServiceQuotaExceededException"));
  std::string token;
  std::size_t seen = 0;
  do {
    const auto text =
        answer("ListFilters",
               token.empty() ? std::string("{}") : fmt::format(R"({{"nextToken":"{}"}})", token));
    seen += parsed(text)["filters"].size();
    token = member(text, "nextToken");
  } while (!token.empty());
  EXPECT_EQ(seen, 500U);
}

TEST_F(FindingsTest, filters_that_are_named_come_once_and_in_pages) {
  std::set<std::string> made;
  for (const auto* name : {"a", "b", "c"})
    made.insert(member(
        answer("CreateFilter",
               fmt::format(R"({{"name":"{}","action":"NONE","filterCriteria":{{}}}})", name)),
        "arn"));
  const auto nothing = made.begin()->substr(0, made.begin()->size() - 16) + std::string(16, '7');
  const auto each = fmt::format("{}", fmt::join(made, R"(",")"));
  const auto named = fmt::format(R"("arns":["{0}","{1}","{0}"])", each, nothing);
  const auto first = answer("ListFilters", fmt::format(R"({{{},"maxResults":2}})", named));
  std::vector<std::string> seen;
  const auto see = [&](const std::string& text) {
    parsed(text)["filters"].for_each(
        [&](json::Value one) { seen.emplace_back(one["arn"].string()); });
  };
  see(first);
  EXPECT_EQ(seen.size(), 2U);
  const auto token = member(first, "nextToken");
  const auto second = answer(
      "ListFilters", fmt::format(R"({{{},"maxResults":2,"nextToken":"{}"}})", named, token));
  see(second);
  EXPECT_EQ(member(second, "nextToken"), "");
  EXPECT_EQ(seen, std::vector<std::string>(made.begin(), made.end()));
  EXPECT_TRUE(refusal("ListFilters", fmt::format(R"({{"nextToken":"{}"}})", token))
                  .starts_with("ValidationException"))
      << "of another question";
  EXPECT_EQ(parsed(answer("ListFilters", fmt::format(R"({{{},"action":"SUPPRESS"}})", named)))
                ["filters"].size(),
            0U);
}

}  // namespace
}  // namespace tenken::api
