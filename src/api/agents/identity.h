// By what a host is known again, and which resource it may have: docs/adr/0013. What can be read
// from outside, as an SSH host key and an instance id, proves nothing by itself.
//
// Errors: those of the store. Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "store/owners.h"

namespace tenken::api::agents {

// An agent speaks each minute: one that was silent for longer may have been replaced.
inline constexpr Seconds lives_within = 3'600;

// "i-" and 8 to 17 hexadecimal digits.
bool is_instance(std::string_view resource);
// "mi-…".
bool is_of_machine(std::string_view resource);

struct HostIdentity {
  std::string machine_id;
  std::string host_key;
  std::string state_id;
  Seconds since = 0;  // it is asked for since then: one that was heard of later is another host
};
HostIdentity identity_of(const store::Agent& agent);

// Whether the agent and the host have one state: the program was never put there anew.
bool has_state_of(const store::Agent& agent, const HostIdentity& host);
// Whether the agent is that host's: of an earlier enrolment, or of one before it was made anew.
bool is_same_host(const store::Agent& agent, const HostIdentity& host, Seconds now);
// Whether the host may have a resource of that owner.
bool may_have(const store::ResourceOwner& owner, const HostIdentity& host, Seconds now);

}  // namespace tenken::api::agents
