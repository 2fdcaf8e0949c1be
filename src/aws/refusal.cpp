#include "aws/sigv4.h"

namespace tenken::aws {

std::string_view error_code(Fault fault, Protocol protocol) {
  const bool json = protocol == Protocol::json;
  switch (fault) {
    case Fault::missing_authentication:
      return json ? "MissingAuthenticationTokenException" : "MissingAuthenticationToken";
    case Fault::incomplete_signature:
      return json ? "IncompleteSignatureException" : "IncompleteSignature";
    case Fault::unknown_client:
      return json ? "UnrecognizedClientException" : "InvalidClientTokenId";
    case Fault::invalid_signature:
      return json ? "InvalidSignatureException" : "SignatureDoesNotMatch";
    case Fault::expired:
      return "RequestExpired";
    case Fault::unavailable:
      return json ? "ServiceUnavailableException" : "ServiceUnavailable";
  }
  return "InvalidSignatureException";
}

int http_status(Fault fault) {
  switch (fault) {
    case Fault::incomplete_signature:
    case Fault::expired:
      return 400;
    case Fault::unavailable:
      return 503;
    case Fault::missing_authentication:
    case Fault::unknown_client:
    case Fault::invalid_signature:
      break;
  }
  return 403;
}

Refusal unknown_client() {
  return {.fault = Fault::unknown_client,
          .message = "The security token included in the request is invalid."};
}

Refusal unavailable(std::string cause) {
  return {.fault = Fault::unavailable,
          .message = "The service is unavailable. Please try again shortly.",
          .cause = std::move(cause)};
}

}  // namespace tenken::aws
