#include "api/errors.h"

#include <gtest/gtest.h>

#include "api/service_model.h"
#include "api/validate.h"

namespace tenken::api {
namespace {

std::string header(const http::Response& response, std::string_view wanted) {
  for (const auto& [name, value] : response.headers.all)
    if (name == wanted) return value;
  return {};
}

TEST(Errors, AnErrorIsAHeaderAStatusAndABody) {
  const auto response = to_response(access_denied("no \"way\""));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(header(response, "x-amzn-ErrorType"), "AccessDeniedException");
  EXPECT_EQ(header(response, "Content-Type"), "application/json");
  EXPECT_EQ(header(response, "Retry-After"), "");
  EXPECT_EQ(response.body, R"({"message":"no \"way\""})");
}

TEST(Errors, ThrottlingSaysWhenToComeBack) {
  const auto response = to_response(throttled("slow down", 7));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(header(response, "Retry-After"), "7");
}

TEST(Errors, SeveralFieldsAreCounted) {
  const auto response =
      to_response(validation_failed(std::vector<FieldError>{{"a", "A is bad"}, {"b", "B too"}}));
  EXPECT_EQ(response.body,
            R"({"message":"2 validation errors detected: A is bad; B too",)"
            R"("reason":"FIELD_VALIDATION_FAILED","fields":[{"name":"a","message":"A is bad"},)"
            R"({"name":"b","message":"B too"}]})");
}

TEST(Errors, StatusesAndBodiesAreThoseOfTheModel) {
  const auto model = ServiceModel::inspector2();
  const ApiError errors[] = {validation_failed("m"),
                             bad_request("m"),
                             access_denied("m"),
                             resource_not_found("m"),
                             conflicting("m", "id", "type"),
                             quota_exceeded("m", "id"),
                             throttled("m", 1)};
  for (const auto& error : errors) {
    const auto* const shape = model.shape(name(error.code));
    ASSERT_NE(shape, nullptr) << name(error.code);
    EXPECT_EQ(status(error.code), shape->error_status);
    const auto response = to_response(error);
    json::Parser parser;
    const auto body = parser.parse(response.body);
    ASSERT_TRUE(body.has_value());
    const auto wrong = check_output(*shape, *body);
    EXPECT_TRUE(wrong.empty()) << wrong[0].message;
  }
}

TEST(Errors, TheScanServiceGetsTheReasonThatItsModelRequires) {
  const auto model = ServiceModel::inspector_scan();
  const auto response = to_response(to_api_error(Error{Errc::internal, "x"}));
  json::Parser parser;
  const auto body = parser.parse(response.body);
  ASSERT_TRUE(body.has_value());
  EXPECT_TRUE(check_output(*model.shape("InternalServerException"), *body).empty());
}

TEST(Errors, EachErrorOfTheProgramHasOneAnswer) {
  EXPECT_EQ(to_api_error(Error{Errc::invalid, "m"}).code, ErrorCode::validation);
  EXPECT_EQ(to_api_error(Error{Errc::limit, "m"}).code, ErrorCode::validation);
  EXPECT_EQ(to_api_error(Error{Errc::not_found, "m"}).code, ErrorCode::resource_not_found);
  EXPECT_EQ(to_api_error(Error{Errc::denied, "m"}).code, ErrorCode::internal_server);
  EXPECT_EQ(to_api_error(Error{Errc::conflict, "m"}).code, ErrorCode::conflict);
  EXPECT_EQ(to_api_error(Error{Errc::conflict, "m"}).message, "m");
}

TEST(Errors, WhatBrokeInsideIsNotToldOutside) {
  for (const auto code : {Errc::internal, Errc::unavailable}) {
    const auto error = to_api_error(Error{code, "select secret from key"});
    EXPECT_GE(status(error.code), 500);
    EXPECT_FALSE(error.message.contains("secret"));
    EXPECT_EQ(error.cause, "select secret from key");
    EXPECT_TRUE(error.retry_after_s.has_value());
  }
}

TEST(Errors, AStoreThatIsGoneIsToBeTriedAgain) {
  const auto response = to_response(to_api_error(Error{Errc::unavailable, "x"}));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.get("x-amzn-ErrorType"), "ServiceUnavailableException");
  EXPECT_EQ(response.headers.get("Retry-After"), "1");
}

TEST(Errors, WhatTheServerRefusesItselfHasTheSameShape) {
  const auto refused = [](int status) {
    const auto response = refused_by_server(status, "the reason");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    EXPECT_TRUE(response.body.starts_with(R"({"message":"the reason")")) << response.body;
    return std::string(response.headers.get("x-amzn-ErrorType"));
  };
  EXPECT_EQ(refused(400), "BadRequestException");
  EXPECT_EQ(refused(431), "BadRequestException");
  EXPECT_EQ(refused(408), "RequestTimeoutException");
  EXPECT_EQ(refused(413), "RequestEntityTooLargeException");
  EXPECT_EQ(refused(500), "InternalServerException");
  EXPECT_EQ(refused(501), "BadRequestException") << "clients would try again";
  EXPECT_EQ(refused(505), "BadRequestException");
  EXPECT_EQ(refused(503), "ServiceUnavailableException");
}

TEST(Errors, AResultsErrorPassesThroughAFunctionOfTheApi) {
  const auto fails = []() -> Result<int> { return invalid("bad"); };
  const auto handler = [&]() -> ApiResult<int> {
    TRY(const int value, fails());
    return value;
  };
  const auto answer = handler();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::validation);
  EXPECT_EQ(answer.error().message, "bad");
}

}  // namespace
}  // namespace tenken::api
