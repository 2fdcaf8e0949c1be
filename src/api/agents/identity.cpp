#include "api/agents/identity.h"

namespace tenken::api::agents {
namespace {

constexpr std::size_t fewest_digits = 8;
constexpr std::size_t most_digits = 17;

bool agree(std::string_view one, std::string_view other) {
  return !one.empty() && one == other;
}

bool differ(std::string_view one, std::string_view other) {
  return !one.empty() && !other.empty() && one != other;
}

}  // namespace

bool is_instance(std::string_view resource) {
  if (!resource.starts_with("i-")) return false;
  const auto digits = resource.substr(2);
  return digits.size() >= fewest_digits && digits.size() <= most_digits &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_of_machine(std::string_view resource) {
  return resource.starts_with("mi-");
}

HostIdentity identity_of(const store::Agent& agent) {
  return {.machine_id = agent.machine_id,
          .host_key = agent.host_key,
          .state_id = agent.state_id,
          .since = agent.enrolled};
}

bool has_state_of(const store::Agent& agent, const HostIdentity& host) {
  // A whole host that was copied and has its keys anew is another.
  if (differ(agent.host_key, host.host_key)) return false;
  // Of one that enrolled when no state was kept, the key tells.
  if (agent.state_id.empty()) return agree(agent.host_key, host.host_key);
  return agent.state_id == host.state_id;
}

bool is_same_host(const store::Agent& agent, const HostIdentity& host, Seconds now) {
  // A cloud gives an id to one host, and a machine id is told to nobody.
  if (!is_of_machine(agent.resource))
    return agree(agent.machine_id, host.machine_id) ||
           (!agent.state_id.empty() && has_state_of(agent, host));
  if (agent.machine_id != host.machine_id) return false;
  const bool silent = agent.status != store::AgentStatus::active ||
                      (now - agent.seen >= lives_within && agent.seen <= host.since);
  return has_state_of(agent, host) || (silent && !host.machine_id.empty());
}

bool may_have(const store::ResourceOwner& owner, const HostIdentity& host, Seconds now) {
  return owner.agent ? is_same_host(*owner.agent, host, now) : owner.nobody();
}

}  // namespace tenken::api::agents
