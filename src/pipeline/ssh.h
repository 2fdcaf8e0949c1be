// One command on another host, through the system's OpenSSH client: never a password, never a host
// whose key is not known, one connection. What the host writes is bounded in size and time.
//
// Errors: invalid (a name that is none), denied (the host's key, the user), unavailable (no
// connection, too slow), limit. They name the host. Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::pipeline {

struct SshTarget {
  std::string host;         // "user@host", "host"
  std::uint32_t port = 0;   // 0: the client's
  std::string identity;     // a file; empty: the client's and its agent's
  std::string known_hosts;  // a file; empty: the client's
};

struct SshLimits {
  std::chrono::seconds time = std::chrono::minutes(5);
  std::size_t output_bytes = std::size_t{256} << 20;
};

// A user and a host, in letters that no program reads anything into.
bool is_ssh_host(std::string_view text);

// Runs /bin/sh there with the script as its input and writes what it says into the descriptor.
// Where stop() becomes true the connection is ended.
Result<> run_over_ssh(
    const SshTarget& target, std::string_view script, int output, const SshLimits& limits = {},
    const std::function<bool()>& stop = [] { return false; });

}  // namespace tenken::pipeline
