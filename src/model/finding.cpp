#include "model/finding.h"

#include <algorithm>

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

namespace {

constexpr std::array<ScoreBand, 6> bands{
    {{-1, -1}, {0, 0}, {1, 39}, {40, 69}, {70, 89}, {90, 100}}};

}  // namespace

ScoreBand score_band(SeverityLevel level) {
  return bands[static_cast<std::size_t>(level)];
}

SeverityLevel level_of_score(std::int64_t tenths) {
  const auto band = std::ranges::find_if(
      bands, [&](const ScoreBand& one) { return tenths >= one.first && tenths <= one.last; });
  return band == bands.end() ? SeverityLevel::unknown
                             : static_cast<SeverityLevel>(band - bands.begin());
}

std::string_view cvss_version(std::string_view vector) {
  constexpr std::string_view prefix = "CVSS:";
  return vector.starts_with(prefix) ? vector.substr(prefix.size(), 3) : "2.0";
}

const CvssScore* chosen_cvss(const Finding& finding, const Vulnerability& vulnerability) {
  const auto index = static_cast<std::size_t>(finding.cvss);
  return finding.cvss < 0 || index >= vulnerability.cvss.size() ? nullptr
                                                                : &vulnerability.cvss[index];
}

std::string_view score_source(const Finding& finding, const Vulnerability& vulnerability) {
  if (finding.score == no_score) return {};
  if (finding.score_estimated) return finding.severity_source;
  const auto* cvss = chosen_cvss(finding, vulnerability);
  return cvss != nullptr ? std::string_view(cvss->source) : std::string_view();
}

bool scores_disagree(const Vulnerability& vulnerability) {
  std::int16_t least = 100;
  std::int16_t most = 0;
  std::string_view last;
  for (const auto& one : vulnerability.cvss) {
    if (!last.empty() && one.source == last) continue;  // a source's other versions say the same
    last = one.source;
    least = std::min(least, one.tenths);
    most = std::max(most, one.tenths);
  }
  if (least > most) return false;
  const auto apart =
      static_cast<int>(level_of_score(most)) - static_cast<int>(level_of_score(least));
  return most - least >= 20 || apart >= 2;
}

}  // namespace tenken
