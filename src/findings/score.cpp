#include "findings/score.h"

#include <algorithm>
#include <array>

namespace tenken::findings {
namespace {

// In the order of SeverityLevel.
constexpr std::array<std::string_view, 6> names{"UNTRIAGED", "INFORMATIONAL", "LOW",
                                                "MEDIUM",    "HIGH",          "CRITICAL"};

}  // namespace

std::string_view inspector_severity(std::int64_t tenths) {
  return names[static_cast<std::size_t>(level_of_score(tenths))];
}

std::optional<ScoreBand> band_of(std::string_view inspector_severity) {
  const auto at = std::ranges::find(names, inspector_severity);
  if (at == names.end()) return std::nullopt;
  return score_band(static_cast<SeverityLevel>(at - names.begin()));
}

}  // namespace tenken::findings
