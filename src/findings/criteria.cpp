#include "findings/criteria.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace tenken::findings {
namespace {

constexpr std::size_t most_tests = 20;  // of one field; the model allows 10
constexpr std::size_t longest_criteria = std::size_t{1} << 20;

struct NamedText {
  std::string_view name;
  TextField field;
};
constexpr std::array text_fields{
    NamedText{"awsAccountId", TextField::account},
    NamedText{"findingArn", TextField::finding_arn},
    NamedText{"findingType", TextField::finding_type},
    NamedText{"severity", TextField::severity},
    NamedText{"findingStatus", TextField::status},
    NamedText{"title", TextField::title},
    NamedText{"resourceType", TextField::resource_type},
    NamedText{"resourceId", TextField::resource_id},
    NamedText{"vulnerabilityId", TextField::vulnerability_id},
    NamedText{"vulnerabilitySource", TextField::vulnerability_source},
    NamedText{"vendorSeverity", TextField::vendor_severity},
    NamedText{"relatedVulnerabilities", TextField::related_vulnerability},
    NamedText{"fixAvailable", TextField::fix_available},
    NamedText{"exploitAvailable", TextField::exploit_available},
    NamedText{"cloudProviderAccountId", TextField::account},
    NamedText{"cloudProviderRegion", TextField::region},
    NamedText{"ecrImageRepositoryName", TextField::image_repository},
    NamedText{"cloudImageRepositoryName", TextField::image_repository},
    NamedText{"ecrImageRegistry", TextField::image_registry},
    NamedText{"cloudImageRegistry", TextField::image_registry},
    NamedText{"ecrImageHash", TextField::image_hash},
    NamedText{"cloudImageDigest", TextField::image_hash},
    NamedText{"ecrImageArchitecture", TextField::image_architecture},
    NamedText{"cloudImageArchitecture", TextField::image_architecture},
    NamedText{"ec2InstanceImageId", TextField::image_id},
    NamedText{"cloudVmImageReference", TextField::image_id},
    NamedText{"ec2InstanceVpcId", TextField::vpc},
    NamedText{"cloudVmNetworkId", TextField::vpc},
    NamedText{"ec2InstanceSubnetId", TextField::subnet},
    NamedText{"cloudVmSubnetIds", TextField::subnet},
    NamedText{"lambdaFunctionName", TextField::function_name},
    NamedText{"cloudServerlessFunctionName", TextField::function_name},
    NamedText{"codeRepositoryProjectName", TextField::project_name},
};

// Nobody tells tenken the tags of an image, when it was pushed or used, what a function runs on;
// it looks at neither networks nor code; and no account belongs to another cloud.
constexpr std::array<std::string_view, 28> fields_of_nothing{
    "cloudImageInUseCount",
    "cloudImageLastInUseAt",
    "cloudImagePushedAt",
    "cloudImageTags",
    "cloudProviderOrgId",
    "cloudServerlessFunctionExecutionRole",
    "cloudServerlessFunctionLastModifiedAt",
    "cloudServerlessFunctionRuntime",
    "codeRepositoryProviderType",
    "codeVulnerabilityDetectorName",
    "codeVulnerabilityDetectorTags",
    "codeVulnerabilityFilePath",
    "componentId",
    "componentType",
    "ecrImageInUseCount",
    "ecrImageLastInUseAt",
    "ecrImagePushedAt",
    "ecrImageTags",
    "lambdaFunctionExecutionRoleArn",
    "lambdaFunctionLastModifiedAt",
    "lambdaFunctionLayers",
    "lambdaFunctionRuntime",
    "machineImageId",
    "machineImageName",
    "machineImageOwnerAccountId",
    "machineImagePlatform",
    "networkProtocol",
    "portRange",
};

struct NamedNumber {
  std::string_view name;
  NumberField field;
};
constexpr std::array number_fields{
    NamedNumber{"inspectorScore", NumberField::score},
    NamedNumber{"epssScore", NumberField::epss},
    NamedNumber{"firstObservedAt", NumberField::first_observed},
    NamedNumber{"lastObservedAt", NumberField::last_observed},
    NamedNumber{"updatedAt", NumberField::updated},
};

TextTest read_text_test(json::Value value) {
  const auto word = value["comparison"].string();
  const auto comparison = word == "PREFIX"       ? Comparison::prefix
                          : word == "NOT_EQUALS" ? Comparison::not_equals
                                                 : Comparison::equals;
  return {.comparison = comparison, .value = std::string(value["value"].string())};
}

std::optional<TextTest> optional_text_test(json::Value value) {
  if (!value.is_object()) return std::nullopt;
  return read_text_test(value);
}

NumberRange read_range(json::Value value, std::string_view first, std::string_view last) {
  return {.first = value[first].number(), .last = value[last].number()};
}

NumberRange read_number_or_date(json::Value value) {
  const bool is_date = value["startInclusive"] || value["endInclusive"];
  return is_date ? read_range(value, "startInclusive", "endInclusive")
                 : read_range(value, "lowerInclusive", "upperInclusive");
}

PackageTest read_package_test(json::Value value) {
  PackageTest out{.name = optional_text_test(value["name"]),
                  .version = optional_text_test(value["version"]),
                  .release = optional_text_test(value["release"]),
                  .architecture = optional_text_test(value["architecture"]),
                  .file_path = optional_text_test(value["filePath"])};
  if (value["epoch"].is_object())
    out.epoch = read_range(value["epoch"], "lowerInclusive", "upperInclusive");
  for (const auto* const layer : {"sourceLayerHash", "sourceLambdaLayerArn"}) {
    const auto test = optional_text_test(value[layer]);
    if (test && !passes_absent(std::span(&*test, 1))) out.impossible = true;
  }
  return out;
}

TextTests read_text_tests(json::Value list) {
  TextTests out;
  list.for_each([&](json::Value test) { out.push_back(read_text_test(test)); });
  return out;
}

// A field of which no finding of ours has a value: only NOT_EQUALS holds.
bool holds_of_nothing(json::Value list) {
  bool holds = true;
  list.for_each(
      [&](json::Value test) { holds = holds && test["comparison"].string() == "NOT_EQUALS"; });
  return holds;
}

void read_field(Criteria& out, std::string_view name, json::Value list) {
  const auto text = std::ranges::find(text_fields, name, &NamedText::name);
  const auto number = std::ranges::find(number_fields, name, &NamedNumber::name);
  if (text != text_fields.end()) {
    out.texts.push_back({.field = text->field, .tests = read_text_tests(list)});
  } else if (number != number_fields.end()) {
    NumberCondition condition{.field = number->field};
    list.for_each(
        [&](json::Value range) { condition.ranges.push_back(read_number_or_date(range)); });
    out.numbers.push_back(std::move(condition));
  } else if (name == "cloudProvider") {
    out.impossible = out.impossible || !passes(read_text_tests(list), provider);
  } else if (name == "resourceTags") {
    list.for_each([&](json::Value test) {
      const auto value = test["value"];
      out.tags.push_back(
          {.name = std::string(test["key"].string()),
           .value = value.is_string() ? std::optional<std::string>(value.string()) : std::nullopt});
    });
  } else if (name == "vulnerablePackages") {
    list.for_each([&](json::Value test) { out.packages.push_back(read_package_test(test)); });
  } else {
    out.impossible = out.impossible || !holds_of_nothing(list);
  }
}

}  // namespace

