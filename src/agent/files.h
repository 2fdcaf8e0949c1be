// Directories and the log of the agent's own: made for its user alone.
//
// Errors: those of the system. Thread rule: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace tenken::agent {

// With those above it; mode 0700. One that is there stays as it is.
Result<> make_directory(const std::string& path);
// Sorted, without "." and "..".
Result<std::vector<std::string>> names_in(const std::string& directory);

inline constexpr std::size_t largest_log = std::size_t{1} << 20;
// Standard error goes to the end of the file. One that has grown beyond the limit becomes PATH.1 in
// place of what had that name, and a new one begins.
Result<> log_into(const std::string& path);

}  // namespace tenken::agent
