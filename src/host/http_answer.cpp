#include "host/http_answer.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace tenken::host {

std::string_view header_of(std::string_view head, std::string_view name) {
  std::optional<std::string_view> out;
  for_each_line(head, [&](std::string_view line) {
    const auto [one, value] = split_once(line, ':');
    if (!out && value && equal_ignoring_case(one, name)) out = trim(*value);
  });
  return out.value_or(std::string_view());
}

Result<HttpAnswer> parse_http_answer(std::string_view text) {
  constexpr std::string_view version = "HTTP/1.";
  constexpr std::string_view head_end = "\r\n\r\n";
  if (!text.substr(0, version.size()).starts_with(version.substr(0, text.size())))
    return invalid("not an HTTP response");
  const auto end = text.find(head_end);
  if (end == std::string_view::npos) return HttpAnswer{};
  const auto status = parse_uint(text.substr(0, end).substr(std::min<std::size_t>(end, 9), 3));
  if (text[8] != ' ' || !status || *status < 100 || *status > 599)
    return invalid("not an HTTP response");
  std::optional<std::uint64_t> length;
  Result<> outcome;
  for_each_line(text.substr(0, end), [&](std::string_view line) {
    const auto [name, value] = split_once(line, ':');
    if (!value) return;
    if (equal_ignoring_case(name, "Transfer-Encoding")) outcome = invalid("a body in pieces");
    if (!equal_ignoring_case(name, "Content-Length")) return;
    const auto number = parse_uint(trim(*value));
    if (!number || (length && *length != *number)) outcome = invalid("not a length");
    length = number;
  });
  TRY_VOID(std::move(outcome));
  HttpAnswer answer{.status = static_cast<std::uint32_t>(*status),
                    .head = text.substr(0, end),
                    .body = text.substr(end + head_end.size()),
                    .length = length.value_or(0),
                    .endless = !length};
  answer.complete = length && answer.body.size() >= *length;
  if (answer.complete) answer.body = answer.body.substr(0, *length);
  return answer;
}

}  // namespace tenken::host
