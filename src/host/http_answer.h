// An HTTP/1 response that came in one piece, as far as a metadata service needs it: the status and
// the body. A body in chunks is not read.
//
// Source: RFC 9112. Errors: invalid. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace tenken::host {

struct HttpAnswer {
  std::uint32_t status = 0;
  std::string_view body;
  bool complete = false;  // as long as it says
  bool endless = false;   // it does not say how long: it ends with the connection
};

// Where the head has not ended yet, status is 0.
Result<HttpAnswer> parse_http_answer(std::string_view text);

}  // namespace tenken::host
