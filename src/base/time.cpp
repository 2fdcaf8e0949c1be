#include "base/time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays{"Thu", "Fri", "Sat", "Sun",
                                                   "Mon", "Tue", "Wed"};  // the epoch's day first

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  const auto value = parse_uint(text.substr(at, count));
  if (!value || text[at] == '+') return std::nullopt;
  return static_cast<int>(*value);
}

// The offset from UTC in seconds of "Z", "+09:00", "+0900" or nothing.
std::optional<Seconds> zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const bool colon = text.size() == 6 && text[3] == ':';
  if (!colon && text.size() != 5) return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, colon ? 4 : 3, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const Seconds offset = *hours * 3600 + *minutes * 60;
  return text[0] == '+' ? offset : -offset;
}

}  // namespace

std::optional<Seconds> parse_time(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const Seconds midnight = std::chrono::sys_days(date).time_since_epoch().count() * Seconds{86400};
  if (text.size() == 10) return midnight;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!hour || !minute || !second || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  auto rest = text.substr(19);
  if (rest.starts_with('.')) {
    std::size_t end = 1;
    while (end < rest.size() && is_digit(rest[end])) ++end;
    if (end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  const auto offset = zone(rest);
  if (!offset) return std::nullopt;
  return midnight + *hour * 3600 + *minute * 60 + *second - *offset;
}

namespace {

// At least so many digits; a report holds thousands of times, for which fmt is slow.
void append_padded(std::string& out, std::int64_t value, std::size_t digits) {
  const fmt::format_int text(value);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out.append(text.data(), text.size());
}

}  // namespace

std::string format_time(Seconds time) {
  const std::chrono::sys_seconds point{std::chrono::seconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::hh_mm_ss clock(point - day);
  auto out = format_date(time);
  out += 'T';
  append_padded(out, clock.hours().count(), 2);
  out += ':';
  append_padded(out, clock.minutes().count(), 2);
  out += ':';
  append_padded(out, clock.seconds().count(), 2);
  out += 'Z';
  return out;
}

std::string format_date(Seconds time) {
  const std::chrono::sys_seconds point{std::chrono::seconds(time)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(point)};
  std::string out;
  out.reserve(20);  // a time has as many
  append_padded(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  return out;
}

std::optional<Seconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto number = parse_uint(text.substr(0, text.size() - 1));
  const auto unit = text.back() == 'd'   ? 86'400
                    : text.back() == 'h' ? 3'600
                    : text.back() == 'm' ? 60
                                         : 0;
  if (!number || *number == 0 || *number > 100'000 || unit == 0) return std::nullopt;
  return static_cast<Seconds>(*number) * unit;
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

Seconds now() {
  if (const char* fixed = std::getenv("SOURCE_DATE_EPOCH")) {
    if (const auto value = parse_uint(fixed)) return static_cast<Seconds>(*value);
  }
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace tenken
