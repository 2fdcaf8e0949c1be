// Transport: how the bytes of one URL arrive. HTTP(S) is one, a plain directory on an air-gapped
// site another, and tests have their own.
//
// Thread rule: one transport per thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenken::fetch {

struct Timeouts {
  std::uint32_t connect_ms = 30'000;
  // A transfer that stays below this rate for so long has failed.
  std::uint32_t low_speed_bytes_per_second = 1'000;
  std::uint32_t low_speed_seconds = 30;
  std::uint32_t total_seconds = 4 * 3600;
};

struct Request {
  std::string url;
  // "Name: value", secrets among them: with any, no redirect is followed, since they would go to
  // the host it leads to.
  std::vector<std::string> headers = {};
  // Validators of the copy at hand; empty: none.
  std::string etag = {};
  std::string last_modified = {};
  // Bytes already at hand of the representation that this validator names; 0: from the start.
  std::uint64_t resume_from = 0;
  std::string if_range = {};
  bool accept_gzip = false;  // as transfer coding; the body always receives decoded bytes
  std::uint64_t limit_bytes = std::uint64_t{1} << 30;  // of the whole document, decoded
  Timeouts timeouts = {};
};

struct Response {
  int status = 0;  // as in HTTP: 200, 206, 304, 404…
  std::string etag = {};
  std::string last_modified = {};
  std::string retry_after = {};
  bool coded = false;  // compressed on the way: ranges count other bytes than the body receives
  std::optional<std::uint64_t> length = {};  // of the whole document where known and not coded
  std::uint64_t bytes = 0;                   // that this transfer gave to the body
};

// Receives the body of a 200 or 206; other bodies are dropped.
class Body {
 public:
  virtual ~Body() = default;
  // Once, before the first write, also where the body is empty. A 200 replaces what was at hand,
  // a 206 continues it.
  virtual Result<> begin(const Response& head) = 0;
  virtual Result<> write(std::string_view bytes) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Any status is a Response. Errors: unavailable (connection, time-out, body shorter than
  // announced), denied (the peer's certificate), limit (more than limit_bytes), invalid (URL,
  // redirects, range), and what the body returned.
  virtual Result<Response> get(const Request& request, Body& body) = 0;
};

}  // namespace tenken::fetch
