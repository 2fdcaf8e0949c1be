#include <algorithm>

#include "base/text.h"
#include "http/server.h"

namespace tenken::http {
namespace {

auto find_header(auto& all, std::string_view name) {
  return std::ranges::find_if(
      all, [&](const auto& header) { return equal_ignoring_case(header.first, name); });
}

}  // namespace

std::string_view Headers::get(std::string_view name) const {
  const auto found = find_header(all, name);
  return found == all.end() ? std::string_view() : found->second;
}

bool Headers::has(std::string_view name) const {
  return find_header(all, name) != all.end();
}

void Headers::set(std::string_view name, std::string_view value) {
  const auto found = find_header(all, name);
  if (found == all.end()) {
    all.emplace_back(name, value);
    return;
  }
  found->second = value;
  all.erase(
      std::remove_if(found + 1, all.end(),
                     [&](const auto& header) { return equal_ignoring_case(header.first, name); }),
      all.end());
}

std::string_view Request::path() const {
  return split_once(target, '?').first;
}

std::string_view Request::query() const {
  return split_once(target, '?').second.value_or(std::string_view());
}

}  // namespace tenken::http
