// Errors as the Inspector APIs answer them: a code, a status and a body {"message": …}, in the
// shapes of the service model. Errors of the program (tenken::Error) become one of these here and
// nowhere else.
//
// Source: the error shapes of inspector2 2020-06-08 and inspector-scan 2023-08-08; for what the
// door itself refuses, the common errors of AWS's APIs.
// Thread rule: values, pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/server.h"

namespace tenken::api {

enum class ErrorCode : std::uint8_t {
  // Of the models.
  validation,
  bad_request,
  access_denied,
  resource_not_found,
  conflict,
  service_quota_exceeded,
  throttling,
  internal_server,
  // Of every AWS service, before an operation is reached.
  unknown_operation,
  missing_authentication_token,
  incomplete_signature,
  invalid_signature,
  unrecognized_client,
  expired_token,
  request_timeout,
  request_too_large,
  method_not_allowed,   // of /v1
  precondition_failed,  // of /v1
  service_unavailable,
};

// The name that goes over the wire, "ValidationException", and its HTTP status.
std::string_view name(ErrorCode code);
int status(ErrorCode code);

// Why a ValidationException was raised.
enum class Reason : std::uint8_t {
  other,
  cannot_parse,
  field_validation_failed,
  unsupported_sbom_type,  // of inspector-scan
};

struct FieldError {
  std::string name;     // where: "filterCriteria.severity.1.member.comparison"
  std::string message;  // the sentence about it
};

struct ApiError {
  ErrorCode code = ErrorCode::internal_server;
  std::string message;
  Reason reason = Reason::other;   // of validation
  std::vector<FieldError> fields;  // of validation
  std::string resource_id;         // of conflict and service_quota_exceeded
  std::string resource_type;       // of conflict
  std::optional<int> retry_after_s;
  std::string cause;  // what is not told outside; for the log
};

// What a handler returns: a value or the error to answer. A Result's error turns into an ApiError
// by to_api_error, so that TRY works in such a function.
template <typename T = void>
class [[nodiscard]] ApiResult : public std::expected<T, ApiError> {
 public:
  using std::expected<T, ApiError>::expected;
  ApiResult(ApiError error) : std::expected<T, ApiError>(std::unexpect, std::move(error)) {}
  ApiResult(const Error& error);
};

ApiError validation_failed(std::string message, Reason reason = Reason::other);
// "2 validation errors detected: …; …", FIELD_VALIDATION_FAILED.
ApiError validation_failed(std::vector<FieldError> fields);
ApiError bad_request(std::string message);
ApiError access_denied(std::string message);
ApiError resource_not_found(std::string message);
ApiError conflicting(std::string message, std::string resource_id, std::string resource_type);
ApiError quota_exceeded(std::string message, std::string resource_id);
ApiError throttled(std::string message, int retry_after_s);
ApiError unknown_operation();
ApiError method_not_allowed();
ApiError precondition_failed(std::string message);
// 503, to be tried again at once.
ApiError service_unavailable();

// The one mapping from the program's errors. What is internal or unavailable goes out without its
// text, which may name files and statements: that is the cause, for the log.
ApiError to_api_error(const Error& error);

// Status, x-amzn-ErrorType, Retry-After and body.
http::Response to_response(const ApiError& error);
// What the HTTP server refuses by itself, in the same shape.
http::Response refused_by_server(int status, std::string_view reason);

template <typename T>
ApiResult<T>::ApiResult(const Error& error)
    : std::expected<T, ApiError>(std::unexpect, to_api_error(error)) {}

}  // namespace tenken::api
