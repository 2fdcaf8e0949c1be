#include "api/validate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/input.h"
#include "api/service_model.h"

namespace tenken::api {
namespace {

const ServiceModel& inspector2() {
  static const auto model = ServiceModel::inspector2();
  return model;
}

ApiResult<Input> read(std::string_view operation, std::string_view body,
                      std::string_view query = {}) {
  const Route route{inspector2().operation(operation), {{"resourceArn", "arn:x"}}};
  return Input::read(route, query, body);
}

// The message of the refusal; empty where the request is right.
std::string refusal(std::string_view operation, std::string_view body,
                    std::string_view query = {}) {
  const auto input = read(operation, body, query);
  return input ? std::string() : input.error().message;
}

std::string one(std::string_view sentence) {
  return fmt::format("1 validation error detected: {}", sentence);
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    if (i > 0) out += ',';
    out += piece;
  }
  return out;
}

constexpr std::string_view filter = R"({"comparison":"EQUALS","value":"x"})";

TEST(Validate, ARightRequestIsRead) {
  const auto input = read("ListFindings", R"({"maxResults":25,"nextToken":null,
      "filterCriteria":{"severity":[{"comparison":"EQUALS","value":"HIGH"}],
                        "updatedAt":[{"startInclusive":1700000000}]},
      "sortCriteria":{"field":"SEVERITY","sortOrder":"DESC"}})");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->integer("maxResults"), 25);
  EXPECT_FALSE(input->has("nextToken"));
  EXPECT_FALSE(input->has("noSuchMember"));
  EXPECT_EQ((*input)["sortCriteria"]["field"].string(), "SEVERITY");
}

TEST(Validate, NoBodyIsAnObjectWithoutMembers) {
  EXPECT_EQ(refusal("ListFindings", ""), "");
  EXPECT_EQ(refusal("GetConfiguration", ""), "");
  EXPECT_EQ(refusal("ListFindings", "null"), "");
  EXPECT_EQ(refusal("DeleteFilter", ""),
            one("Value null at 'arn' failed to satisfy constraint: Member must not be null"));
}

TEST(Validate, EachKindOfConstraintHasItsWords) {
  const std::pair<std::string_view, std::string_view> bodies[] = {
      {R"({"maxResults":101})",
       "Value at 'maxResults' failed to satisfy constraint: Member must "
       "have value less than or equal to 100"},
      {R"({"maxResults":0})",
       "Value at 'maxResults' failed to satisfy constraint: Member must "
       "have value greater than or equal to 1"},
      {R"({"filterCriteria":{"severity":[]}})",
       "Value at 'filterCriteria.severity' failed to satisfy constraint: Member must have length "
       "greater than or equal to 1"},
      {R"({"filterCriteria":{"severity":[{"comparison":"EQUALS","value":""}]}})",
       "Value at 'filterCriteria.severity.1.member.value' failed to satisfy constraint: Member "
       "must have length greater than or equal to 1"},
      {R"({"filterCriteria":{"severity":[{"comparison":"LIKE","value":"x"}]}})",
       "Value at 'filterCriteria.severity.1.member.comparison' failed to satisfy constraint: "
       "Member must satisfy enum value set: [EQUALS, PREFIX, NOT_EQUALS]"},
      {R"({"filterCriteria":{"severity":[{"value":"x"}]}})",
       "Value null at 'filterCriteria.severity.1.member.comparison' failed to satisfy constraint: "
       "Member must not be null"},
      {R"({"filterCriteria":{"severity":[null]}})",
       "Value null at 'filterCriteria.severity.1.member' failed to satisfy constraint: Member "
       "must not be null"},
  };
  for (const auto& [body, sentence] : bodies)
    EXPECT_EQ(refusal("ListFindings", body), one(sentence));
  EXPECT_EQ(refusal("GetMember", R"({"accountId":"11112222333x"})"),
            one(R"(Value at 'accountId' failed to satisfy constraint: Member must satisfy regular )"
                R"(expression pattern: \d{12})"));
}

