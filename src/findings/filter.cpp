#include "findings/filter.h"

#include <algorithm>
#include <set>

namespace tenken::findings {

ScanResult filtered(ScanResult result, const Filter& filter) {
  result.hidden += std::erase_if(result.findings, [&](const Finding& finding) {
    if (filter.fixed_only && finding.fixed_version.empty()) return true;
    return finding.severity != SeverityLevel::unknown && finding.severity < filter.minimum;
  });
  std::set<std::string_view> used;
  for (const auto* findings : {&result.findings, &result.ignored})
    for (const Finding& finding : *findings) used.insert(finding.id);
  std::erase_if(result.vulnerabilities, [&](const auto& row) { return !used.contains(row.first); });
  return result;
}

std::optional<SeverityLevel> parse_threshold(std::string_view name) {
  if (name == "any") return SeverityLevel::unknown;
  return parse_severity_level(name);
}

std::size_t count_failing(const ScanResult& result, SeverityLevel threshold) {
  // unknown is below every other level, so it counts only where it is the threshold.
  const auto fails = [&](const Finding& finding) {
    return finding.status != FindingStatus::not_running && finding.severity >= threshold;
  };
  return static_cast<std::size_t>(std::ranges::count_if(result.findings, fails));
}

}  // namespace tenken::findings
