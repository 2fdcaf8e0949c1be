#include "fetch/retry.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "base/text.h"

namespace tenken::fetch {

void sleep_ms(std::uint32_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

double random_fraction() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::optional<std::uint64_t> parse_retry_after(std::string_view text, Seconds now) {
  text = trim(text);
  if (const auto seconds = parse_uint(text)) return seconds;
  const auto date = parse_http_date(text);
  if (!date) return {};
  return *date > now ? static_cast<std::uint64_t>(*date - now) : 0;
}

bool is_transient(const RetryPolicy& policy, const Failure& failure) {
  switch (failure.status) {
    case 0:
      return failure.error == Errc::unavailable;
    case 403:
      return policy.forbidden_is_rate_limit || !failure.retry_after.empty();
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

std::optional<std::uint32_t> retry_wait_ms(const RetryPolicy& policy, unsigned attempt,
                                           const Failure& failure, Seconds now, double random) {
  if (attempt >= policy.attempts || !is_transient(policy, failure)) return {};
  const auto doublings = std::min(attempt == 0 ? 0U : attempt - 1, 31U);
  const auto ceiling = std::min<std::uint64_t>(std::uint64_t{policy.first_wait_ms} << doublings,
                                               policy.longest_wait_ms);
  // Half of the wait is drawn, so that clients which failed together do not return together.
  auto wait = static_cast<std::uint64_t>(static_cast<double>(ceiling) * (0.5 + random / 2));
  if (const auto asked = parse_retry_after(failure.retry_after, now)) {
    if (*asked > policy.longest_retry_after_s) return {};
    wait = std::max(wait, *asked * 1'000);
  }
  return static_cast<std::uint32_t>(wait);
}

}  // namespace tenken::fetch
