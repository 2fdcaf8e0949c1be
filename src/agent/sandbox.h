// Sandbox: what the kernel refuses an agent from its start on, whoever it runs as. What it starts,
// a newer version of itself too, is bound by it as well.
//
// Errors: those of the system, each with what is missing then; a kernel may be older than all of
// this. Thread rule: once, before any thread starts.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::agent {

// Nothing but what lies below these directories can be written, made or removed: by Landlock (Linux
// 5.13). A process under it cannot look at others outside of it, which /proc/PID/maps and exe count
// as.
Result<> confine_writes(std::span<const std::string> writable);

// The same for one that has to look at other processes: file systems are read-only for it (Linux
// 5.12, needs CAP_SYS_ADMIN), as ProtectSystem=strict of systemd makes them. Nothing is done where
// they are so already and it has no right to mount. An error where the mounts of the host are not
// shared (there is no systemd): it would keep what the host unmounts, and not see what it mounts.
Result<> mount_read_only(std::span<const std::string> writable);

// What is mounted on "/" tells other namespaces of its mounts. The text of /proc/PID/mountinfo.
bool is_root_shared(std::string_view mountinfo);

// System calls that an agent never makes are answered EPERM: other processes' memory, mounts and
// namespaces, modules, identities, clocks, keys. starts_programs: execve is allowed, which going
// over to another version takes. A call of another architecture (i386, x32) ends the process.
Result<> filter_calls(bool starts_programs);

}  // namespace tenken::agent
