// Completion scripts for bash, zsh and fish, made from the command line's own description.
//
// Thread rule: pure functions.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tenken::app {

std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace tenken::app
