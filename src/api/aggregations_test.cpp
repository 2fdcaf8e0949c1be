#include "api/api_fixture.h"
#include "store/findings.h"
#include "store/resources.h"

namespace tenken::api {
namespace {

class AggregationsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    use_advisories({{"PYSEC-1", osv_advisory("PYSEC-1", "a", "2.0")},
                    {"PYSEC-2", osv_advisory("PYSEC-2", "b", "2.0")},
                    {"PYSEC-3", osv_advisory("PYSEC-3", "b", "3.0")}});
    put_inventory("web-1", {{"a", "1.0"}, {"b", "1.0"}}, {{"env", "prod"}});
    put_inventory("web-2", {{"b", "2.5"}}, {{"env", "test"}});
    put_inventory("web-3", {{"b", "1.0"}});
    put_inventory("web-4", {{"c", "1.0"}});
    evaluate();
  }

  // "<key> <all>/<critical>" of each group, over all pages.
  std::string groups(std::string_view type, std::string_view member, std::string_view key,
                     std::string_view request = "", int page = 100, std::string_view more = "") {
    std::string out;
    std::string token;
    for (int pages = 0; pages < 50; ++pages) {
      const auto asked = request.empty()
                             ? std::string()
                             : fmt::format(R"(,"aggregationRequest":{{"{}":{}}})", member, request);
      const auto text = answer("ListFindingAggregations",
                               fmt::format(R"({{"aggregationType":"{}","maxResults":{}{}{}{}}})",
                                           type, page, asked, more, token));
      json::Parser parser;
      const auto root = parser.parse(text);
      EXPECT_TRUE(root);
      (*root)["responses"].for_each([&](json::Value group) {
        const auto one = group[member];
        const auto counts = one["severityCounts"];
        out += fmt::format("{}{} {}/{}", out.empty() ? "" : ", ", one[key].string(),
                           counts["all"].integer().value_or(-1),
                           counts["critical"].integer().value_or(-1));
      });
      const auto next = (*root)["nextToken"].string();
      if (next.empty()) return out;
      token = fmt::format(R"(,"nextToken":"{}")", next);
    }
    return "no end";
  }
  std::string hosts(std::string_view request = "", int page = 100) {
    return groups("AWS_EC2_INSTANCE", "ec2InstanceAggregation", "instanceId", request, page);
  }
  std::string titles(std::string_view request = "", int page = 100) {
    return groups("TITLE", "titleAggregation", "title", request, page);
  }
  std::string packages(std::string_view request = "", int page = 100) {
    return groups("PACKAGE", "packageAggregation", "packageName", request, page);
  }
  std::string accounts(std::string_view request = "") {
    return groups("ACCOUNT", "accountAggregation", "accountId", request);
  }
};

TEST_F(AggregationsTest, findings_are_counted_by_resource_title_package_and_account) {
  EXPECT_EQ(hosts(R"({"sortBy":"ALL"})"), "web-1 3/3, web-3 2/2, web-2 1/1");
  EXPECT_EQ(titles(), "PYSEC-3 - b 3/3, PYSEC-2 - b 2/2, PYSEC-1 - a 1/1");
  EXPECT_EQ(packages(), "b 5/5, a 1/1");
  EXPECT_EQ(accounts(), "111122223333 6/6");
  EXPECT_EQ(groups("FINDING_TYPE", "findingTypeAggregation", "accountId"), "111122223333 6/6");
}

