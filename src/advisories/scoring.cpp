#include "advisories/scoring.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cvss/cvss.h"

namespace tenken::advisories {

void Scoring::consider(const Severity& severity, std::string_view source) {
  if (!severity.type.starts_with("CVSS")) return;
  const auto scores = cvss::score(severity.score);
  if (!scores || !scores->base) {
    faults_.push_back(fmt::format("CVSS vector cannot be read: {}",
                                  scores ? "no base score" : scores.error().what));
    return;
  }
  // The ranks compare as text: version, then primary, then the source's name (least first wins).
  const auto version = cvss::name(scores->version);
  auto rank =
      fmt::format("{}{}", version, severity.primary && source.starts_with("nvd@") ? '1' : '0');
  if (!best_.vector.empty() && rank <= rank_) return;
  rank_ = std::move(rank);
  best_.score = *scores->base;
  best_.vector = severity.score;
  best_.source = fmt::format("CVSS {} {}", version, source);
  best_.level = parse_severity_level(cvss::severity(scores->version, *scores->base))
                    .value_or(SeverityLevel::unknown);
}

}  // namespace tenken::advisories
