// What the user asked to see, and whether a run fails. Neither touches ScanResult::unknown: what
// could not be decided is always shown.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "model/finding.h"

namespace tenken::findings {

struct Filter {
  // The least severity to show. Findings of unknown severity are always shown.
  SeverityLevel minimum = SeverityLevel::unknown;
  bool fixed_only = false;  // only findings with a fixed version
};

// Leaves out what the filter does not want and counts it in ScanResult::hidden; vulnerabilities to
// which no finding refers any more go too. Ignored findings stay.
ScanResult filtered(ScanResult result, const Filter& filter);

// A threshold as --fail-on takes it: a severity, or "any", which is SeverityLevel::unknown.
std::optional<SeverityLevel> parse_threshold(std::string_view name);

// Findings that make a run with --fail-on fail. Ignored ones and those in kernels that do not run
// do not count; a finding of unknown severity counts only for "any". Ask after filtering, so that
// what is shown is what decides.
std::size_t count_failing(const ScanResult& result, SeverityLevel threshold);

}  // namespace tenken::findings
