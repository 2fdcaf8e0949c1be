// The severity of a finding.
//
// Rule: the distribution's own word for the release first, then the advisory's word of a
// distribution; else the qualitative value of the CVSS vector that decides
// (advisories/scoring.h); else the word of the record; else unknown. Words: Important is high,
// Moderate medium, Ubuntu's negligible and Debian's unimportant low. An erratum for bugs or
// enhancements (ALBA, ALEA and their kin) is `none` unless a CVE gives it more.
//
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "advisories/entries.h"
#include "model/finding.h"

namespace tenken::match {

std::optional<SeverityLevel> level_of_word(std::string_view vendor_word);
bool is_bug_erratum(std::string_view advisory_id);

struct SeverityClaim {
  std::string_view word;  // of the row or the record; may be empty
  std::string_view advisory_id;
  std::string_view ecosystem;
  bool distribution = false;  // the ecosystem is one
};

struct DecidedSeverity {
  SeverityLevel level = SeverityLevel::unknown;
  std::string source;
};
DecidedSeverity decide_severity(const std::vector<SeverityClaim>& claims,
                                const advisories::VulnerabilityEntry& vulnerability);

}  // namespace tenken::match