TEST(Validate, AListBeyondItsLengthIsNotLookedInto) {
  const auto body =
      fmt::format(R"({{"filterCriteria":{{"severity":[{}]}}}})", repeated(filter, 10'000));
  EXPECT_EQ(refusal("ListFindings", body),
            one("Value at 'filterCriteria.severity' failed to satisfy constraint: Member must have "
                "length less than or equal to 10"));
}

TEST(Validate, PlainElementsAreToldOnceThroughTheirList) {
  EXPECT_EQ(refusal("BatchGetAccountStatus", R"({"accountIds":["1","x","111122223333"]})"),
            one(R"(Value at 'accountIds' failed to satisfy constraint: Member must satisfy )"
                R"(constraint: [Member must have length less than or equal to 12, Member must )"
                R"(have length greater than or equal to 12, Member must satisfy regular )"
                R"(expression pattern: \d{12}])"));
  EXPECT_EQ(refusal("Enable", R"({"resourceTypes":["EC3"]})"),
            one("Value at 'resourceTypes' failed to satisfy constraint: Member must satisfy "
                "constraint: [Member must satisfy enum value set: [EC2, ECR, LAMBDA, LAMBDA_CODE, "
                "CODE_REPOSITORY]]"));
}

TEST(Validate, KeysAndValuesOfMapsHaveTheirWords) {
  const std::string name(129, 'k');
  EXPECT_EQ(refusal("TagResource", fmt::format(R"({{"tags":{{"{}":"v"}}}})", name)),
            one("Value at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
                "[Member must have length less than or equal to 128, Member must have length "
                "greater than or equal to 1]"));
  EXPECT_EQ(
      refusal("TagResource", fmt::format(R"({{"tags":{{"k":"{}"}}}})", std::string(257, 'v'))),
      one("Value at 'tags' failed to satisfy constraint: Map value must satisfy constraint: "
          "[Member must have length less than or equal to 256, Member must have length greater "
          "than or equal to 0]"));
}

TEST(Validate, ListsInMapsAnswerThroughTheMap) {
  const auto body = R"({"scanName":"n","securityLevel":"LEVEL_1","schedule":{"oneTime":{}},
      "targets":{"accountIds":["SELF"],"targetResourceTags":{"k":[]}}})";
  const auto message = refusal("CreateCisScanConfiguration", body);
  EXPECT_TRUE(message.starts_with(
      one("Value at 'targets.targetResourceTags' failed to satisfy constraint: Map value must "
          "satisfy constraint: [Member must have length less than or equal to 5, Member must have "
          "length greater than or equal to 1")))
      << message;
}

TEST(Validate, AUnionHasExactlyOneMember) {
  const auto schedule = [](std::string_view members) {
    return refusal("CreateCisScanConfiguration",
                   fmt::format(R"({{"scanName":"n","securityLevel":"LEVEL_1","schedule":{{{}}},
                        "targets":{{"accountIds":["SELF"],"targetResourceTags":{{"k":["v"]}}}}}})",
                               members));
  };
  const auto wrong =
      one("Value at 'schedule' failed to satisfy constraint: Member must be a union with exactly "
          "one member set");
  const auto* const daily = R"("daily":{"startTime":{"timeOfDay":"10:00","timezone":"UTC"}})";
  EXPECT_EQ(schedule(R"("oneTime":{})"), "");
  EXPECT_EQ(schedule(R"("oneTime":{},"daily":null)"), "");
  EXPECT_EQ(schedule(R"("oneTime":{},"yearly":{})"), "");
  EXPECT_EQ(schedule(daily), "");
  EXPECT_EQ(schedule(""), wrong);
  EXPECT_EQ(schedule(R"("oneTime":null)"), wrong);
  EXPECT_EQ(schedule(fmt::format(R"("oneTime":{{}},{})", daily)), wrong);
}

TEST(Validate, ViolationsAreCountedUpToTen) {
  EXPECT_EQ(refusal("CreateFilter", "{}"),
            "3 validation errors detected: Value null at 'action' failed to satisfy constraint: "
            "Member must not be null; Value null at 'filterCriteria' failed to satisfy constraint: "
            "Member must not be null; Value null at 'name' failed to satisfy constraint: Member "
            "must not be null");
  const auto nulls = fmt::format(R"({{"filterCriteria":{{"severity":[{0}],"title":[{0}]}}}})",
                                 repeated("null", 10));
  const auto input = read("ListFindings", nulls);
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().fields.size(), 10u);
  EXPECT_EQ(input.error().reason, Reason::field_validation_failed);
}

