// Request targets taken apart: the decoded segments of a path, the decoded pairs of a query or of a
// form. A '+' is a plus in a query (RFC 3986; what SigV4 signs agrees) and a blank in a form.
//
// Errors: invalid (a '%' without two hexadecimal digits, text that is not UTF-8, a NUL).
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenken::http {

struct Parameter {
  std::string name;
  std::string value;  // "a" and "a=" both have an empty one
  bool operator==(const Parameter&) const = default;
};

// "/tags/arn%3Aaws" is {"tags", "arn:aws"}; "/" is {""}; a slash at the end adds an empty segment.
// The path begins with '/'.
Result<std::vector<std::string>> path_segments(std::string_view path);

// Whether it has a segment that clients, proxies and what is signed of a request (SigV4) take out:
// "." and "..", percent-encoded too, and an empty one that is not the last. Two such paths would be
// one to them and two to path_segments.
bool has_dot_or_empty_segment(std::string_view path);

// In the order of the text; repeated names stay. "a=1&&b" has two pairs.
Result<std::vector<Parameter>> parse_query(std::string_view query);
// The body of an application/x-www-form-urlencoded request.
Result<std::vector<Parameter>> parse_form(std::string_view body);

}  // namespace tenken::http
