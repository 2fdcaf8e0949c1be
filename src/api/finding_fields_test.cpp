// Whatever a finding shows, criteria find it by, and no more: in lists and in rules alike.
#include <algorithm>
#include <set>

#include "api/api_fixture.h"
#include "api/finding_document.h"
#include "base/text.h"
#include "findings/criteria.h"

namespace tenken::api {
namespace {

using Texts = std::vector<std::string>;

const std::string hash_of_zeta = "sha256:" + std::string(64, 'a');
const std::string hash_of_alpha = "sha256:" + std::string(64, 'b');

// Where a finding shows the field: members one after the other, the first of each list.
struct ShownField {
  std::string_view name;
  std::string_view path;
};
constexpr ShownField text_fields[] = {
    {"awsAccountId", "awsAccountId"},
    {"cloudImageArchitecture", "resources.details.awsEcrContainerImage.architecture"},
    {"cloudImageDigest", "resources.details.awsEcrContainerImage.imageHash"},
    {"cloudImageRegistry", "resources.details.awsEcrContainerImage.registry"},
    {"cloudImageRepositoryName", "resources.details.awsEcrContainerImage.repositoryName"},
    {"cloudProvider", "resources.provider"},
    {"cloudProviderAccountId", "resources.providerAccountId"},
    {"cloudProviderRegion", "resources.region"},
    {"cloudVmImageReference", "resources.details.awsEc2Instance.imageId"},
    {"cloudVmNetworkId", "resources.details.awsEc2Instance.vpcId"},
    {"cloudVmSubnetIds", "resources.details.awsEc2Instance.subnetId"},
    {"ec2InstanceImageId", "resources.details.awsEc2Instance.imageId"},
    {"ec2InstanceSubnetId", "resources.details.awsEc2Instance.subnetId"},
    {"ec2InstanceVpcId", "resources.details.awsEc2Instance.vpcId"},
    {"ecrImageArchitecture", "resources.details.awsEcrContainerImage.architecture"},
    {"ecrImageHash", "resources.details.awsEcrContainerImage.imageHash"},
    {"ecrImageRegistry", "resources.details.awsEcrContainerImage.registry"},
    {"ecrImageRepositoryName", "resources.details.awsEcrContainerImage.repositoryName"},
    {"exploitAvailable", "exploitAvailable"},
    {"findingArn", "findingArn"},
    {"findingType", "type"},
    {"fixAvailable", "fixAvailable"},
    {"relatedVulnerabilities", "packageVulnerabilityDetails.relatedVulnerabilities"},
    {"resourceId", "resources.id"},
    {"resourceType", "resources.type"},
    {"severity", "severity"},
    {"title", "title"},
    {"vendorSeverity", "packageVulnerabilityDetails.vendorSeverity"},
    {"vulnerabilityId", "packageVulnerabilityDetails.vulnerabilityId"},
    {"vulnerabilitySource", "packageVulnerabilityDetails.source"},
};
// A rule is judged as if the finding were ACTIVE, and by the time before it changed it.
constexpr ShownField text_fields_of_lists[] = {{"findingStatus", "status"}};
constexpr ShownField number_fields[] = {{"epssScore", "epss.score"},
                                        {"inspectorScore", "inspectorScore"}};
constexpr ShownField date_fields[] = {{"firstObservedAt", "firstObservedAt"},
                                      {"lastObservedAt", "lastObservedAt"},
                                      {"updatedAt", "updatedAt"}};
constexpr ShownField package_fields[] = {{"architecture", "arch"},
                                         {"filePath", "filePath"},
                                         {"name", "name"},
                                         {"release", "release"},
                                         {"version", "version"}};

json::Value at(json::Value value, std::string_view path) {
  while (!path.empty()) {
    const auto [name, rest] = split_once(path, '.');
    value = value[name];
    if (value.is_array()) {
      json::Value first;
      value.for_each([&](json::Value one) {
        if (!first) first = one;
      });
      value = first;
    }
    path = rest.value_or("");
  }
  return value;
}

std::string text_of(json::Value value) {
  if (const auto number = value.number()) return fmt::format("{}", *number);
  return std::string(value.string());
}

class FindingFieldsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    use_advisories({{"PYSEC-1", advisory("PYSEC-1", R"("aliases":["CVE-2024-0001"],)", "alpha")},
                    {"PYSEC-2", advisory("PYSEC-2", R"("aliases":["CVE-2024-0002"],)", "beta")},
                    {"DEBIAN-1", debian_advisory()}});
    put_report({.external_id = "zeta/app@" + hash_of_zeta, .type = "AWS_ECR_CONTAINER_IMAGE"},
               debian("amd64"));
    put_report({.external_id = "registry.example/alpha/app@" + hash_of_alpha,
                .type = "AWS_ECR_CONTAINER_IMAGE",
                .region = "eu-west-1"},
               test::python_host({{"alpha", "1.0"}, {"beta", "1.0"}}));
    HostFacts facts{.architecture = "x86_64"};
    facts.cloud = {.image = "ami-0123456789abcdef0", .vpc = "vpc-1", .subnet = "subnet-1"};
    put_report({.external_id = "i-0a", .tags = {{"env", "prod"}}}, debian("amd64"), facts);
    facts.cloud.vpc = "vpc-2";
    put_report({.external_id = "i-0b", .tags = {{"env", "dev"}}},
               test::python_host({{"alpha", "1.0"}}), facts);
    put_report({.external_id = "mi-0"}, test::python_host({{"beta", "1.0"}}));
    put_report({.external_id = "fn", .type = "AWS_LAMBDA_FUNCTION"},
               test::python_host({{"alpha", "1.0"}}));
    evaluate();
  }

