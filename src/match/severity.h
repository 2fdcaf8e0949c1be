// The severity and score of a finding, for scans and for the server alike.
//
// Rule (reachability-and-score §2.2 without context): the distribution's own word for the release
// first, then the advisory's word of a distribution; else the band of the CVSS vector that is
// chosen; else the word of the record; else unknown, without a score. The vector is that of the
// distribution's records that match; for a package of another ecosystem GitHub's, then that of the
// records that match; else the first in the order of advisories/scoring.h. The score is the
// vector's where it lies in the band of the severity, else the band's lower bound, as an estimate.
// Version 2 keeps its number, and its band is that of the number.
// Words: Important is high,
// Moderate medium, Ubuntu's negligible and Debian's unimportant low. An erratum for bugs or
// enhancements (ALBA, ALEA and their kin) is `none` unless a CVE gives it more.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
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
  // What the distribution, else the record says in its own word, whichever decides; empty: neither.
  std::string vendor_word;
  std::int16_t score = no_score;
  bool estimated = false;       // the score is the lower bound of the level's band
  bool foreign_vector = false;  // the level is a vendor's word, and the vector is not its own
  std::int16_t cvss = -1;       // index of the chosen vector; -1: none
};
DecidedSeverity decide_severity(const std::vector<SeverityClaim>& claims,
                                const advisories::VulnerabilityEntry& vulnerability);

}  // namespace tenken::match
