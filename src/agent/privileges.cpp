#include "agent/privileges.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenken::agent {
namespace {

constexpr unsigned kept[] = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE};
constexpr int lowest_priority = 19;
constexpr int this_process = 1;   // IOPRIO_WHO_PROCESS
constexpr int idle_io = 3 << 13;  // IOPRIO_CLASS_IDLE; <linux/ioprio.h> is newer than old hosts

bool is_kept(unsigned capability) {
  for (const auto one : kept)
    if (one == capability) return true;
  return false;
}

}  // namespace

Result<> drop_privileges() {
  ::setpriority(PRIO_PROCESS, 0, lowest_priority);
  ::syscall(SYS_ioprio_set, this_process, 0, idle_io);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (unsigned one = 0; one <= CAP_LAST_CAP; ++one)
    if (!is_kept(one)) ::prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return from_errno(errno, "capabilities");
  std::array<std::uint32_t, _LINUX_CAPABILITY_U32S_3> mask{};
  for (const auto one : kept) mask[one / 32] |= 1U << (one % 32);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sets[i].effective &= mask[i];
    sets[i].permitted &= mask[i];
    sets[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return from_errno(errno, "capabilities");
  return {};
}

}  // namespace tenken::agent
