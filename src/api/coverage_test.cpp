#include <algorithm>

#include "api/api_fixture.h"
#include "store/agents.h"
#include "store/resources.h"

namespace tenken::api {
namespace {

constexpr Seconds day = 86'400;

class CoverageTest : public ApiTest {
 protected:
  // The resource ids of a list with this filter, a page of maxResults after another.
  std::string listed(std::string_view filter, int page = 200) {
    std::string out;
    std::string token;
    for (int pages = 0; pages < 50; ++pages) {
      const auto text =
          answer("ListCoverage",
                 fmt::format(R"({{"maxResults":{},"filterCriteria":{}{}}})", page, filter, token));
      json::Parser parser;
      const auto root = parser.parse(text);
      EXPECT_TRUE(root);
      (*root)["coveredResources"].for_each([&](json::Value one) {
        out += fmt::format("{}{}", out.empty() ? "" : " ", one["resourceId"].string());
      });
      const auto next = (*root)["nextToken"].string();
      if (next.empty()) return out;
      token = fmt::format(R"(,"nextToken":"{}")", next);
    }
    return "no end";
  }
  std::string groups(std::string_view input) {
    json::Parser parser;
    const auto root = parser.parse(answer("ListCoverageStatistics", input));
    EXPECT_TRUE(root);
    auto out = fmt::format("{}:", (*root)["totalCounts"].integer().value_or(-1));
    (*root)["countsByGroup"].for_each([&](json::Value one) {
      out += fmt::format(" {} {}", one["groupKey"].string(), one["count"].integer().value_or(-1));
    });
    return out;
  }
  void set(std::string_view resource, std::string_view assignments) {
    auto connection = pool_->lease();
    const auto changed =
        (*connection)
            ->run(fmt::format("UPDATE resource SET {} WHERE resource_id = ?1", assignments),
                  store::resource_id(who_.account, resource).value);
    ASSERT_TRUE(changed) << changed.error().what;
    ASSERT_EQ(*changed, 1);
  }
};

TEST_F(CoverageTest, says_what_is_scanned_and_how) {
  put_inventory("i-0a", {{"a", "1.0"}}, {{"env", "prod"}});
  EXPECT_EQ(answer("ListCoverage"),
            R"({"coveredResources":[{"accountId":"111122223333","resourceId":"i-0a",)"
            R"("resourceMetadata":{"ec2":{"platform":"UNKNOWN","tags":{"env":"prod"}}},)"
            R"("resourceType":"AWS_EC2_INSTANCE","scanMode":"EC2_SSM_AGENT_BASED",)"
            R"("scanStatus":{"reason":"PENDING_INITIAL_SCAN","statusCode":"ACTIVE"},)"
            R"("scanType":"PACKAGE","provider":"AWS","providerAccountId":"111122223333",)"
            R"("providerRegion":"us-east-1","providerPartition":"aws"}]})");
  use_advisories({{"PYSEC-1", osv_advisory("PYSEC-1", "a", "2.0")}});
  evaluate();
  EXPECT_EQ(listed(R"({"scanStatusReason":[{"comparison":"EQUALS","value":"SUCCESSFUL"}]})"),
            "i-0a");
}

TEST_F(CoverageTest, every_type_has_its_metadata) {
  put_inventory("f", {}, {{"k", "v"}});
  set("f", "type = 'AWS_LAMBDA_FUNCTION'");
  put_inventory("g", {});
  set("g", "type = 'AWS_ECR_CONTAINER_IMAGE'");
  put_inventory("h", {});
  set("h", "type = 'CODE_REPOSITORY'");
  EXPECT_EQ(listed("{}"), "f g h");
  EXPECT_EQ(listed(R"({"lambdaFunctionTags":[{"comparison":"EQUALS","key":"k"}]})"), "f");
  EXPECT_EQ(listed(R"({"ec2InstanceTags":[{"comparison":"EQUALS","key":"k"}]})"), "");
  EXPECT_EQ(listed(R"({"lambdaFunctionName":[{"comparison":"EQUALS","value":"f"}]})"), "f");
  EXPECT_EQ(groups(R"({"groupBy":"RESOURCE_TYPE"})"),
            "3: RESOURCE_TYPE 1 RESOURCE_TYPE 1 RESOURCE_TYPE 1");
}

TEST_F(CoverageTest, filters_hold_all_at_once_and_absent_values_are_not_equal) {
  put_inventory("a", {}, {{"env", "prod"}});
  put_inventory("b", {}, {{"env", "test"}});
  put_inventory("c", {});
  EXPECT_EQ(listed(R"({"resourceId":[{"comparison":"EQUALS","value":"a"},)"
                   R"({"comparison":"EQUALS","value":"c"}]})"),
            "a c");
  EXPECT_EQ(listed(R"({"resourceId":[{"comparison":"NOT_EQUALS","value":"a"},)"
                   R"({"comparison":"NOT_EQUALS","value":"c"}]})"),
            "b");
  EXPECT_EQ(listed(R"({"ec2InstanceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}],)"
                   R"("resourceId":[{"comparison":"NOT_EQUALS","value":"a"}]})"),
            "");
  EXPECT_EQ(listed(R"({"ecrRepositoryName":[{"comparison":"NOT_EQUALS","value":"x"}]})"), "a b c");
  EXPECT_EQ(listed(R"({"ecrRepositoryName":[{"comparison":"EQUALS","value":"x"}]})"), "");
  EXPECT_EQ(listed(R"({"ecrImageInUseCount":[{"lowerInclusive":0}]})"), "");
  EXPECT_EQ(listed(R"({"imagePulledAt":[{"endInclusive":2000000000}]})"), "");
  EXPECT_EQ(listed(R"({"scanMode":[{"comparison":"EQUALS","value":"EC2_AGENTLESS"}]})"), "");
  EXPECT_EQ(listed(R"({"accountId":[{"comparison":"NOT_EQUALS","value":"111122223333"}]})"), "");
  EXPECT_EQ(listed(R"({"resourceId":[{"comparison":"EQUALS","value":"' OR 1=1 --"}]})"), "");
}

TEST_F(CoverageTest, a_field_that_the_model_does_not_know_is_ignored_whatever_it_holds) {
  put_inventory("a", {});
  std::string many = R"({"comparison":"EQUALS","value":"x\u0000"})";
  for (int i = 0; i < 2'000; ++i) many += R"(,{"comparison":"EQUALS","value":"x"})";
  EXPECT_EQ(listed(fmt::format(R"({{"newer":[{}],"resourceId":null}})", many)), "a");
  EXPECT_EQ(groups(fmt::format(R"({{"filterCriteria":{{"newer":[{}]}}}})", many)), "1:");
}

TEST_F(CoverageTest, every_resource_is_of_the_provider_whose_types_it_has) {
  put_inventory("a", {});
  put_inventory("b", {});
  set("b", "region = 'eu-west-1'");
  EXPECT_EQ(listed(R"({"cloudProvider":[{"comparison":"EQUALS","value":"AWS"}]})"), "a b");
  EXPECT_EQ(listed(R"({"cloudProvider":[{"comparison":"EQUALS","value":"GCP"}]})"), "");
  EXPECT_EQ(listed(R"({"cloudProvider":[{"comparison":"NOT_EQUALS","value":"AZURE"}]})"), "a b");
  EXPECT_EQ(listed(R"({"cloudProviderRegion":[{"comparison":"EQUALS","value":"eu-west-1"}]})"),
            "b");
  EXPECT_EQ(
      listed(R"({"cloudProviderAccountId":[{"comparison":"EQUALS","value":"111122223333"}]})"),
      "a b");
  EXPECT_EQ(listed(R"({"cloudProviderOrgId":[{"comparison":"EQUALS","value":"o-1"}]})"), "");
  EXPECT_EQ(listed(R"({"machineImageTags":[{"comparison":"EQUALS","key":"k"}]})"), "");
  EXPECT_EQ(groups(R"({"groupBy":"PROVIDER"})"), "2: PROVIDER 2");
  EXPECT_EQ(groups(R"({"groupBy":"PROVIDER_REGION"})"), "2: PROVIDER_REGION 1 PROVIDER_REGION 1");
  EXPECT_EQ(groups(R"({"groupBy":"PROVIDER_ORG_ID"})"), "2:");
}

TEST_F(CoverageTest, last_scans_are_found_by_their_time) {
  use_advisories({{"PYSEC-1", osv_advisory("PYSEC-1", "a", "2.0")}});
  put_inventory("a", {{"a", "1.0"}});
  evaluate();
  put_inventory("b", {{"a", "1.0"}});
  EXPECT_EQ(listed(fmt::format(R"({{"lastScannedAt":[{{"startInclusive":{}}}]}})", clock_)), "a");
  EXPECT_EQ(listed(fmt::format(R"({{"lastScannedAt":[{{"startInclusive":{}}}]}})", clock_ + 1)),
            "");
}

TEST_F(CoverageTest, pages_show_every_resource_once_and_tokens_are_bound_to_their_question) {
  for (int i = 0; i < 11; ++i) put_inventory(fmt::format("r{:02}", i), {});
  EXPECT_EQ(listed("{}", 3), "r00 r01 r02 r03 r04 r05 r06 r07 r08 r09 r10");
  json::Parser parser;
  const auto text = answer("ListCoverage", R"({"maxResults":3})");
  const auto token = std::string((*parser.parse(text))["nextToken"].string());
  EXPECT_EQ(refusal("ListCoverage",
                    fmt::format(R"({{"filterCriteria":{{"resourceId":[{{"comparison":"EQUALS",)"
                                R"("value":"a"}}]}},"nextToken":"{}"}})",
                                token)),
            "ValidationException: The nextToken is not valid for this request");
  become(second_account);
  EXPECT_EQ(refusal("ListCoverage", fmt::format(R"({{"nextToken":"{}"}})", token)),
            "ValidationException: The nextToken is not valid for this request");
}

TEST_F(CoverageTest, another_accounts_resources_are_not_seen) {
  put_inventory("a", {});
  become(second_account);
  EXPECT_EQ(listed("{}"), "");
  EXPECT_EQ(groups("{}"), "0:");
}

TEST_F(CoverageTest, a_host_that_has_not_reported_for_seven_days_is_stale) {
  put_inventory("a", {});
  put_inventory("b", {});
  set("b", "type = 'AWS_ECR_CONTAINER_IMAGE'");
  clock_ += 7 * day;
  EXPECT_EQ(listed(R"({"scanStatusCode":[{"comparison":"EQUALS","value":"INACTIVE"}]})"), "");
  clock_ += 1;
  EXPECT_EQ(listed(R"({"scanStatusCode":[{"comparison":"EQUALS","value":"INACTIVE"}]})"), "a");
  EXPECT_EQ(listed(R"({"scanStatusReason":[{"comparison":"EQUALS","value":"STALE_INVENTORY"}]})"),
            "a");
  EXPECT_NE(answer("ListCoverage").find(R"("reason":"STALE_INVENTORY","statusCode":"INACTIVE")"),
            std::string::npos);
  EXPECT_EQ(groups(R"({"groupBy":"SCAN_STATUS_CODE"})"),
            "2: SCAN_STATUS_CODE 1 SCAN_STATUS_CODE 1");
}

TEST_F(CoverageTest, a_host_whose_agent_was_revoked_is_unmanaged_until_it_is_heard_of_again) {
  put_inventory("a", {});
  put_inventory("b", {});
  {
    auto connection = pool_->lease();
    for (const auto* host : {"a", "b"})
      ASSERT_TRUE(store::replace_agent(**connection,
                                       {.id = host, .account = who_.account, .resource = host}));
    ASSERT_TRUE(store::end_agent(**connection, "a", store::AgentStatus::revoked, clock_).value());
  }
  const auto* unmanaged =
      R"({"scanStatusReason":[{"comparison":"EQUALS","value":"UNMANAGED_EC2_INSTANCE"}]})";
  EXPECT_EQ(listed(unmanaged), "a");
  EXPECT_EQ(listed(R"({"scanStatusCode":[{"comparison":"EQUALS","value":"INACTIVE"}]})"), "a");
  EXPECT_NE(
      answer("ListCoverage").find(R"("reason":"UNMANAGED_EC2_INSTANCE","statusCode":"INACTIVE")"),
      std::string::npos);
  clock_ += 30 * day;  // what is to be done is the same
  EXPECT_EQ(listed(unmanaged), "a");
  put_inventory("a", {});
  EXPECT_EQ(listed(unmanaged), "");
}

TEST_F(CoverageTest, what_is_gone_is_listed_for_three_days) {
  put_inventory("a", {});
  set("a", fmt::format("coverage_status = 'INACTIVE', coverage_reason = 'RESOURCE_TERMINATED', "
                       "changed_at = {}",
                       clock_));
  clock_ += 3 * day;
  EXPECT_EQ(listed(R"({"scanStatusReason":[{"comparison":"EQUALS",)"
                   R"("value":"RESOURCE_TERMINATED"}]})"),
            "a");
  clock_ += 1;
  EXPECT_EQ(listed("{}"), "");
}

TEST_F(CoverageTest, statistics_count_groups_the_largest_first_in_pages_of_five) {
  for (int i = 0; i < 4; ++i) put_inventory(fmt::format("a{}", i), {});
  set("a0", "coverage_reason = 'UNSUPPORTED_OS', coverage_status = 'INACTIVE'");
  EXPECT_EQ(groups("{}"), "4:");
  EXPECT_EQ(groups(R"({"groupBy":"SCAN_STATUS_REASON"})"),
            "4: SCAN_STATUS_REASON 3 SCAN_STATUS_REASON 1");
  EXPECT_EQ(groups(R"({"groupBy":"ACCOUNT_ID"})"), "4: ACCOUNT_ID 4");
  EXPECT_EQ(groups(R"({"filterCriteria":{"scanStatusCode":[{"comparison":"EQUALS",)"
                   R"("value":"INACTIVE"}]},"groupBy":"RESOURCE_TYPE"})"),
            "1: RESOURCE_TYPE 1");
}

TEST_F(CoverageTest, images_are_found_and_counted_by_their_repository) {
  const auto push = [&](const std::string& name, char c) {
    put_report(
        {.external_id = name + "@sha256:" + std::string(64, c), .type = "AWS_ECR_CONTAINER_IMAGE"},
        test::python_host({}));
  };
  push("zeta/app", 'a');
  push("zeta/app", 'b');
  push("r.example/alpha/app", 'c');
  put_inventory("i-1", {});
  EXPECT_EQ(groups(R"({"groupBy":"ECR_REPOSITORY_NAME"})"),
            "4: ECR_REPOSITORY_NAME 2 ECR_REPOSITORY_NAME 1");
  const auto ask = [&](std::string_view field, std::string_view comparison,
                       std::string_view value) {
    const auto found = listed(
        fmt::format(R"({{"{}":[{{"comparison":"{}","value":"{}"}}]}})", field, comparison, value));
    return found.empty() ? 0 : std::ranges::count(found, ' ') + 1;
  };
  for (const auto* field : {"ecrRepositoryName", "cloudContainerRepositoryName"}) {
    EXPECT_EQ(ask(field, "EQUALS", "zeta/app"), 2) << field;
    EXPECT_EQ(ask(field, "NOT_EQUALS", "zeta/app"), 2) << field;
    EXPECT_EQ(ask(field, "EQUALS", "zeta"), 0) << field;
  }
  EXPECT_EQ(ask("cloudContainerRegistryName", "EQUALS", "r.example"), 1);
  EXPECT_EQ(ask("cloudContainerRegistryName", "EQUALS", own_account), 2);
  EXPECT_TRUE(
      answer("ListCoverage")
          .contains(R"("resourceMetadata":{"ecrImage":{},"ecrRepository":{"name":"zeta/app"}})"));
}

TEST_F(CoverageTest, a_code_repository_is_found_by_the_provider_that_it_shows) {
  put_inventory("i-1", {});
  put_report({.external_id = "g", .type = "CODE_REPOSITORY"}, test::python_host({}));
  for (const auto* field : {"codeRepositoryProviderType", "codeRepositoryProviderTypeVisibility"}) {
    const auto ask = [&](std::string_view comparison) {
      return listed(
          fmt::format(R"({{"{}":[{{"comparison":"{}","value":"UNKNOWN"}}]}})", field, comparison));
    };
    EXPECT_EQ(ask("EQUALS"), "g") << field;
    EXPECT_EQ(ask("NOT_EQUALS"), "i-1") << field;
  }
}

TEST_F(CoverageTest, fields_of_all_clouds_mean_those_of_aws) {
  put_inventory("i-1", {}, {{"k", "v"}});
  put_report({.external_id = "f", .type = "AWS_LAMBDA_FUNCTION", .tags = {{"k", "v"}}},
             test::python_host({}));
  EXPECT_EQ(listed(R"({"cloudVmInstanceTags":[{"comparison":"EQUALS","key":"k"}]})"), "i-1");
  EXPECT_EQ(listed(R"({"cloudServerlessFunctionTags":[{"comparison":"EQUALS","key":"k"}]})"), "f");
  EXPECT_EQ(listed(R"({"cloudServerlessFunctionName":[{"comparison":"EQUALS","value":"f"}]})"),
            "f");
  EXPECT_EQ(listed(R"({"cloudVmInstanceTags":[{"comparison":"EQUALS","key":"k","value":"v"}],)"
                   R"("ec2InstanceTags":[{"comparison":"EQUALS","key":"k","value":"w"}]})"),
            "");
}

TEST_F(CoverageTest, no_image_is_known_to_run_in_a_cluster) {
  EXPECT_EQ(
      answer("GetClustersForImage",
             R"({"filter":{"resourceId":"arn:aws:ecr:us-east-1:111122223333:repository/a"}})"),
      R"({"cluster":[]})");
}

}  // namespace
}  // namespace tenken::api