TEST(Validate, AValueOfTheWrongTypeCannotBeParsed) {
  const std::pair<std::string_view, std::string_view> bodies[] = {
      {R"({"maxResults":"5"})", "STRING_VALUE can not be converted to an Integer at 'maxResults'"},
      {R"({"maxResults":1.5})", "NUMBER_VALUE can not be converted to an Integer at 'maxResults'"},
      {R"({"maxResults":2147483648})",
       "NUMBER_VALUE can not be converted to an Integer at 'maxResults'"},
      {R"({"maxResults":18446744073709551615})",
       "NUMBER_VALUE can not be converted to an Integer at 'maxResults'"},
      {R"({"maxResults":true})", "TRUE_VALUE can not be converted to an Integer at 'maxResults'"},
      {R"({"maxResults":{}})",
       "Start of structure or map found where not expected at 'maxResults'"},
      {R"({"maxResults":[1]})", "Start of list found where not expected at 'maxResults'"},
      {R"({"nextToken":7})", "NUMBER_VALUE can not be converted to a String at 'nextToken'"},
      {R"({"nextToken":"a\u0000b"})", "Not a text of Unicode at 'nextToken'"},
      {R"({"filterCriteria":[]})", "Expected structure or null at 'filterCriteria'"},
      {R"({"filterCriteria":{"title":{}}})", "Expected list or null at 'filterCriteria.title'"},
      {R"({"filterCriteria":{"updatedAt":[{"startInclusive":"soon"}]}})",
       "STRING_VALUE can not be converted to milliseconds since epoch at "
       "'filterCriteria.updatedAt.1.member.startInclusive'"},
      {R"({"filterCriteria":{"inspectorScore":[{"lowerInclusive":"1"}]}})",
       "STRING_VALUE can not be converted to a Double at "
       "'filterCriteria.inspectorScore.1.member.lowerInclusive'"},
      {"[]", "Expected structure or null"},
      {"7", "Expected structure or null"},
  };
  for (const auto& [body, sentence] : bodies) {
    const auto input = read("ListFindings", body);
    ASSERT_FALSE(input.has_value()) << body;
    EXPECT_EQ(input.error().message, sentence);
    EXPECT_EQ(input.error().reason, Reason::cannot_parse);
    EXPECT_EQ(input.error().fields.size(), 1u);
  }
  EXPECT_EQ(refusal("TagResource", R"({"tags":[]})"), "Expected map or null at 'tags'");
  EXPECT_EQ(refusal("UpdateEc2DeepInspectionConfiguration", R"({"activateDeepInspection":1})"),
            "NUMBER_VALUE can not be converted to a Boolean at 'activateDeepInspection'");
}

TEST(Validate, WhatIsNoJsonCannotBeParsed) {
  for (const std::string& body :
       {std::string("{"), std::string("{}{}"), std::string("nul"), std::string("\xFF\xFE"),
        std::string(R"({"maxResults":1,"maxResults":2})"),
        std::string(10'000, '[') + std::string(10'000, ']')}) {
    const auto input = read("ListFindings", body);
    ASSERT_FALSE(input.has_value());
    EXPECT_EQ(input.error().reason, Reason::cannot_parse);
  }
}

TEST(Validate, LengthsCountCodePoints) {
  const auto named = [](std::string_view name) {
    return refusal("CreateFilter",
                   fmt::format(R"({{"action":"NONE","filterCriteria":{{}},"name":"{}"}})", name));
  };
  std::string kanji;
  for (int i = 0; i < 128; ++i) kanji += "点";
  EXPECT_EQ(named(kanji), "");
  EXPECT_EQ(named(kanji + "検"), one("Value at 'name' failed to satisfy constraint: Member must "
                                     "have length less than or equal to 128"));
}

TEST(Validate, ALoneSurrogateIsNoText) {
  EXPECT_NE(refusal("ListFindings", R"({"nextToken":"\udc00"})"), "");
  EXPECT_NE(refusal("ListFindings", R"({"nextToken":"\ud800"})"), "");
}

TEST(Validate, BlobsAreBase64AndBoundedInBytes) {
  const auto telemetry = [](std::string_view details) {
    return refusal("SendCisSessionTelemetry",
                   fmt::format(R"({{"scanJobId":"624746eb-e52e-4be6-a4bc-2cd1c6bd4df7",
        "sessionToken":"624746eb-e52e-4be6-a4bc-2cd1c6bd4df7",
        "messages":[{{"ruleId":"r","status":"PASSED","cisRuleDetails":"{}"}}]}})",
                               details));
  };
  EXPECT_EQ(telemetry("aGVsbG8="), "");
  EXPECT_EQ(telemetry("aGVsbG8"),
            "STRING_VALUE can not be converted to a Blob at 'messages.1.member.cisRuleDetails'");
  EXPECT_EQ(telemetry(std::string(1336, 'A')),
            one("Value at 'messages.1.member.cisRuleDetails' failed to satisfy constraint: Member "
                "must have length less than or equal to 1000"));
}

