// HttpSender: one HTTP request with a body, and its answer. What sends requests (S3, a server's
// client) is given a sender, so that tests bring their own and only one folder knows libcurl.
//
// Redirects are not followed: headers carry signatures, which would go to the host they lead to.
//
// Errors: unavailable (connection, time-out), denied (the peer's certificate), limit (an answer
// larger than allowed), invalid (the URL). Any status is an answer.
// Thread rule: one sender per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tenken {

struct HttpSend {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string_view body = {};  // lives until send returns
  std::uint32_t connect_ms = 30'000;
  std::uint32_t total_seconds = 300;
  std::size_t answer_limit_bytes = std::size_t{1} << 20;
  // Asked about once a second; false ends the request as unavailable.
  std::function<bool()> keep_going = {};
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string body = {};

  // The first of the name; empty where there is none.
  std::string_view header(std::string_view lower_name) const {
    for (const auto& [name, value] : headers)
      if (name == lower_name) return value;
    return {};
  }
};

class HttpSender {
 public:
  virtual ~HttpSender() = default;
  virtual Result<HttpAnswer> send(const HttpSend& request) = 0;
};

}  // namespace tenken
