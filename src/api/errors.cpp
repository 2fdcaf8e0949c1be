#include "api/errors.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace tenken::api {
namespace {

struct Row {
  std::string_view name;
  int status;
};

// In the order of ErrorCode.
constexpr Row rows[] = {
    {"ValidationException", 400},
    {"BadRequestException", 400},
    {"AccessDeniedException", 403},
    {"ResourceNotFoundException", 404},
    {"ConflictException", 409},
    {"ServiceQuotaExceededException", 402},
    {"ThrottlingException", 429},
    {"InternalServerException", 500},
    {"UnknownOperationException", 404},
    {"MissingAuthenticationTokenException", 403},
    {"IncompleteSignatureException", 403},
    {"InvalidSignatureException", 403},
    {"UnrecognizedClientException", 403},
    {"ExpiredTokenException", 403},
    {"RequestTimeoutException", 408},
    {"RequestEntityTooLargeException", 413},
    {"MethodNotAllowedException", 405},
    {"PreconditionFailedException", 412},
    {"ServiceUnavailableException", 503},
};
static_assert(std::size(rows) == static_cast<std::size_t>(ErrorCode::service_unavailable) + 1);

const Row& row(ErrorCode code) {
  return rows[static_cast<std::size_t>(code)];
}

std::string_view word(Reason reason) {
  switch (reason) {
    case Reason::cannot_parse:
      return "CANNOT_PARSE";
    case Reason::field_validation_failed:
      return "FIELD_VALIDATION_FAILED";
    case Reason::unsupported_sbom_type:
      return "UNSUPPORTED_SBOM_TYPE";
    case Reason::other:
      break;
  }
  return "OTHER";
}

ApiError plain(ErrorCode code, std::string message) {
  return {.code = code, .message = std::move(message)};
}

// The members that the error's shape requires beside the message.
void write_members(json::Writer& out, const ApiError& error) {
  switch (error.code) {
    case ErrorCode::validation:
      out.member("reason", word(error.reason));
      if (error.fields.empty()) return;
      out.key("fields").begin_array();
      for (const auto& field : error.fields)
        out.begin_object().member("name", field.name).member("message", field.message).end_object();
      out.end_array();
      return;
    case ErrorCode::conflict:
      out.member("resourceId", error.resource_id).member("resourceType", error.resource_type);
      return;
    case ErrorCode::service_quota_exceeded:
      out.member("resourceId", error.resource_id);
      return;
    case ErrorCode::internal_server:
      out.member("reason", "OTHER");  // required by inspector-scan, ignored by others
      return;
    default:
      return;
  }
}

}  // namespace

std::string_view name(ErrorCode code) {
  return row(code).name;
}

int status(ErrorCode code) {
  return row(code).status;
}

ApiError validation_failed(std::string message, Reason reason) {
  return {.code = ErrorCode::validation, .message = std::move(message), .reason = reason};
}

ApiError validation_failed(std::vector<FieldError> fields) {
  auto message =
      fmt::format("{} validation error{} detected: ", fields.size(), fields.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) message += "; ";
    message += fields[i].message;
  }
  return {.code = ErrorCode::validation,
          .message = std::move(message),
          .reason = Reason::field_validation_failed,
          .fields = std::move(fields)};
}

ApiError bad_request(std::string message) {
  return plain(ErrorCode::bad_request, std::move(message));
}

ApiError access_denied(std::string message) {
  return plain(ErrorCode::access_denied, std::move(message));
}

ApiError resource_not_found(std::string message) {
  return plain(ErrorCode::resource_not_found, std::move(message));
}

ApiError conflicting(std::string message, std::string resource_id, std::string resource_type) {
  auto error = plain(ErrorCode::conflict, std::move(message));
  error.resource_id = std::move(resource_id);
  error.resource_type = std::move(resource_type);
  return error;
}

ApiError quota_exceeded(std::string message, std::string resource_id) {
  auto error = plain(ErrorCode::service_quota_exceeded, std::move(message));
  error.resource_id = std::move(resource_id);
  return error;
}

ApiError throttled(std::string message, int retry_after_s) {
  auto error = plain(ErrorCode::throttling, std::move(message));
  error.retry_after_s = retry_after_s;
  return error;
}

ApiError unknown_operation() {
  return plain(ErrorCode::unknown_operation, "The request names no operation of this service");
}

ApiError method_not_allowed() {
  return plain(ErrorCode::method_not_allowed, "This path does not know the method");
}

ApiError precondition_failed(std::string message) {
  return plain(ErrorCode::precondition_failed, std::move(message));
}

ApiError service_unavailable() {
  auto out = plain(ErrorCode::service_unavailable,
                   "The service is unavailable. Please try again shortly.");
  out.retry_after_s = 1;
  return out;
}

ApiError to_api_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid:
    case Errc::limit:
      return validation_failed(error.what);
    case Errc::not_found:
      return resource_not_found(error.what);
    case Errc::conflict:
      return conflicting(error.what, "", "");
    case Errc::unavailable: {
      auto gone = service_unavailable();
      gone.cause = error.what;
      return gone;
    }
    // What the server itself may not do is not the caller's fault, nor for its eyes.
    case Errc::denied:
    case Errc::internal:
      break;
  }
  auto broken = plain(ErrorCode::internal_server, "An internal error occurred");
  broken.retry_after_s = 30;
  broken.cause = error.what;
  return broken;
}

http::Response to_response(const ApiError& error) {
  json::Writer out;
  out.begin_object().member("message", error.message);
  write_members(out, error);
  out.end_object();
  http::Response response;
  response.status = status(error.code);
  auto& headers = response.headers.all;
  headers.emplace_back("Content-Type", "application/json");
  headers.emplace_back("x-amzn-ErrorType", name(error.code));
  if (error.retry_after_s)
    headers.emplace_back("Retry-After", std::to_string(*error.retry_after_s));
  response.body = out.take();
  response.note.fault = error.cause;
  return response;
}

http::Response refused_by_server(int status, std::string_view reason) {
  // 501 and 505 too are for the client to mend, not to try again.
  auto code = ErrorCode::bad_request;
  for (const auto one : {ErrorCode::request_timeout, ErrorCode::request_too_large,
                         ErrorCode::internal_server, ErrorCode::service_unavailable})
    if (api::status(one) == status) code = one;
  auto response = to_response(plain(code, std::string(reason)));
  response.status = status;
  return response;
}

}  // namespace tenken::api