TEST(Validate, TimestampsComeInThreeForms) {
  json::Parser parser;
  const auto read_one = [&](std::string_view text) { return read_timestamp(*parser.parse(text)); };
  EXPECT_EQ(read_one("1700000000"), 1'700'000'000.0);
  EXPECT_EQ(read_one("1700000000.25"), 1'700'000'000.25);
  EXPECT_EQ(read_one("\"1700000000\""), 1'700'000'000.0);
  EXPECT_EQ(read_one("\"2023-11-14T22:13:20Z\""), 1'700'000'000.0);
  for (const auto* text : {"1e300", "-1e300", "\"\"", "\"nan\"", "\"inf\"", "true", "[]", "null"})
    EXPECT_EQ(read_one(text), std::nullopt) << text;
}

TEST(Validate, TheQueryStringIsCheckedLikeTheBody) {
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "maxResults=5&nextToken=a%2Fb"), "");
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "maxResults=500"),
            one("Value at 'maxResults' failed to satisfy constraint: Member must have value less "
                "than or equal to 100"));
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "maxResults=x"),
            "STRING_VALUE can not be converted to an Integer at 'maxResults'");
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "maxResults=1&maxResults=2"),
            "Start of list found where not expected at 'maxResults'");
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "maxResults=%zz"),
            "The query string is not percent-encoded");
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "nextToken=%FF"),
            "Not a text of Unicode at 'nextToken'");
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "nextToken=%00"),
            "Not a text of Unicode at 'nextToken'");
  EXPECT_EQ(refusal("ListCodeSecurityIntegrations", "", "&&=&x&maxResults=2"), "");
  EXPECT_EQ(refusal("GetEncryptionKey", "", "scanType=PACKAGE"),
            one("Value null at 'resourceType' failed to satisfy constraint: Member must not be "
                "null"));
}

TEST(Validate, AMemberCountsOnlyWhereTheModelPutsIt) {
  const auto in_body = read("ListCodeSecurityIntegrations", R"({"maxResults":5})", "");
  ASSERT_TRUE(in_body.has_value());
  EXPECT_FALSE(in_body->has("maxResults"));
  const auto in_query = read("ListFindings", "{}", "maxResults=5");
  ASSERT_TRUE(in_query.has_value());
  EXPECT_FALSE(in_query->has("maxResults"));
}

TEST(Validate, MembersOfUriAndQueryAreReadByName) {
  const auto input = read("UntagResource", "", "tagKeys=a&tagKeys=b%2Fc");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->string("resourceArn"), "arn:x");
  EXPECT_EQ(input->strings("tagKeys"), (std::vector<std::string_view>{"a", "b/c"}));
}

// A value of every JSON type in place of every member of every operation: an answer each time.
TEST(Validate, WrongTypesEverywhereAreAnswered) {
  for (const auto& operation : inspector2().operations()) {
    for (const auto* value : {"1", "-1.5", "\"x\"", "true", "null", "[]", "{}", "[[[]]]", "[{}]",
                              R"({"a":{"b":[1]}})", "[1,\"a\",null]"}) {
      std::string body = "{";
      for (const auto& member : operation.input->members)
        body += fmt::format("{}\"{}\":{}", body.size() > 1 ? "," : "", member.name, value);
      const auto input = read(operation.name, body + "}");
      if (!input) EXPECT_FALSE(input.error().message.empty());
    }
  }
}

