// Whom an agent trusts its server by: certificates as PEM text, to which the server, trusted by
// them, may add the next ones, so that an authority can be replaced while agents go on.
//
// Errors: invalid (one that is no certificate of an authority), limit. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tenken::agent {

// `trusted` with those of `given` that it lacks, or as it is. All of `given` are good or none is
// taken. What is trusted stays; where there is no room, until it ended.
Result<std::string> with_authorities(std::string_view trusted, std::string_view given, Seconds now);

}  // namespace tenken::agent
