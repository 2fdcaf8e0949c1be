// What an agent needs no rights for, it has none: capabilities but for two are dropped, nothing
// that it could start would get any back, it writes into its own directories only, system calls
// that it never makes are refused, and it runs when nobody else wants the processor or the disk.
//
// CAP_DAC_READ_SEARCH: package databases, sshd's configuration and the state of processes are often
// for root alone. CAP_SYS_PTRACE: /proc/PID/maps and exe of other users' processes.
//
// Thread rule: once, before any thread starts.
#pragma once

#include <string>
#include <vector>

namespace tenken::agent {

struct Needs {
  std::vector<std::string> writable;  // directories, which are there
  bool other_processes = false;       // it looks at them
  bool programs = false;              // it goes over to newer versions of itself
};

// What could not be had, each with its reason: old kernels and containers have less.
std::vector<std::string> drop_privileges(const Needs& needs);

}  // namespace tenken::agent
