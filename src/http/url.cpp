#include "http/url.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::http {
namespace {

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = utf8_sequence_length(bytes);
    if (size == 0 || bytes.front() == '\0') return false;
    bytes.remove_prefix(size);
  }
  return true;
}

Result<std::string> decoded(std::string_view text) {
  auto out = percent_decode(text);
  if (!out || !is_text(*out))
    return invalid(fmt::format("\"{}\": badly encoded", printable(text.substr(0, 100))));
  return *std::move(out);
}

Result<std::vector<Parameter>> parse_pairs(std::string_view text) {
  std::vector<Parameter> out;
  for (const auto piece : split(text, '&')) {
    if (piece.empty()) continue;
    const auto [name, value] = split_once(piece, '=');
    TRY(auto decoded_name, decoded(name));
    TRY(auto decoded_value, decoded(value.value_or(std::string_view())));
    out.push_back({std::move(decoded_name), std::move(decoded_value)});
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> path_segments(std::string_view path) {
  if (!path.starts_with('/')) return invalid("the path does not begin with '/'");
  std::vector<std::string> out;
  for (const auto segment : split(path.substr(1), '/')) {
    TRY(auto text, decoded(segment));
    out.push_back(std::move(text));
  }
  return out;
}

bool has_dot_or_empty_segment(std::string_view path) {
  const auto segments = split(path, '/');
  for (std::size_t i = 1; i < segments.size(); ++i) {
    if (segments[i].empty() && i + 1 < segments.size()) return true;
    const auto text = percent_decode(segments[i]);
    if (text == "." || text == "..") return true;
  }
  return false;
}

Result<std::vector<Parameter>> parse_query(std::string_view query) {
  return parse_pairs(query);
}

Result<std::vector<Parameter>> parse_form(std::string_view body) {
  std::string text(body);
  std::ranges::replace(text, '+', ' ');
  return parse_pairs(text);
}

}  // namespace tenken::http
