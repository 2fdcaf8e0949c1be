// How an agent fares, in a word; for lists.
//
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "base/time.h"
#include "store/agents.h"

namespace tenken::store {

// A second host with the agent's identity or key is told of for so long.
inline constexpr Seconds clone_is_told_for = 86'400;

// The worst that is known of it: "retired", "revoked", "clone", "silent", "never_reported",
// "healthy".
std::string_view health_of(const Agent& agent, Seconds now);

}  // namespace tenken::store
