// What is to be done where nothing, or nothing new, is known of a host: docs/agent.md has the
// table.
//
// Thread rule: pure functions.
#pragma once

#include <string>

#include "base/json_writer.h"
#include "store/agents.h"
#include "store/resources.h"

namespace tenken::api::v1 {

// By the resource's coverage as it is told; empty where nothing is to be done.
std::string repair_of(const store::Resource& resource);
// By the agent's health (store/agent_health.h).
std::string repair_of(const store::Agent& agent, std::string_view health);

}  // namespace tenken::api::v1
