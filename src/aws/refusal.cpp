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
  }
  return "InvalidSignatureException";
}

int http_status(Fault fault) {
  return fault == Fault::incomplete_signature || fault == Fault::expired ? 400 : 403;
}

Refusal unknown_client() {
  return {Fault::unknown_client, "The security token included in the request is invalid."};
}

}  // namespace tenken::aws
