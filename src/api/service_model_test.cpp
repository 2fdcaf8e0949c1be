#include "api/service_model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/embedded_models.h"
#include "api/pattern.h"
#include "api/routes.h"

namespace tenken::api {
namespace {

const ServiceModel& inspector2() {
  static const auto model = ServiceModel::inspector2();
  return model;
}

const ServiceModel& inspector_scan() {
  static const auto model = ServiceModel::inspector_scan();
  return model;
}

const Router& router() {
  static const ServiceModel* const models[] = {&inspector2(), &inspector_scan()};
  static const Router all(models);
  return all;
}

TEST(ServiceModel, HoldsTheOperationsOfBothServices) {
  EXPECT_EQ(inspector2().operations().size(), 84u);
  EXPECT_EQ(inspector_scan().operations().size(), 1u);
  EXPECT_EQ(inspector2().service(), "inspector2");
  EXPECT_EQ(inspector_scan().operation("ScanSbom")->service, "inspector-scan");
  EXPECT_EQ(inspector2().operation("ScanSbom"), nullptr);
}

TEST(ServiceModel, KnowsTheShapesOfAnOperation) {
  const auto* const operation = inspector2().operation("ListFindings");
  ASSERT_NE(operation, nullptr);
  const auto* const member = operation->input->member("maxResults");
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->shape->type, Shape::Type::integer);
  EXPECT_EQ(member->shape->max, 100);
  EXPECT_FALSE(member->required);
  EXPECT_EQ(operation->output->member("findings")->shape->max, 25);
  EXPECT_TRUE(inspector2().shape("AggregationRequest")->is_union);
  EXPECT_EQ(inspector2().shape("ServiceQuotaExceededException")->error_status, 402);
  EXPECT_EQ(inspector_scan().shape("Sbom")->type, Shape::Type::document);
}

TEST(ServiceModel, ListCodeSecurityCarriesItsPageInTheQueryString) {
  for (const auto* name : {"ListCodeSecurityIntegrations", "ListCodeSecurityScanConfigurations",
                           "ListCodeSecurityScanConfigurationAssociations"})
    for (const auto* member : {"nextToken", "maxResults"})
      EXPECT_EQ(inspector2().operation(name)->input->member(member)->location,
                Member::Location::querystring);
}

// Input reads bodies, URIs and query strings.
TEST(ServiceModel, NoInputTravelsInHeaders) {
  for (const auto* model : {&inspector2(), &inspector_scan()})
    for (const auto& operation : model->operations())
      for (const auto& member : operation.input->members)
        EXPECT_NE(member.location, Member::Location::header) << operation.name;
}

TEST(ServiceModel, EveryPatternCanBeCompiled) {
  std::size_t patterns = 0;
  for (const auto& shape : inspector2().shapes()) {
    if (!shape.pattern) continue;
    ++patterns;
    EXPECT_TRUE(shape.pattern->usable()) << shape.pattern->text();
  }
  EXPECT_EQ(patterns, 59u);
}

TEST(ServiceModel, AModelWithHolesIsRefusedWithItsPlace) {
  const auto error = [](std::string_view json) {
    const auto model = ServiceModel::parse(json);
    return model ? std::string("no error") : model.error().what;
  };
  EXPECT_EQ(error("{}"), "no service");
  EXPECT_EQ(error(R"({"service": "s"})"), "no operations");
  EXPECT_EQ(error(R"({"service": "s", "shapes": {"A": {"type": "tuple"}}})"),
            "shape A: unknown word \"tuple\"");
  EXPECT_EQ(error(R"({"service": "s", "shapes": {"A": {"type": "list", "member": "B"}}})"),
            "shape A: no shape \"B\"");
  EXPECT_EQ(error(R"({"service": "s", "shapes": {"A": {"type": "structure", "required": ["b"],
                      "members": {"a": "A"}}}})"),
            "shape A: requires \"b\", no member of it");
}

// An identifier as clients encode it into a path.
std::string with_labels(std::string uri) {
  const auto begin = uri.find('{');
  if (begin == std::string::npos) return uri;
  return uri.replace(begin, uri.find('}') - begin + 1,
                     "arn%3Aaws%3Ainspector2%3Aus-east-1%3A111122223333%3Aowner%2Fx%2Ffilter%2Fy");
}

