#include "findings/exclude.h"

#include <algorithm>
#include <tuple>

#include "base/result.h"

namespace tenken::findings {

ScanResult exclude(ScanResult result, const Decide& decide) {
  std::vector<Finding> kept;
  kept.reserve(result.findings.size());
  for (Finding& finding : result.findings) {
    CHECK(finding.package < result.inventory.packages.size());
    CHECK(finding.vulnerability < result.vulnerabilities.size());
    auto exclusion = decide(finding, result);
    if (!exclusion) {
      kept.push_back(std::move(finding));
      continue;
    }
    finding.excluded = std::make_shared<const Exclusion>(*std::move(exclusion));
    result.ignored.push_back(std::move(finding));
  }
  result.findings = std::move(kept);
  std::ranges::sort(result.ignored, [](const Finding& a, const Finding& b) {
    return std::tuple(a.package, b.severity, std::string_view(a.id)) <
           std::tuple(b.package, a.severity, std::string_view(b.id));
  });
  return result;
}

}  // namespace tenken::findings