bool passes(std::span<const TextTest> tests, std::string_view value) {
  bool wanted = false;
  bool found = false;
  for (const auto& test : tests) {
    if (test.comparison == Comparison::not_equals) {
      if (test.value == value) return false;
      continue;
    }
    wanted = true;
    found = found || (test.comparison == Comparison::equals ? value == test.value
                                                            : value.starts_with(test.value));
  }
  return found || !wanted;
}

bool passes_absent(std::span<const TextTest> tests) {
  return std::ranges::all_of(
      tests, [](const TextTest& test) { return test.comparison == Comparison::not_equals; });
}

std::span<const std::string_view> absent_fields() {
  return fields_of_nothing;
}

const TextCondition* Criteria::find(TextField field) const {
  const auto found = std::ranges::find(texts, field, &TextCondition::field);
  return found == texts.end() ? nullptr : &*found;
}

Result<Criteria> read_criteria(json::Value criteria) {
  Criteria out;
  std::string_view too_long;
  criteria.for_each_member([&](std::string_view name, json::Value list) {
    if (list.size() > most_tests) {
      too_long = name;
    } else if (list.size() > 0) {
      read_field(out, name, list);
    }
  });
  if (!too_long.empty())
    return limit_exceeded(fmt::format("{}: more than {} conditions", too_long, most_tests));
  return out;
}

Result<Criteria> read_criteria(std::string_view json) {
  json::Parser parser({.bytes = longest_criteria, .depth = 16});
  TRY(const auto value, parser.parse(json));
  return read_criteria(value);
}

}  // namespace tenken::findings