TEST(Router, EveryOperationIsReachedByItsOwnUri) {
  for (const auto* model : {&inspector2(), &inspector_scan()}) {
    for (const auto& operation : model->operations()) {
      const auto route = router().find(operation.method, with_labels(operation.uri));
      ASSERT_TRUE(route.has_value()) << operation.name;
      EXPECT_EQ(route->operation, &operation);
    }
  }
}

TEST(Router, ALabelIsMatchedBeforeItIsDecoded) {
  const auto route = router().find("GET", "/tags/arn%3Aaws%3Ax%2Ffilter%2F%41");
  ASSERT_TRUE(route.has_value());
  EXPECT_EQ(route->operation->name, "ListTagsForResource");
  ASSERT_EQ(route->labels.size(), 1u);
  EXPECT_EQ(route->labels[0].first, "resourceArn");
  EXPECT_EQ(route->labels[0].second, "arn:aws:x/filter/A");
}

TEST(Router, WhatNoOperationHasIsAnUnknownOperation) {
  const std::pair<std::string_view, std::string_view> requests[] = {
      {"GET", "/findings/list"},
      {"POST", "/findings/list/"},
      {"POST", "/findings"},
      {"POST", "//findings/list"},
      {"POST", ""},
      {"POST", "/"},
      {"GET", "/tags/"},
      {"GET", "/tags"},
      {"GET", "/tags/a/b"},
      {"PATCH", "/tags/a"},
      {"post", "/findings/list"},
      {"POST", "/Findings/List"},
      {"POST", "/findings%2Flist"},
  };
  for (const auto& [method, path] : requests) {
    const auto route = router().find(method, path);
    ASSERT_FALSE(route.has_value()) << method << " " << path;
    EXPECT_EQ(route.error().code, ErrorCode::unknown_operation);
  }
}

TEST(Router, ALabelThatIsNotPercentEncodedCannotBeParsed) {
  for (const auto* path : {"/tags/%", "/tags/%4", "/tags/%zz", "/tags/a%4"}) {
    const auto route = router().find("GET", path);
    ASSERT_FALSE(route.has_value()) << path;
    EXPECT_EQ(route.error().reason, Reason::cannot_parse);
  }
}

TEST(Pattern, TheWholeTextMustMatch) {
  const Pattern account(R"(\d{12})");
  EXPECT_TRUE(account.matches("111122223333"));
  EXPECT_FALSE(account.matches("1111222233334"));
  EXPECT_FALSE(account.matches("111122223333\n"));
  EXPECT_FALSE(account.matches(""));
}

TEST(Pattern, ALookAheadForbidsAPrefix) {
  const auto& key = *inspector2().shape("TagKey")->pattern;
  EXPECT_TRUE(key.matches("team"));
  EXPECT_TRUE(key.matches("xaws:"));
  EXPECT_FALSE(key.matches("aws:"));
  EXPECT_FALSE(key.matches("aws:team"));
  EXPECT_FALSE(key.matches(""));
}

TEST(Pattern, MoreThanAThousandRepetitionsAreCounted) {
  const auto& url = *inspector2().shape("InstanceUrl")->pattern;
  EXPECT_FALSE(url.matches("https://"));
  EXPECT_TRUE(url.matches("https://" + std::string(1024, 'a')));
  EXPECT_FALSE(url.matches("https://" + std::string(1025, 'a')));
}

TEST(Pattern, AnExpressionThatCannotBeCompiledMatchesNothing) {
  const Pattern pattern("(a)\\1");
  EXPECT_FALSE(pattern.usable());
  EXPECT_FALSE(pattern.matches("aa"));
}

// Whatever one character is repeated, no pattern of the model needs more than linear time: with
// 60,000 characters anything else would not end.
TEST(Pattern, LongTextsEndSoon) {
  for (const auto& shape : inspector2().shapes()) {
    if (!shape.pattern) continue;
    for (const auto* piece : {"a", "0", "/", "-a", "arn:", "1a-", "\xE7\x82\xB9"}) {
      std::string text = "arn:aws:ecr:";
      while (text.size() < 60'000) text += piece;
      shape.pattern->matches(text + '\n');
      shape.pattern->matches(text.substr(12));
    }
  }
}

TEST(Pattern, BacktrackingBaitAndHugeTextsEndSoon) {
  const Pattern bait("(a+)+b");
  EXPECT_FALSE(bait.matches(std::string(60'000, 'a')));
  EXPECT_FALSE(Pattern(".*").matches(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace tenken::api