TEST(Validate, TooManyValuesAreRefused) {
  const auto many = fmt::format(R"({{"tags":{{"k":"v"}},"accountIds":[{}]}})",
                                repeated("\"111122223333\"", 200'000));
  EXPECT_NE(refusal("BatchGetFreeTrialInfo", many), "");
  std::string tags = R"({"tags":{)";
  for (int i = 0; i < 200'000; ++i) tags += fmt::format("{}\"{}\":\"v\"", i > 0 ? "," : "", i);
  EXPECT_EQ(refusal("TagResource", tags + "}}"), "The request holds too many values at 'tags'");
}

TEST(Validate, AnAnswerIsCheckedAgainstItsShape) {
  json::Parser parser;
  const auto wrong = [&](std::string_view operation, std::string_view json) {
    const auto all = check_output(*inspector2().operation(operation), *parser.parse(json));
    return all.empty() ? std::string() : all[0].message;
  };
  EXPECT_EQ(wrong("CreateFilter", R"({"arn":""})"), "");  // bounds are not looked at
  EXPECT_EQ(wrong("CreateFilter", "{}"),
            "Value null at 'arn' failed to satisfy constraint: Member must not be null");
  EXPECT_EQ(wrong("CreateFilter", R"({"arn":"a","extra":1})"), "Unknown or null \"extra\"");
  EXPECT_EQ(wrong("CreateFilter", R"({"arn":null})"), "Unknown or null \"arn\"");
  EXPECT_EQ(wrong("ListFindings", R"({"findings":{}})"), "Expected list or null at 'findings'");
  EXPECT_EQ(wrong("ListMembers", R"({"members":[{"updatedAt":"2024-01-01T00:00:00Z"}]})"),
            "STRING_VALUE can not be converted to milliseconds since epoch at "
            "'members.1.member.updatedAt'");
  EXPECT_TRUE(wrong("ListMembers", R"({"members":[{"relationshipStatus":"FRIEND"}]})")
                  .contains("Member must satisfy enum value set"));
  EXPECT_TRUE(wrong("ListFindingAggregations",
                    R"({"aggregationType":"ACCOUNT","responses":[{"accountAggregation":{},
                        "amiAggregation":{"ami":"ami-1"}}]})")
                  .contains("exactly one member"));
}

TEST(WriteValue, KeepsWhatTheModelKnows) {
  json::Parser parser;
  const auto criteria = *parser.parse(R"({"title":[{"value":"a\"b","comparison":"EQUALS","x":1}],
      "unknown":{"deep":[1]},"severity":null,
      "updatedAt":[{"startInclusive":"2023-11-14T22:13:20Z","endInclusive":1700000001.5}],
      "inspectorScore":[{"lowerInclusive":7,"upperInclusive":9.5}]})");
  json::Writer out;
  write_value(out, *inspector2().shape("FilterCriteria"), criteria);
  EXPECT_EQ(out.text(),
            R"({"title":[{"value":"a\"b","comparison":"EQUALS"}],)"
            R"("updatedAt":[{"startInclusive":1700000000,"endInclusive":1700000001.5}],)"
            R"("inspectorScore":[{"lowerInclusive":7,"upperInclusive":9.5}]})");
}

TEST(WriteValue, MinusZeroIsZero) {
  const auto model = ServiceModel::inspector_scan();
  json::Parser parser;
  json::Writer out;
  write_value(out, *model.shape("Sbom"), *parser.parse("[-0e5,-0.0]"));
  EXPECT_EQ(out.text(), "[0,0]");
}

TEST(WriteValue, ADocumentIsCopiedWhole) {
  const auto model = ServiceModel::inspector_scan();
  json::Parser parser;
  const std::string text = R"({"a":[1,null,{"b":[[],{}]},-2.5,true],"c":{"d":"e"}})";
  json::Writer out;
  write_value(out, *model.shape("Sbom"), *parser.parse(text));
  EXPECT_EQ(out.text(), text);
}

}  // namespace
}  // namespace tenken::api
