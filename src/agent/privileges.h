// What an agent needs no rights for, it has none: capabilities but for two are dropped, nothing
// that it could start would get any back, and it runs when nobody else wants the processor or the
// disk.
//
// CAP_DAC_READ_SEARCH: package databases, sshd's configuration and the state of processes are often
// for root alone. CAP_SYS_PTRACE: /proc/PID/maps and exe of other users' processes.
//
// Errors: the capabilities could not be dropped; without root there are none. Thread rule: once,
// before any thread starts.
#pragma once

#include "base/result.h"

namespace tenken::agent {

Result<> drop_privileges();

}  // namespace tenken::agent
