// Small operations on text that several modules need. Text is bytes, UTF-8 where it is shown.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenken {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || is_alpha(c);
}
constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// The value of one hexadecimal digit of either case, -1 where it is none.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string_view trim(std::string_view text);
std::string ascii_lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);  // of ASCII letters

// "a,,b" split at ',' is {"a", "", "b"}; "" is {""}.
std::vector<std::string_view> split(std::string_view text, char separator);

// The part before the first separator and what follows it; the second is absent without one.
struct Halves {
  std::string_view first;
  std::optional<std::string_view> second;
};
Halves split_once(std::string_view text, char separator);

// The whole text as a decimal number; nothing else, no sign, no blank, no overflow.
std::optional<std::uint64_t> parse_uint(std::string_view text);
std::optional<double> parse_double(std::string_view text);

// "a%2Fb" is "a/b"; absent where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

// Calls f(line) for each line without its "\n" or "\r\n"; a last line without one counts.
template <typename F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    f(line);
  }
}

// Foreign text made safe to show on a terminal or in a log: control characters, DEL, C1 controls,
// controls of the direction of writing and bytes that are not UTF-8 become \xNN, so that no escape
// sequence passes through.
std::string printable(std::string_view text);
// The same bytes with every sequence that is not UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);
// Length in bytes of the UTF-8 sequence at the start of text; 0 where it is not valid UTF-8.
std::size_t utf8_sequence_length(std::string_view text);

}  // namespace tenken
