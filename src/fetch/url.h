// The URLs of documents: taken apart, and mapped to a path in a directory tree.
//
// Source: RFC 3986; of it only http and https with a host, and no user information.
//
// Thread rule: pure functions; a Url views the text it was read from.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::fetch {

struct Url {
  std::string_view scheme;  // "http" or "https"
  std::string_view host;    // with its port, where there is one
  std::string_view path;    // from its '/', percent-encoded
  std::string_view query;   // after '?', without it
};

// Errors: invalid (another scheme, no host, blanks, control or non-ASCII characters, a fragment).
Result<Url> parse_url(std::string_view text);

// Where the document lies below a mirror's root: "<host>/<path>", percent-decoded, a query
// appended to the last name after '@' ("cves/2.0@startIndex=0&resultsPerPage=2000"). A path that
// ends in '/' is "index.html" in that directory. Errors: invalid (a segment that is empty, "." or
// "..", too long, or holds '/', a backslash or a control character once decoded).
Result<std::string> mirror_path(const Url& url);

// The URL with its last path segment replaced and without its query.
std::string sibling_url(std::string_view url, std::string_view name);

// "ALSA-2025:9318", "a b" -> what may stand in one segment of a URL's path.
std::string percent_encode(std::string_view segment);
std::string percent_decode(std::string_view text);  // "%zz" stays as it is

}  // namespace tenken::fetch
