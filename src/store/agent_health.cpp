#include "store/agent_health.h"

namespace tenken::store {

std::string_view health_of(const Agent& agent, Seconds now) {
  if (agent.status != AgentStatus::active) return name(agent.status);
  if (agent.clone_seen != 0 && now - agent.clone_seen < clone_is_told_for) return "clone";
  if (now - agent.seen >= agent_is_silent_after) return "silent";
  return agent.reported == 0 ? "never_reported" : "healthy";
}

}  // namespace tenken::store
