// Sockets that wait for others to speak first: TCP sockets that listen, and UDP sockets that are
// bound and have no peer, of this process's network namespace.
//
// Source: proc_pid_net(5), /proc/net/{tcp,tcp6,udp,udp6}; the kernel's tcp4_seq_show, which has the
// listening sockets before all others. Bound: 65,536 sockets and 4 MiB a file.
// Errors: none; they are skips. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/found.h"
#include "model/host_facts.h"

namespace tenken::host {

struct WaitingSocket {
  Listener listener;        // without its executable
  std::uint64_t inode = 0;  // 0: the kernel's own
};

enum class SocketLine : std::uint8_t { waiting, other, malformed };
struct ParsedSocket {
  SocketLine kind = SocketLine::malformed;
  WaitingSocket socket;  // of a waiting one
};
// A line below the heading. protocol: "tcp" or "udp"; whether addresses are IPv4 or IPv6 is told
// by their length.
ParsedSocket parse_socket_line(std::string_view line, std::string_view protocol);

Found<WaitingSocket> waiting_sockets(const std::string& proc = "/proc");

}  // namespace tenken::host
