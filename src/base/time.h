// Points in time as seconds since 1970-01-01T00:00:00Z, read from and written as RFC 3339.
// The clock is an argument of what needs it, so that tests set it.
//
// Thread rule: pure functions; now() asks the system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenken {

using Seconds = std::int64_t;  // since the epoch, UTC

// "2024-10-21T13:15:02.117Z", "…+09:00", without zone (read as UTC), without fraction, or the date
// alone. Absent where it is none of these, or no such day exists.
std::optional<Seconds> parse_time(std::string_view text);
std::string format_time(Seconds time);  // 2024-10-21T13:15:02Z
std::string format_date(Seconds time);  // 2024-10-21

// "7d", "12h", "30m": at most 100,000 of the unit; not zero.
std::optional<Seconds> parse_duration(std::string_view text);

// The one form of date that HTTP may still send: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<Seconds> parse_http_date(std::string_view text);
std::string format_http_date(Seconds time);

Seconds now();  // $SOURCE_DATE_EPOCH where set, else the system's clock

}  // namespace tenken
