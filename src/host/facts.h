// The facts of the host this runs on, and what of them a root directory at rest has. Only files are
// read (/proc, /sys, /etc): nothing is executed, nothing is written, nothing is asked of the
// network. The cloud's metadata service is cloud.h's.
//
// What needs more rights than the process has is a skip with what it lacks: /proc/PID/maps and exe
// of others need CAP_SYS_PTRACE, etc/ssh/sshd_config CAP_DAC_READ_SEARCH.
//
// Bounds: 32,768 processes, 65,536 sockets, 100,000 users, 4 MiB a file; beyond, a skip.
// Thread rule: safe from any thread.
#pragma once

#include <string>

#include "inventory/root.h"
#include "model/host_facts.h"

namespace tenken::host {

// Of a running host: everything.
HostFacts facts_of_host();
// Of a root that does not run: users, sshd, and nothing that only a kernel knows.
HostFacts facts_of_root(const inventory::Root& root);

// Whether what is not in `outdated` is not running: processes were looked at, and all of them.
bool knows_all_processes(const HostFacts& facts);

}  // namespace tenken::host
