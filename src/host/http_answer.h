// The first HTTP/1 response in some bytes, as far as it has come: what a metadata service and a
// tenken server answer. A body in chunks is not read.
//
// Source: RFC 9112. Errors: invalid. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace tenken::host {

struct HttpAnswer {
  std::uint32_t status = 0;
  std::string_view head;  // status line and headers
  std::string_view body;
  std::uint64_t length = 0;  // that the body is to have
  bool complete = false;     // as long as it says
  bool endless = false;      // it does not say how long: it ends with the connection
};

// The first value of a header in a head, without the blanks around it; empty: there is none.
std::string_view header_of(std::string_view head, std::string_view name);

// Where the head has not ended yet, status is 0.
Result<HttpAnswer> parse_http_answer(std::string_view text);

}  // namespace tenken::host
