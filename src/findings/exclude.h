// Taking findings out of the count: by an ignore rule or by a VEX statement. They are not dropped;
// they move to ScanResult::ignored with who said so and why.
//
// Thread rule: pure functions.
#pragma once

#include <functional>
#include <optional>

#include "model/finding.h"

namespace tenken::findings {

// Of the result it may look at everything but the lists of findings, which change meanwhile.
using Decide = std::function<std::optional<Exclusion>(const Finding&, const ScanResult&)>;

// Moves each finding for which decide answers; both lists stay in the order of a scan result.
ScanResult exclude(ScanResult result, const Decide& decide);

}  // namespace tenken::findings
