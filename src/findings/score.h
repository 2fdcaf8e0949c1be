// Severities as Inspector names them. A finding's score decides its severity; which score that is,
// match/severity.h decides.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/finding.h"

namespace tenken::findings {

// "UNTRIAGED", "INFORMATIONAL", "LOW", … of a score in tenths; below 0: UNTRIAGED.
std::string_view inspector_severity(std::int64_t tenths);
// The scores that bear a severity. nullopt: no such severity.
std::optional<ScoreBand> band_of(std::string_view inspector_severity);

}  // namespace tenken::findings
