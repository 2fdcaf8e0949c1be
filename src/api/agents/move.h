// A host that becomes another resource: its cloud answers later than its agent has enrolled, or the
// agent that had its resource before it was made anew stays silent. From then on it is that
// resource, and what it was meanwhile is gone: its findings are closed with that cause, and those
// of the other go on with its next evaluation.
//
// Errors: those of the store. Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/agents/call.h"
#include "api/agents/identity.h"

namespace tenken::api::agents {

// Inside the caller's transaction: the host has left the resource of its agent.
Result<> leave_resource(sql::Connection& connection, const store::Agent& agent,
                        std::string_view resource, Seconds now);
// Inside the caller's transaction: it is the resource from now on, whosever that was. An agent that
// had it is retired. Errors also: invalid, where its host has named an instance, and this is
// another.
Result<> take_resource(sql::Connection& connection, const store::Agent& agent,
                       std::string_view resource, Seconds now);

// The agent with the resource that it asks for, the instance that its report names or the one that
// it did not get before, where it may have that; else as it was, with what it wants noted, and both
// as clones. Who speaks for an instance and is another has no resource: conflict, and the agent's
// process before goes on. Unavailable where it was ended meanwhile. Written down: AuditLog.
ApiResult<store::Agent> moved(const AgentCall& call, std::string_view instance,
                              access::AuditLog& audit);

// Whether a report of the agent would move it to the resource that it wants.
Result<bool> may_move(sql::Connection& connection, const store::Agent& agent, Seconds now);

}  // namespace tenken::api::agents
