#include "feeds/json_fields.h"

#include <algorithm>

#include <fmt/format.h>

namespace tenken::feeds {

Result<std::string> text_field(json::Value object, std::string_view key) {
  const auto value = object[key];
  if (absent(value)) return std::string();
  if (!value.is_string()) return invalid(fmt::format("{} is no text", key));
  return std::string(value.string());
}

Result<std::vector<std::string>> text_list_field(json::Value object, std::string_view key) {
  const auto list = object[key];
  std::vector<std::string> out;
  if (absent(list)) return out;
  bool all_text = list.is_array();
  list.for_each([&](json::Value item) {
    all_text = all_text && item.is_string();
    out.emplace_back(item.string());
  });
  if (!all_text) return invalid(fmt::format("{} is no list of texts", key));
  return out;
}

Seconds time_field(json::Value object, std::string_view key, const Document& document,
                   std::string_view record, Sink& sink) {
  const auto value = object[key];
  if (absent(value) || (value.is_string() && value.string().empty())) return 0;
  const auto time = parse_time(value.string());
  if (!time) {
    sink.skip({std::string(document.path), std::string(record), fmt::format("{} is no time", key)});
  }
  return std::max<Seconds>(time.value_or(0), 0);
}

void sort_unique(std::vector<std::string>& texts) {
  std::ranges::sort(texts);
  const auto rest = std::ranges::unique(texts);
  texts.erase(rest.begin(), rest.end());
}

}  // namespace tenken::feeds
