// The form of a request that AWS Signature Version 4 signs: one text per meaning, the same for who
// signs and for who verifies.
//
// Source: AWS, "Create a signed AWS API request", elements of a canonical request; RFC 3986.
//   - Path: every service but S3 encodes the path as sent once more ("%3A" becomes "%253A") after
//     taking out "." and ".." and empty segments; S3 encodes the object's key once.
//   - Query: (name, value) pairs, each encoded once, sorted as pairs and not as texts.
//   - Headers: lower-case names, values trimmed with inner runs of blanks folded to one, repeated
//     headers joined by a comma in their order.
//
// Thread rule: pure functions. Cost: the query is sorted, each signed name looks at every header.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenken::aws {

using Header = std::pair<std::string, std::string>;  // name in any case, value

// A request but for its body. Views what it was made from.
struct RequestHead {
  std::string_view method;
  std::string_view target;  // path and query as on the request line, encoded: "/a%3Ab?c=d"
  std::span<const Header> headers;

  std::string_view path() const;
  std::string_view query() const;  // without "?"; empty where there is none
  // The first header of that name, whatever its case; nullptr where there is none.
  const std::string* header(std::string_view lower_name) const;
};

// Everything but A-Z a-z 0-9 - . _ ~ as %XX; '/' stays where it is kept.
enum class Slash : bool { encode, keep };
std::string uri_encode(std::string_view bytes, Slash slash);

// The pairs of a query, decoded, in their order; a part without '=' has an empty value. '+' is a
// plus sign. Empty parts are left out.
using Parameter = std::pair<std::string, std::string>;
std::vector<Parameter> query_parameters(std::string_view query);

// signed_headers are lower-case names, ascending. A name that the request does not have counts as
// an empty value. `left_out` is a parameter that is not part of the canonical query.
std::string canonical_request(const RequestHead& head,
                              std::span<const std::string_view> signed_headers,
                              std::string_view payload_hash, std::string_view service,
                              std::string_view left_out_parameter = {});

}  // namespace tenken::aws