TEST_F(AggregationsTest, every_severity_of_the_model_is_counted) {
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(
        (*connection)->run("UPDATE match SET score = 39 WHERE vulnerability_id = 'PYSEC-1'"));
    ASSERT_TRUE(
        (*connection)->run("UPDATE match SET score = 0 WHERE vulnerability_id = 'PYSEC-2'"));
    ASSERT_TRUE(
        (*connection)->run("UPDATE match SET score = -1 WHERE vulnerability_id = 'PYSEC-3'"));
    auto transaction = sql::Transaction::begin(**connection, sql::Transaction::Mode::write);
    std::vector<store::ResourceEvaluation> again;
    for (const auto* host : {"web-1", "web-2", "web-3"})
      again.push_back({store::resource_id(own_account, host),
                       {.now = clock_, .transition = 1, .cause = "test"}});
    ASSERT_TRUE(store::evaluate_resources(**connection, again));
    ASSERT_TRUE(transaction->commit());
  }
  const auto counted = [&](std::string_view type) {
    return answer("ListFindingAggregations", fmt::format(R"({{"aggregationType":"{}"}})", type));
  };
  EXPECT_TRUE(
      counted("ACCOUNT").contains(R"("severityCounts":{"all":6,"critical":0,"high":0,"medium":0,)"
                                  R"("low":1,"informational":2,"untriaged":3})"));
  EXPECT_TRUE(counted("AWS_EC2_INSTANCE")
                  .contains(R"("severityCounts":{"all":3,"critical":0,"high":0,"medium":0,)"
                            R"("low":1,"informational":1,"untriaged":1})"));
  EXPECT_TRUE(counted("PACKAGE").contains(
      R"("packageName":"b","severityCounts":{"all":5,"critical":0,"high":0,"medium":0,)"
      R"("low":0,"informational":2,"untriaged":3})"));
}

TEST_F(AggregationsTest, pages_show_every_group_once_in_either_direction) {
  EXPECT_EQ(hosts(R"({"sortBy":"ALL","sortOrder":"ASC"})", 1), "web-2 1/1, web-3 2/2, web-1 3/3");
  EXPECT_EQ(hosts(R"({"sortBy":"CRITICAL"})", 2), "web-1 3/3, web-3 2/2, web-2 1/1");
  EXPECT_EQ(titles(R"({"sortBy":"HIGH"})", 1), "PYSEC-1 - a 1/1, PYSEC-2 - b 2/2, PYSEC-3 - b 3/3");
  EXPECT_EQ(packages(R"({"sortOrder":"ASC"})", 1), "a 1/1, b 5/5");
}

