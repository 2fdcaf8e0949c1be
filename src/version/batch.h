// Versions compared for the command line: one pair, or one line of a batch.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::version {

// "<", "=" or ">". The ecosystem may carry a release ("Debian:12"). Errors say what is wrong with
// which version and repeat no text of the caller's: not_found (ecosystem), invalid (an ecosystem
// without order, a missing version, one its scheme cannot order).
Result<std::string> compare_versions(std::string_view ecosystem, std::string_view a,
                                     std::string_view b);

// "ecosystem<TAB>a<TAB>b" -> "<", "=", ">" or "?<TAB>reason": one line without its end, whatever
// the input holds.
std::string compare_batch_line(std::string_view line);

}  // namespace tenken::version
