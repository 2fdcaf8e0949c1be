// Directories of the agent's own: made for its user alone, and listed.
//
// Errors: those of the system. Thread rule: any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tenken::agent {

// With those above it; mode 0700. One that is there stays as it is.
Result<> make_directory(const std::string& path);
// Sorted, without "." and "..".
Result<std::vector<std::string>> names_in(const std::string& directory);

}  // namespace tenken::agent