  static std::string advisory(std::string_view id, std::string_view more,
                              std::string_view package) {
    return osv_advisory(id, package, "2.0").insert(1, more);
  }
  static std::string debian_advisory() {
    return R"({"id":"DEBIAN-1","modified":"2024-01-01T00:00:00Z","upstream":["CVE-2024-0003"],)"
           R"("affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},)"
           R"("ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],)"
           R"("ecosystem_specific":{"urgency":"medium"}}]})";
  }
  static Inventory debian(std::string_view architecture) {
    Inventory out;
    out.target = Inventory::Target::host;
    out.databases_read = 1;
    out.os = {.id = "debian", .version_id = "12", .ecosystem = "Debian", .release = "12"};
    out.packages.push_back({.ecosystem = "Debian",
                            .release = "12",
                            .kind = "deb",
                            .name = "openssl",
                            .version = "1:3.0.1-2",
                            .arch = std::string(architecture)});
    return out;
  }

  // Each finding by its ARN.
  std::map<std::string, std::string> shown(std::string_view criteria = "{}") {
    std::map<std::string, std::string> out;
    const auto text = answer("ListFindings", fmt::format(R"({{"filterCriteria":{}}})", criteria));
    json::Parser parser;
    const auto root = parser.parse(text);
    EXPECT_TRUE(root);
    (*root)["findings"].for_each([&](json::Value one) {
      out[std::string(one["findingArn"].string())] = std::string(one["status"].string());
    });
    return out;
  }
  std::set<std::string> listed(std::string_view criteria) {
    std::set<std::string> out;
    for (const auto& [arn, status] : shown(criteria)) out.insert(arn);
    return out;
  }
  // Which a rule of these criteria suppresses.
  std::set<std::string> suppressed(std::string_view criteria) {
    const auto made = answer("CreateFilter", fmt::format(R"({{"name":"r","action":"SUPPRESS",)"
                                                         R"("filterCriteria":{}}})",
                                                         criteria));
    evaluate();
    std::set<std::string> out;
    for (const auto& [arn, status] : shown()) {
      if (status == "SUPPRESSED") out.insert(arn);
    }
    answer("DeleteFilter", made);
    evaluate();
    return out;
  }

  // The criteria find exactly those of which `means` holds.
  template <typename F>
  void expect(const std::string& criteria, F&& means, bool by_rules = true) {
    std::set<std::string> want;
    for (const auto& [arn, value] : values_) {
      if (means(value)) want.insert(arn);
    }
    EXPECT_EQ(listed(criteria), want) << criteria;
    if (by_rules) EXPECT_EQ(suppressed(criteria), want) << criteria;
  }
  // What each finding shows there; "": nothing.
  void read_values(std::string_view path) {
    values_.clear();
    const auto text = answer("ListFindings");
    json::Parser parser;
    const auto root = parser.parse(text);
    ASSERT_TRUE(root);
    (*root)["findings"].for_each([&](json::Value one) {
      values_[std::string(one["findingArn"].string())] = text_of(at(one, path));
    });
  }
  std::set<std::string> distinct() const {
    std::set<std::string> out;
    for (const auto& [arn, value] : values_) out.insert(value);
    out.erase("");
    return out;
  }

  void check_text(const ShownField& field, bool by_rules) {
    read_values(field.path);
    ASSERT_FALSE(distinct().empty()) << "no finding shows " << field.name;
    for (const auto& value : distinct()) {
      const auto criteria = [&](std::string_view comparison, std::string_view text) {
        return fmt::format(R"({{"{}":[{{"comparison":"{}","value":"{}"}}]}})", field.name,
                           comparison, text);
      };
      expect(criteria("EQUALS", value), [&](const auto& one) { return one == value; }, by_rules);
      expect(
          criteria("NOT_EQUALS", value), [&](const auto& one) { return one != value; }, by_rules);
      const auto start = value.substr(0, value.size() - 1);
      expect(
          criteria("PREFIX", start),
          [&](const auto& one) { return !one.empty() && one.starts_with(start); }, by_rules);
    }
  }

  std::map<std::string, std::string> values_;
};