TEST_F(AggregationsTest, a_request_filters_its_groups) {
  EXPECT_EQ(hosts(R"({"instanceIds":[{"comparison":"PREFIX","value":"web-"},)"
                  R"({"comparison":"NOT_EQUALS","value":"web-1"}]})"),
            "web-3 2/2, web-2 1/1");
  EXPECT_EQ(hosts(R"({"instanceTags":[{"comparison":"EQUALS","key":"env","value":"test"}]})"),
            "web-2 1/1");
  EXPECT_EQ(hosts(R"({"amis":[{"comparison":"EQUALS","value":"ami-1"}]})"), "");
  EXPECT_EQ(hosts(R"({"amis":[{"comparison":"NOT_EQUALS","value":"ami-1"}],"sortBy":"ALL"})"),
            "web-1 3/3, web-3 2/2, web-2 1/1");
  EXPECT_EQ(titles(R"({"vulnerabilityIds":[{"comparison":"EQUALS","value":"PYSEC-2"}]})"),
            "PYSEC-2 - b 2/2");
  EXPECT_EQ(titles(R"({"titles":[{"comparison":"PREFIX","value":"PYSEC-3 - "}]})"),
            "PYSEC-3 - b 3/3");
  EXPECT_EQ(titles(R"({"resourceType":"AWS_LAMBDA_FUNCTION"})"), "");
  EXPECT_EQ(packages(R"({"packageNames":[{"comparison":"NOT_EQUALS","value":"b"}]})"), "a 1/1");
  EXPECT_EQ(accounts(R"({"findingType":"NETWORK_REACHABILITY"})"), "");
  EXPECT_EQ(accounts(R"({"resourceType":"AWS_EC2_INSTANCE"})"), "111122223333 6/6");
  EXPECT_EQ(groups("ACCOUNT", "accountAggregation", "accountId", "", 100,
                   R"(,"accountIds":[{"comparison":"NOT_EQUALS","value":"111122223333"}])"),
            "");
  EXPECT_EQ(titles(R"({"titles":[{"comparison":"EQUALS","value":"') OR 1=1 --"}]})"), "");
}

TEST_F(AggregationsTest, what_the_model_does_not_know_of_a_request_is_ignored) {
  const auto all = packages("{}");
  EXPECT_NE(all, "");
  EXPECT_EQ(packages(R"({"newer":[{"comparison":"EQUALS","value":"x"}]})"), all);
  EXPECT_EQ(packages(R"({"resourceType":"x","findingType":"x","packageNames":null})"), all);
}

TEST_F(AggregationsTest,
       types_without_findings_are_empty_and_a_request_of_another_type_is_refused) {
  for (const auto* type : {"AMI", "REPOSITORY", "IMAGE_LAYER", "LAMBDA_LAYER", "AWS_ECR_CONTAINER",
                           "AWS_LAMBDA_FUNCTION", "CODE_REPOSITORY"})
    EXPECT_EQ(answer("ListFindingAggregations", fmt::format(R"({{"aggregationType":"{}"}})", type)),
              fmt::format(R"({{"aggregationType":"{}","responses":[]}})", type));
  EXPECT_EQ(
      refusal("ListFindingAggregations",
              R"({"aggregationType":"TITLE","aggregationRequest":{"packageAggregation":{}}})"),
      "ValidationException: aggregationRequest: titleAggregation is needed for the type "
      "TITLE");
}

TEST_F(AggregationsTest, instances_are_counted_by_the_image_they_were_started_from) {
  const auto start = [&](std::string_view id, std::string_view image,
                         const std::map<std::string, std::string>& packages) {
    put_report({.external_id = std::string(id)}, test::python_host(packages),
               {.cloud = {.image = std::string(image)}});
  };
  start("i-1", "ami-11111111", {{"a", "1.0"}, {"b", "1.0"}});
  start("i-2", "ami-22222222", {{"b", "2.5"}});
  start("i-3", "ami-22222222", {{"b", "2.5"}});
  start("i-4", "ami-33333333", {{"c", "1.0"}});
  evaluate();
  const auto amis = [&](std::string_view request = "", int page = 100) {
    return groups("AMI", "amiAggregation", "ami", request, page);
  };
  EXPECT_EQ(amis(), "ami-11111111 3/3, ami-22222222 2/2");
  EXPECT_EQ(amis(R"({"sortBy":"AFFECTED_INSTANCES"})", 1), "ami-22222222 2/2, ami-11111111 3/3");
  EXPECT_EQ(amis(R"({"amis":[{"comparison":"NOT_EQUALS","value":"ami-11111111"}]})"),
            "ami-22222222 2/2");
  EXPECT_EQ(amis(R"({"scanSources":["INSTANCE_SCAN"]})"), "ami-11111111 3/3, ami-22222222 2/2");
  EXPECT_EQ(amis(R"({"scanSources":["MACHINE_IMAGE_SCAN"]})"), "");
  EXPECT_EQ(answer("ListFindingAggregations",
                   R"({"aggregationType":"AMI","aggregationRequest":{"amiAggregation":)"
                   R"({"amis":[{"comparison":"EQUALS","value":"ami-22222222"}]}}})"),
            R"({"aggregationType":"AMI","responses":[{"amiAggregation":{)"
            R"("accountId":"111122223333","ami":"ami-22222222","affectedInstances":2,)"
            R"("scanSource":"INSTANCE_SCAN",)"
            R"("severityCounts":{"all":2,"critical":2,"high":0,"medium":0,)"
            R"("low":0,"informational":0,"untriaged":0}}}]})");
  const auto* one = R"([{"comparison":"EQUALS","value":"ami-11111111"}])";
  EXPECT_EQ(hosts(fmt::format(R"({{"amis":{}}})", one)), "i-1 3/3");
  EXPECT_EQ(groups("VM_INSTANCE", "vmInstanceAggregation", "vmImageReference",
                   fmt::format(R"({{"vmImageReferences":{}}})", one)),
            "ami-11111111 3/3");
}

TEST_F(AggregationsTest, images_are_counted_by_their_repository) {
  const auto hash = [](char c) { return "sha256:" + std::string(64, c); };
  const auto push = [&](const std::string& name, char c,
                        const std::map<std::string, std::string>& packages) {
    put_report({.external_id = name + "@" + hash(c), .type = "AWS_ECR_CONTAINER_IMAGE"},
               test::python_host(packages));
  };
  push("zeta/app", 'a', {{"b", "2.5"}});
  push("zeta/app", 'b', {{"b", "2.5"}});
  push("r.example/alpha/app", 'c', {{"a", "1.0"}, {"b", "1.0"}});
  push("clean/app", 'd', {{"c", "1.0"}});
  evaluate();
  const auto repositories = [&](std::string_view request = "", int page = 100) {
    return groups("REPOSITORY", "repositoryAggregation", "repository", request, page);
  };
  EXPECT_EQ(repositories(), "alpha/app 3/3, zeta/app 2/2");
  EXPECT_EQ(repositories(R"({"sortBy":"AFFECTED_IMAGES"})", 1), "zeta/app 2/2, alpha/app 3/3");
  EXPECT_EQ(repositories(R"({"repositories":[{"comparison":"PREFIX","value":"alpha/"}]})"),
            "alpha/app 3/3");
  EXPECT_TRUE(answer("ListFindingAggregations", R"({"aggregationType":"REPOSITORY"})")
                  .contains(R"("repository":"zeta/app","affectedImages":2)"));
  const auto by = [&](std::string_view type, std::string_view member, std::string_view shown,
                      std::string_view field, const std::string& value) {
    return groups(
        type, member, shown,
        fmt::format(R"({{"{}":[{{"comparison":"EQUALS","value":"{}"}}]}})", field, value));
  };
  const std::pair<std::string_view, std::string_view> own[] = {{"imageShas", "imageSha"},
                                                               {"repositories", "repository"}};
  const std::pair<std::string_view, std::string_view> any[] = {
      {"imageDigests", "imageDigest"}, {"repositories", "repository"}, {"registries", "registry"}};
  for (const auto& [field, shown] : own) {
    const auto value = shown == "repository" ? "alpha/app" : hash('c');
    EXPECT_EQ(by("AWS_ECR_CONTAINER", "awsEcrContainerAggregation", shown, field, value),
              value + " 3/3");
  }
  for (const auto& [field, shown] : any) {
    const auto value = shown == "repository" ? "alpha/app"
                       : shown == "registry" ? "r.example"
                                             : hash('c');
    EXPECT_EQ(by("CONTAINER_IMAGE", "containerImageAggregation", shown, field, value),
              value + " 3/3");
  }
}

TEST_F(AggregationsTest, what_closes_is_no_longer_counted) {
  put_inventory("web-1", {{"a", "2.0"}, {"b", "2.0"}});
  evaluate();
  EXPECT_TRUE(hosts(R"({"sortBy":"ALL"})").starts_with("web-3 2/2, web-"));
  EXPECT_EQ(titles(), "PYSEC-3 - b 3/3, PYSEC-2 - b 1/1");
  EXPECT_EQ(packages(), "b 4/4");
  use_advisories({{"PYSEC-2", osv_advisory("PYSEC-2", "b", "2.0")}});
  evaluate();
  EXPECT_EQ(hosts(), "web-3 1/1");
  EXPECT_EQ(accounts(), "111122223333 1/1");
}

TEST_F(AggregationsTest, a_resource_of_another_type_is_counted_as_that) {
  auto connection = pool_->lease();
  ASSERT_TRUE((*connection)
                  ->run("UPDATE resource SET type = 'AWS_LAMBDA_FUNCTION' WHERE resource_id = ?1",
                        store::resource_id(own_account, "web-1").value));
  auto transaction = sql::Transaction::begin(**connection, sql::Transaction::Mode::write);
  const store::ResourceEvaluation again{store::resource_id(own_account, "web-1"),
                                        {.now = clock_, .transition = 1, .cause = "test"}};
  ASSERT_TRUE(store::evaluate_resources(**connection, std::span(&again, 1)));
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(hosts(), "web-3 2/2, web-2 1/1");
  EXPECT_EQ(titles(R"({"resourceType":"AWS_LAMBDA_FUNCTION"})"),
            "PYSEC-1 - a 1/1, PYSEC-2 - b 1/1, PYSEC-3 - b 1/1");
  EXPECT_EQ(groups("AWS_LAMBDA_FUNCTION", "lambdaFunctionAggregation", "resourceId"), "web-1 3/3");
}

TEST_F(AggregationsTest, the_same_resources_are_machines_of_a_provider) {
  const auto machines = [&](std::string_view request) {
    return groups("VM_INSTANCE", "vmInstanceAggregation", "resourceId", request);
  };
  const std::string_view all = "web-1 3/3, web-3 2/2, web-2 1/1";
  EXPECT_EQ(machines("{}"), all);
  EXPECT_EQ(machines(R"({"cloudProviders":[{"comparison":"EQUALS","value":"AWS"}],)"
                     R"("cloudRegions":[{"comparison":"EQUALS","value":"us-east-1"}],)"
                     R"("cloudPartitions":[{"comparison":"EQUALS","value":"aws"}],)"
                     R"("cloudAccountIds":[{"comparison":"EQUALS","value":"111122223333"}]})"),
            all);
  EXPECT_EQ(machines(R"({"instanceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}]})"),
            "web-1 3/3");
  for (const auto* none : {"cloudProviders", "cloudRegions", "cloudPartitions", "cloudAccountIds",
                           "cloudOrgIds", "vmImageReferences"})
    EXPECT_EQ(machines(fmt::format(R"({{"{}":[{{"comparison":"EQUALS","value":"x"}}]}})", none)),
              "")
        << none;
  EXPECT_EQ(groups("CONTAINER_IMAGE", "containerImageAggregation", "resourceId", "{}"), "");
  EXPECT_EQ(groups("SERVERLESS_FUNCTION", "serverlessFunctionAggregation", "resourceId", "{}"), "");
}

