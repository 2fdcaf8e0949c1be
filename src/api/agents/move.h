// A host whose cloud answers later than its agent has enrolled: from then on it is the cloud's
// instance, and not the resource of its machine id as well. What that resource was is gone, and its
// findings are closed with that cause; those of the instance begin with its first evaluation.
//
// Errors: those of the store. Thread rule: any thread.
#pragma once

#include <string_view>

#include "api/agents/call.h"

namespace tenken::api::agents {

// "mi-…".
bool is_of_machine(std::string_view resource);

// Inside the caller's transaction: the host has left the resource of its agent.
Result<> leave_resource(sql::Connection& connection, const store::Agent& agent,
                        std::string_view instance, Seconds now);

// The agent with the instance as its resource, or as it was: it is an instance, tells of none, or
// another agent that is let in has it; both are then noted as clones.
ApiResult<store::Agent> moved(const AgentCall& call, std::string_view instance,
                              access::AuditLog& audit);

}  // namespace tenken::api::agents
