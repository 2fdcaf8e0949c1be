// scripts/agent/install.sh, compiled in: what GET /agent/install answers.
#pragma once

#include <string_view>

namespace tenken::api::agents {

std::string_view install_script();

}  // namespace tenken::api::agents
