#include "match/modules.h"

#include <algorithm>

namespace tenken::match {

bool is_module_build(std::string_view version) {
  return version.find(".module") != std::string_view::npos;
}

bool is_module_build(const advisories::RowView& row) {
  return std::ranges::any_of(row.ranges, [](const advisories::RangeView& range) {
    return std::ranges::any_of(range.intervals, [](const advisories::IntervalView& interval) {
      return is_module_build(interval.upper) || is_module_build(interval.lower);
    });
  });
}

std::string_view stream_of_label(std::string_view label) {
  const auto first = label.find(':');
  if (first == std::string_view::npos) return {};
  return label.substr(0, label.find(':', first + 1));
}

ModuleFit module_fit(const Package& package, const advisories::RowView& row) {
  const bool installed = is_module_build(package.version) || !package.module_label.empty();
  if (installed != is_module_build(row)) return ModuleFit::differs;
  if (!installed) return ModuleFit::fits;
  const auto stream = stream_of_label(package.module_label);
  if (stream.empty() || row.module_stream.empty()) return ModuleFit::unclear;
  return stream == row.module_stream ? ModuleFit::fits : ModuleFit::differs;
}

}  // namespace tenken::match
