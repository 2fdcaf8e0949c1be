// When a failed request is tried again, and after how long. Pure: the clock, the sleep and the
// random number are arguments.
//
// Source of the rules: RFC 9110 sections 10.2.3 (Retry-After) and 15 (status codes), RFC 6585
// section 4 (429).
//
// Thread rule: safe from any thread; an Environment of a caller's own functions is what they are.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tenken::fetch {

struct RetryPolicy {
  unsigned attempts = 5;  // in all
  std::uint32_t first_wait_ms = 1'000;
  std::uint32_t longest_wait_ms = 60'000;
  // Upstream may ask for a longer wait than ours. Beyond this one nobody sits and waits: the
  // request fails, and says when to come back.
  std::uint32_t longest_retry_after_s = 300;
  // 403 is final, save where upstream answers so to clients that ask too often (NVD).
  bool forbidden_is_rate_limit = false;
};

void sleep_ms(std::uint32_t milliseconds);
double random_fraction();  // in [0, 1)

// What the world gives: tests bring their own and never wait.
struct Environment {
  std::function<Seconds()> now = &tenken::now;
  std::function<void(std::uint32_t milliseconds)> sleep = &sleep_ms;
  std::function<double()> random = &random_fraction;
};

// How one attempt failed: with a status, or (status 0) with an error before there was one.
struct Failure {
  int status = 0;
  Errc error = Errc::unavailable;
  std::string_view retry_after = {};
};

// Milliseconds to wait before the next attempt, `attempt` of them having been made. Absent: final.
std::optional<std::uint32_t> retry_wait_ms(const RetryPolicy& policy, unsigned attempt,
                                           const Failure& failure, Seconds now, double random);

// Whether the failure may go away by itself, whatever the number of attempts.
bool is_transient(const RetryPolicy& policy, const Failure& failure);

// Seconds from now, of "120" or an HTTP date; a past date is 0. Absent: neither.
std::optional<std::uint64_t> parse_retry_after(std::string_view text, Seconds now);

}  // namespace tenken::fetch
