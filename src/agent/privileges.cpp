#include "agent/privileges.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/sandbox.h"
#include "base/result.h"

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

Result<> drop_capabilities() {
  for (unsigned one = 0; one <= CAP_LAST_CAP; ++one)
    if (!is_kept(one)) ::prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return from_errno(errno, "capget");
  std::array<std::uint32_t, _LINUX_CAPABILITY_U32S_3> mask{};
  for (const auto one : kept) mask[one / 32] |= 1U << (one % 32);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sets[i].effective &= mask[i];
    sets[i].permitted &= mask[i];
    sets[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return from_errno(errno, "capset");
  return {};
}

// Whoever is not root, and may see all processes, has his own files' modes to keep him.
Result<> confine(const Needs& needs) {
  if (!needs.other_processes) return confine_writes(needs.writable);
  return ::geteuid() == 0 ? mount_read_only(needs.writable) : Result<>();
}

}  // namespace

std::vector<std::string> drop_privileges(const Needs& needs) {
  std::vector<std::string> out;
  const auto note = [&](std::string_view lack, const Result<>& done) {
    if (!done) out.push_back(fmt::format("{}: {}", lack, done.error().what));
  };
  ::setpriority(PRIO_PROCESS, 0, lowest_priority);
  ::syscall(SYS_ioprio_set, this_process, 0, idle_io);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  note("only file modes keep the agent from writing elsewhere", confine(needs));
  note("the agent runs with more rights than it needs", drop_capabilities());
  note("no system call is refused", filter_calls(needs.programs));
  return out;
}

}  // namespace tenken::agent
