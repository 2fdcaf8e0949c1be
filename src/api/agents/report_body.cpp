#include "api/agents/report_body.h"

#include <fmt/format.h>

namespace tenken::api::agents {
namespace {

constexpr std::size_t name_digits = 16;

bool is_name(std::string_view text) {
  return text.size() == name_digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<host::ReportDelta> read_delta(std::string_view body) {
  host::ReportDelta out;
  std::size_t number = 0;
  while (!body.empty()) {
    ++number;
    const auto end = body.find('\n');
    if (end == std::string_view::npos)
      return invalid(fmt::format("line {}: it has no end", number));
    const auto line = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (line.starts_with('+')) {
      out.came.emplace_back(line.substr(1));
    } else if (line.starts_with('-')) {
      const auto name = line.substr(1);
      if (!is_name(name)) return invalid(fmt::format("line {}: it names no line", number));
      out.gone.emplace_back(name);
    } else {
      return invalid(fmt::format("line {}: it begins with neither + nor -", number));
    }
  }
  return out;
}

Result<std::string> read_whole(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  std::size_t number = 0;
  while (!body.empty()) {
    ++number;
    const auto end = body.find('\n');
    if (end == std::string_view::npos)
      return invalid(fmt::format("line {}: it has no end", number));
    if (!body.starts_with('+'))
      return invalid(fmt::format("line {}: a whole report has + only", number));
    out.append(body.substr(1, end));
    body.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace tenken::api::agents
