#include "fetch/retry.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::fetch {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays{"Thu", "Fri", "Sat", "Sun",
                                                   "Mon", "Tue", "Wed"};  // the epoch's day first

}  // namespace

void sleep_ms(std::uint32_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

double random_fraction() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::optional<Seconds> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT", of fixed width; written anew as RFC 3339.
  text = trim(text);
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return {};
  const auto* month = std::ranges::find(months, text.substr(8, 3));
  if (month == months.end()) return {};
  return parse_time(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month - months.begin() + 1,
                                text.substr(5, 2), text.substr(17, 8)));
}

std::string format_http_date(Seconds time) {
  const auto stamp = format_time(time);  // 1994-11-06T08:49:37Z
  const auto field = [&](std::size_t at, std::size_t size) {
    return std::string_view(stamp).substr(at, size);
  };
  const auto days = time / 86'400 - (time % 86'400 < 0 ? 1 : 0);
  const auto weekday = static_cast<std::size_t>(((days % 7) + 7) % 7);
  const auto month = std::clamp<std::size_t>(parse_uint(field(5, 2)).value_or(1), 1, 12) - 1;
  return fmt::format("{}, {} {} {} {} GMT", weekdays[weekday], field(8, 2), months[month],
                     field(0, 4), field(11, 8));
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
