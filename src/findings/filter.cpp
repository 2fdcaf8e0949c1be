#include "findings/filter.h"

#include <algorithm>

namespace tenken::findings {
namespace {

// Leaves out the vulnerabilities to which no finding refers and numbers the rest anew.
void drop_unused_vulnerabilities(ScanResult& result) {
  auto& all = result.vulnerabilities;
  std::vector<bool> used(all.size());
  for (const auto* findings : {&result.findings, &result.ignored})
    for (const Finding& finding : *findings) used[finding.vulnerability] = true;
  std::vector<std::uint32_t> place(all.size());
  std::vector<Vulnerability> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    place[i] = static_cast<std::uint32_t>(kept.size());
    if (used[i]) kept.push_back(std::move(all[i]));
  }
  for (auto* findings : {&result.findings, &result.ignored})
    for (Finding& finding : *findings) finding.vulnerability = place[finding.vulnerability];
  all = std::move(kept);
}

}  // namespace

ScanResult filtered(ScanResult result, const Filter& filter) {
  result.hidden += std::erase_if(result.findings, [&](const Finding& finding) {
    if (filter.fixed_only && finding.fixed_version.empty()) return true;
    return finding.severity != SeverityLevel::unknown && finding.severity < filter.minimum;
  });
  drop_unused_vulnerabilities(result);
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
