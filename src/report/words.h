// The words for values of a result that the user reads: severity, status, kind of an unknown.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/messages.h"
#include "model/finding.h"

namespace tenken::report {

Message word(SeverityLevel level);
Message word(FindingStatus status);
// An unknown's kind in the user's language; kinds without a row show as they are.
std::string kind_word(Lang lang, std::string_view kind);

}  // namespace tenken::report
