// What a host fetches before it is an agent: the install script, the authority, the signed program.
//
// Thread rule: pure functions but for the files.
#pragma once

#include <string_view>

#include "api/agents/call.h"

namespace tenken::api::agents {

// name is what follows "/agent/": "ca.pem", "release/x86_64.sig". Errors: not_found.
AgentAnswer file_answer(const http::Request& request, std::string_view name,
                        const AgentServices& services);

}  // namespace tenken::api::agents
