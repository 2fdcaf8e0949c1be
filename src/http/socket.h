// TCP sockets as the server needs them: non-blocking, closed on exec, without delay.
//
// Thread rule: functions are safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace tenken::http {

// Errors: invalid (no IP address, or none of this host), unavailable (in use), denied.
Result<Fd> listen_on(const std::string& address, std::uint16_t port);

std::uint16_t local_port(int socket);

struct Accepted {
  Fd socket;         // not valid: none
  std::string peer;  // "127.0.0.1:41234", "[::1]:41234"
  bool none_waits = false;
  bool out_of_resources = false;  // descriptors or memory: it is no use to try at once
};
Accepted accept_one(int listener);

// The first byte that waits to be read, which stays there; absent: none, or the end.
std::optional<char> first_byte(int socket);

}  // namespace tenken::http
