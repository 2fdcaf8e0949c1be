// Taking findings out of the count: by an ignore rule or by a VEX statement. They are not dropped;
// they move to ScanResult::ignored with who said so and why.
//
// Thread rule: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "model/finding.h"

namespace tenken::findings {

struct Exclusion {
  std::string by;      // the file, with the line of a rule
  std::string reason;  // the rule's or statement's words
  std::string status;  // "accepted", "not_affected", "fixed"
};

using Decide = std::function<std::optional<Exclusion>(const Finding&, const Package&)>;

// Moves each finding for which decide answers; both lists stay in the order of a scan result.
ScanResult exclude(ScanResult result, const Decide& decide);

}  // namespace tenken::findings
