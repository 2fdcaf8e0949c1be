#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::http {
namespace {

constexpr std::array<std::string_view, 6> servers_own{
    "content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"};

bool may_send(std::string_view name, std::string_view value) {
  const auto is_plain = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
  const auto ends_line = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  return !name.empty() && std::ranges::all_of(name, is_plain) &&
         std::ranges::none_of(value, ends_line) && std::ranges::none_of(servers_own, [&](auto own) {
           return equal_ignoring_case(own, name);
         });
}

}  // namespace

bool may_have_body(int status) {
  return status != 204 && status != 304;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return status < 300 ? "Success" : status < 400 ? "Redirection" : "Error";
  }
}

Response plain_response(int status, std::string_view text) {
  Response out{.status = status, .body = fmt::format("{}\n", text)};
  out.headers.set("Content-Type", "text/plain; charset=utf-8");
  return out;
}

std::string response_head(const Response& response, const ResponseFacts& facts) {
  std::string out;
  out.reserve(256);
  auto end = std::back_inserter(out);
  fmt::format_to(end, "HTTP/1.1 {} {}\r\nServer: tenken\r\nDate: {}\r\nConnection: {}\r\n",
                 response.status, reason_phrase(response.status), facts.date,
                 facts.keep_alive ? "keep-alive" : "close");
  if (may_have_body(response.status))
    fmt::format_to(end, "Content-Length: {}\r\n", response.content().size());
  if (!facts.request_id.empty() && !response.headers.has("x-amzn-RequestId"))
    fmt::format_to(end, "x-amzn-RequestId: {}\r\n", facts.request_id);
  for (const auto& [name, value] : response.headers.all) {
    if (may_send(name, value)) fmt::format_to(end, "{}: {}\r\n", name, value);
  }
  out += "\r\n";
  return out;
}

}  // namespace tenken::http