TEST_F(AggregationsTest, another_account_sees_nothing_of_it) {
  become(second_account);
  EXPECT_EQ(accounts() + hosts() + titles() + packages(), "");
}

TEST_F(AggregationsTest, usage_is_counted_and_costs_nothing) {
  clock_ += 7'200;
  EXPECT_EQ(answer("ListUsageTotals"),
            R"({"totals":[{"accountId":"111122223333","usage":[)"
            R"({"currency":"USD","estimatedMonthlyCost":0,"total":8,"type":"EC2_INSTANCE_HOURS"},)"
            R"({"currency":"USD","estimatedMonthlyCost":0,"total":0,"type":"ECR_INITIAL_SCAN"},)"
            R"({"currency":"USD","estimatedMonthlyCost":0,"total":0,)"
            R"("type":"LAMBDA_FUNCTION_HOURS"},)"
            R"({"currency":"USD","estimatedMonthlyCost":0,"total":0,)"
            R"("type":"CODE_REPOSITORY_SCA"}]}]})");
  EXPECT_EQ(answer("ListUsageTotals", R"({"accountIds":["444455556666"]})"), R"({"totals":[]})");
}

TEST_F(AggregationsTest, there_are_no_free_trials) {
  EXPECT_EQ(answer("BatchGetFreeTrialInfo", R"({"accountIds":["111122223333","444455556666"]})"),
            R"({"accounts":[{"accountId":"111122223333","freeTrialInfo":[]}],)"
            R"("failedAccounts":[{"accountId":"444455556666","code":"ACCESS_DENIED",)"
            R"("message":"The account is not visible to the caller"}]})");
}

}  // namespace
}  // namespace tenken::api