TEST_F(FindingFieldsTest, every_field_of_the_model_is_of_findings_or_named_as_one_of_none) {
  std::set<std::string> known{"resourceTags", "vulnerablePackages", "lambdaFunctionName",
                              "cloudServerlessFunctionName", "codeRepositoryProjectName"};
  for (const auto& field : text_fields) known.emplace(field.name);
  for (const auto& field : text_fields_of_lists) known.emplace(field.name);
  for (const auto& field : number_fields) known.emplace(field.name);
  for (const auto& field : date_fields) known.emplace(field.name);
  for (const auto field : findings::absent_fields())
    EXPECT_TRUE(known.emplace(field).second) << field;
  std::set<std::string> all;
  const auto* const operation = model("ListFindings").operation("ListFindings");
  for (const auto& member : operation->input->member("filterCriteria")->shape->members)
    all.insert(member.name);
  EXPECT_EQ(known, all);
}

TEST_F(FindingFieldsTest, what_is_shown_is_found_by_lists_and_rules) {
  for (const auto& field : text_fields) check_text(field, true);
  for (const auto& field : text_fields_of_lists) check_text(field, false);
}

TEST_F(FindingFieldsTest, numbers_and_times_are_found_by_their_ranges) {
  const auto check = [&](const ShownField& field, std::string_view first, std::string_view last) {
    read_values(field.path);
    for (const auto& value : distinct())
      expect(
          fmt::format(R"({{"{0}":[{{"{1}":{3},"{2}":{3}}}]}})", field.name, first, last, value),
          [&](const auto& one) { return one == value; }, false);
    expect(
        fmt::format(R"({{"{}":[{{"{}":0}}]}})", field.name, first),
        [](const auto& one) { return !one.empty(); }, false);
  };
  for (const auto& field : number_fields) check(field, "lowerInclusive", "upperInclusive");
  for (const auto& field : date_fields) check(field, "startInclusive", "endInclusive");
}

TEST_F(FindingFieldsTest, packages_and_tags_are_found_as_they_are_shown) {
  for (const auto& field : package_fields) {
    read_values(fmt::format("packageVulnerabilityDetails.vulnerablePackages.{}", field.path));
    for (const auto& value : distinct()) {
      for (const bool equal : {true, false})
        expect(
            fmt::format(R"({{"vulnerablePackages":[{{"{}":{{"comparison":"{}","value":"{}"}}}}]}})",
                        field.name, equal ? "EQUALS" : "NOT_EQUALS", value),
            [&](const auto& one) { return (one == value) == equal; });
    }
  }
  read_values("packageVulnerabilityDetails.vulnerablePackages.epoch");
  expect(R"({"vulnerablePackages":[{"epoch":{"lowerInclusive":1}}]})",
         [](const auto& one) { return one == "1"; });
  read_values("resources.tags.env");
  expect(R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}]})",
         [](const auto& one) { return one == "prod"; });
}

TEST_F(FindingFieldsTest, a_function_and_a_project_are_named_by_their_ids) {
  read_values("resources.id");
  for (const auto* field : {"lambdaFunctionName", "cloudServerlessFunctionName"}) {
    const auto ask = [&](std::string_view comparison, std::string_view value) {
      return fmt::format(R"({{"{}":[{{"comparison":"{}","value":"{}"}}]}})", field, comparison,
                         value);
    };
    expect(ask("EQUALS", "fn"), [](const auto& one) { return one == "fn"; });
    expect(ask("NOT_EQUALS", "fn"), [](const auto& one) { return one != "fn"; });
    expect(ask("EQUALS", "mi-0"), [](const auto&) { return false; });
  }
  expect(R"({"codeRepositoryProjectName":[{"comparison":"NOT_EQUALS","value":"fn"}]})",
         [](const auto&) { return true; });
}

