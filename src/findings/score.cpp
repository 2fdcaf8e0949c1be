#include "findings/score.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tenken::findings {
namespace {

struct Band {
  std::string_view name;
  SeverityLevel level;
  ScoreBand tenths;
};
constexpr std::array<Band, 6> bands{{
    {"UNTRIAGED", SeverityLevel::unknown, {-1, -1}},
    {"INFORMATIONAL", SeverityLevel::none, {0, 0}},
    {"LOW", SeverityLevel::low, {1, 39}},
    {"MEDIUM", SeverityLevel::medium, {40, 69}},
    {"HIGH", SeverityLevel::high, {70, 89}},
    {"CRITICAL", SeverityLevel::critical, {90, 100}},
}};

}  // namespace

Score score_of(SeverityLevel level, std::string_view level_source,
               std::optional<double> cvss_score) {
  if (level == SeverityLevel::unknown) return {};
  const auto band = std::ranges::find(bands, level, &Band::level);
  if (cvss_score) {
    const auto tenths = static_cast<std::int64_t>(std::lround(*cvss_score * 10));
    if (tenths >= band->tenths.first && tenths <= band->tenths.last)
      return {.tenths = tenths, .source = std::string(level_source)};
  }
  return {.tenths = band->tenths.first, .source = std::string(level_source), .estimated = true};
}

std::string_view inspector_severity(std::int64_t tenths) {
  const auto band = std::ranges::find_if(bands, [&](const Band& one) {
    return tenths >= one.tenths.first && tenths <= one.tenths.last;
  });
  return band != bands.end() ? band->name : bands.front().name;
}

std::optional<ScoreBand> band_of(std::string_view inspector_severity) {
  const auto band = std::ranges::find(bands, inspector_severity, &Band::name);
  if (band == bands.end()) return std::nullopt;
  return band->tenths;
}

}  // namespace tenken::findings
