// Release: a program of the agent that the server names in a command and hands out.
#pragma once

#include <cstdint>
#include <string>

namespace tenken::agent {

struct Release {
  std::string version;
  std::string sha256;      // 64 hexadecimal digits
  std::uint64_t size = 0;  // bytes
};

}  // namespace tenken::agent
