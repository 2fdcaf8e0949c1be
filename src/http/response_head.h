// The head of a response as bytes. What frames the message (Content-Length, Connection, Date,
// Server) is the server's alone; a handler's headers of these names, and any with a name or a value
// that could end the line, are left out.
//
// Source: RFC 9112 sections 4 and 6, RFC 9110 section 8.6.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"

namespace tenken::http {

struct ResponseFacts {
  std::string_view date;        // an HTTP date
  std::string_view request_id;  // empty: none
  bool keep_alive = false;
};

std::string response_head(const Response& response, const ResponseFacts& facts);

// RFC 9110 section 6.4.1: 204 and 304 have no content, whatever the handler says.
bool may_have_body(int status);

// "Not Found"; the class's name for a status without one of its own.
std::string_view reason_phrase(int status);

// An answer of the server itself: the text, and a line end, as text/plain.
Response plain_response(int status, std::string_view text);

}  // namespace tenken::http