TEST_F(FindingFieldsTest, an_image_that_was_reported_by_its_tag_is_found_by_its_name) {
  put_report({.external_id = "registry.test:5000/shop:1.4", .type = "AWS_ECR_CONTAINER_IMAGE"},
             test::python_host({{"alpha", "1.0"}}));
  evaluate();
  for (const std::string_view where :
       {R"("ecrImageRepositoryName":[{"comparison":"EQUALS","value":"shop"}])",
        R"("ecrImageRegistry":[{"comparison":"EQUALS","value":"registry.test:5000"}])"})
    EXPECT_EQ(listed(fmt::format("{{{}}}", where)).size(), 1U) << where;
  EXPECT_TRUE(answer("ListCoverage").contains(R"("ecrRepository":{"name":"shop")"));
}

TEST_F(FindingFieldsTest, what_no_finding_has_equals_nothing) {
  read_values("findingArn");
  for (const auto field : findings::absent_fields()) {
    if (field == "portRange" || field.ends_with("At") || field.ends_with("Count")) continue;
    const auto ask = [&](std::string_view comparison) {
      return fmt::format(R"({{"{}":[{{"comparison":"{}","value":"x"}}]}})", field, comparison);
    };
    EXPECT_TRUE(listed(ask("EQUALS")).empty()) << field;
    EXPECT_EQ(listed(ask("NOT_EQUALS")).size(), values_.size()) << field;
  }
  for (const auto* range :
       {R"({"portRange":[{"beginInclusive":0}]})", R"({"ecrImagePushedAt":[{"startInclusive":0}]})",
        R"({"ecrImageInUseCount":[{"lowerInclusive":0}]})"})
    EXPECT_TRUE(listed(range).empty()) << range;
}

TEST_F(FindingFieldsTest, what_its_vendor_has_not_rated_has_no_vendor_severity) {
  const auto text = answer("ListFindings");
  json::Parser parser;
  const auto root = parser.parse(text);
  ASSERT_TRUE(root);
  std::size_t rated = 0;
  (*root)["findings"].for_each([&](json::Value one) {
    const auto details = one["packageVulnerabilityDetails"];
    const bool is_debian = details["vulnerabilityId"].string() == "CVE-2024-0003";
    EXPECT_EQ(details["vendorSeverity"].string(), is_debian ? "medium" : "");
    EXPECT_EQ(one["severity"].string(), is_debian ? "MEDIUM" : "CRITICAL");
    rated += is_debian ? 1 : 0;
  });
  EXPECT_EQ(rated, 2U);
}

// Each sort key of the model: pages of one finding follow what they show there.
TEST_F(FindingFieldsTest, every_sort_key_sorts_by_what_it_names) {
  const std::pair<std::string_view, std::string_view> keys[] = {
      {"AWS_ACCOUNT_ID", "awsAccountId"},
      {"FIRST_OBSERVED_AT", "firstObservedAt"},
      {"LAST_OBSERVED_AT", "lastObservedAt"},
      {"FINDING_STATUS", "status"},
      {"RESOURCE_TYPE", "resources.type"},
      {"ECR_IMAGE_REPOSITORY_NAME", "resources.details.awsEcrContainerImage.repositoryName"},
      {"ECR_IMAGE_REGISTRY", "resources.details.awsEcrContainerImage.registry"},
      {"VULNERABILITY_ID", "packageVulnerabilityDetails.vulnerabilityId"},
      {"VULNERABILITY_SOURCE", "packageVulnerabilityDetails.source"},
      {"VENDOR_SEVERITY", "packageVulnerabilityDetails.vendorSeverity"},
  };
  for (const auto& [key, path] : keys) {
    read_values(path);
    for (const bool descending : {false, true}) {
      Texts values;
      std::string token;
      do {
        const auto text = answer(
            "ListFindings",
            fmt::format(R"({{"maxResults":1,"sortCriteria":{{"field":"{}","sortOrder":"{}"}}{}}})",
                        key, descending ? "DESC" : "ASC", token));
        json::Parser parser;
        const auto root = parser.parse(text);
        ASSERT_TRUE(root);
        (*root)["findings"].for_each(
            [&](json::Value one) { values.push_back(text_of(at(one, path))); });
        const auto next = (*root)["nextToken"].string();
        token = next.empty() ? "" : fmt::format(R"(,"nextToken":"{}")", next);
      } while (!token.empty());
      EXPECT_EQ(values.size(), values_.size()) << key;
      EXPECT_TRUE(descending ? std::ranges::is_sorted(values, std::ranges::greater())
                             : std::ranges::is_sorted(values))
          << key << ": " << fmt::format("{}", fmt::join(values, ", "));
    }
  }
}

}  // namespace
}  // namespace tenken::api
