#include "model/finding.h"

namespace tenken {

std::string_view name(FindingStatus status) {
  switch (status) {
    case FindingStatus::affected:
      return "affected";
    case FindingStatus::fix_deferred:
      return "fix_deferred";
    case FindingStatus::will_not_fix:
      return "will_not_fix";
    case FindingStatus::end_of_life:
      return "end_of_life";
    case FindingStatus::under_investigation:
      return "under_investigation";
    case FindingStatus::not_running:
      return "not_running";
  }
  return "affected";
}

std::string_view name(SeverityLevel level) {
  constexpr std::array<std::string_view, 6> names{"unknown", "none", "low",
                                                  "medium",  "high", "critical"};
  return names[static_cast<std::size_t>(level)];
}

std::optional<SeverityLevel> parse_severity_level(std::string_view text) {
  for (const auto level : {SeverityLevel::unknown, SeverityLevel::none, SeverityLevel::low,
                           SeverityLevel::medium, SeverityLevel::high, SeverityLevel::critical}) {
    if (name(level) == text) return level;
  }
  return std::nullopt;
}

}  // namespace tenken
