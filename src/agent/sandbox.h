// Sandbox: what the kernel refuses an agent from its start on, whoever it runs as. What it starts,
// a newer version of itself too, is bound by it as well.
//
// Errors: those of the system, each with what is missing then; a kernel may be older than all of
// this. Thread rule: once, before any thread starts.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace tenken::agent {

// Nothing but what lies below these directories can be written, made or removed: by Landlock (Linux
// 5.13). A process under it cannot look at others outside of it, which /proc/PID/maps and exe count
// as.
Result<> confine_writes(std::span<const std::string> writable);

// The same for one that has to look at other processes: file systems are read-only for it (Linux
// 5.12, needs CAP_SYS_ADMIN), as ProtectSystem=strict of systemd makes them. Nothing is done where
// they are so already.
Result<> mount_read_only(std::span<const std::string> writable);

// System calls that an agent never makes are answered EPERM: other processes' memory, mounts and
// namespaces, modules, identities, clocks, keys. starts_programs: execve is allowed, which going
// over to another version takes. A call of another architecture (i386, x32) ends the process.
Result<> filter_calls(bool starts_programs);

}  // namespace tenken::agent
