// HostFacts: what a running host is beside what is installed on it, as far as rules, findings and
// people need it. Every list is sorted by its members in their order, each entry once.
//
// Nothing here changes by itself from one look to the next on a quiet host: no process ids but of
// programs that are out of date, no counters, no uptime.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/skip.h"

namespace tenken {

// An instance of a cloud, as its metadata service says. Empty: none was found.
struct CloudInstance {
  std::string provider;  // "aws"
  std::string instance_id;
  std::string account;
  std::string region;
  std::string type;   // "t3.micro"
  std::string image;  // "ami-…"
  std::string launched;  // "2024-01-31T12:00:00Z"
  std::string vpc;     // of its first interface, as what follows
  std::string subnet;
  std::string public_address;  // of version 4
  std::string key_name;
  std::string instance_profile;  // ARN
  bool operator==(const CloudInstance&) const = default;
};

struct InterfaceAddress {
  std::string interface;  // "eth0"
  std::string address;    // "10.0.0.5/24", "fe80::1/64"
  auto operator<=>(const InterfaceAddress&) const = default;
};

struct Listener {
  std::string protocol;    // "tcp", "udp"
  std::string address;     // "0.0.0.0", "::", "127.0.0.1"
  std::uint16_t port = 0;
  std::string executable;  // of the owner; empty: not seen
  std::uint32_t uid = 0;   // of the socket
  auto operator<=>(const Listener&) const = default;
};

// Processes of one program and one user. Kernel threads have no program and are not here.
struct RunningProgram {
  std::string executable;
  std::uint32_t uid = 0;
  auto operator<=>(const RunningProgram&) const = default;
};

// A process that runs what is no longer on disk: its program or a library it maps was replaced or
// deleted. Only files below the directories of programs and libraries count.
struct OutdatedProgram {
  std::string executable;
  std::string file;  // the path as it was: "/usr/lib/x86_64-linux-gnu/libssl.so.3"
  std::uint32_t pid = 0;
  std::string package = {};  // that is installed and has the file: "libssl3"; empty: not known
  auto operator<=>(const OutdatedProgram&) const = default;
};

struct UserAccount {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
  std::string shell;
  auto operator<=>(const UserAccount&) const = default;
};

struct Setting {
  std::string name;
  std::string value;
  auto operator<=>(const Setting&) const = default;
};

struct HostFacts {
  std::string architecture;  // uname -m
  std::string kernel;        // uname -r
  Seconds booted = 0;        // 0: not known
  std::vector<std::string> reboot_reasons;  // empty: no reboot is pending, as far as can be seen
  CloudInstance cloud;
  std::vector<InterfaceAddress> addresses;  // without loopback
  std::vector<Listener> listeners;
  std::vector<RunningProgram> programs;
  std::vector<OutdatedProgram> outdated;
  std::vector<UserAccount> users;
  std::vector<Setting> sshd;     // effective: names in lower case, as sshd -T has them
  std::vector<Setting> sysctl;   // "net.ipv4.ip_forward"
  std::vector<Skip> skips;       // what could not be read, and why
};

}  // namespace tenken
