// The score and severity of a finding as Inspector shows them: inspectorScore and severity.
//
// Rule (reachability-and-score §2.2, without context; serve-decisions §4): the vendor's word
// decides the severity; the score is that of the vector that decides where it lies in the same
// band, else the lower bound of the band, marked as estimated. Without a word the vector's score
// and band. With nothing: UNTRIAGED, no score. Bands: 0 INFORMATIONAL, 0.1–3.9 LOW, 4.0–6.9
// MEDIUM, 7.0–8.9 HIGH, 9.0–10 CRITICAL.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/finding.h"

namespace tenken::findings {

struct Score {
  std::optional<std::int64_t> tenths;  // empty: UNTRIAGED
  std::string source;                  // "NVD", "AlmaLinux"; empty where there is no score
  bool estimated = false;              // the lower bound of a vendor's word
};
Score score_of(SeverityLevel level, std::string_view level_source,
               std::optional<double> cvss_score);

// "UNTRIAGED", "INFORMATIONAL", "LOW", … of a score in tenths; below 0: UNTRIAGED.
std::string_view inspector_severity(std::int64_t tenths);
// The scores that bear a severity: from first to last. nullopt: no such severity.
struct ScoreBand {
  std::int64_t first = 0;
  std::int64_t last = 0;
};
std::optional<ScoreBand> band_of(std::string_view inspector_severity);

}  // namespace tenken::findings
