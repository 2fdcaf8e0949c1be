#include "agent/sandbox.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace tenken::agent {
namespace {

// What Landlock's first version knows of writing, and what later ones brought.
constexpr std::uint64_t first_rights =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t refer_right = std::uint64_t{1} << 13;     // from version 2 on
constexpr std::uint64_t truncate_right = std::uint64_t{1} << 14;  // from version 3 on

Result<> allow_below(int rules, std::uint64_t rights, const std::string& directory) {
  const Fd at(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return from_errno(errno, directory);
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = at.get()};
  if (::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return from_errno(errno, directory);
  return {};
}

// struct mount_attr, which is newer than some C libraries.
struct MountChange {
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
  std::uint64_t propagation = 0;
  std::uint64_t user_namespace = 0;
};
constexpr std::uint64_t read_only = 1;      // MOUNT_ATTR_RDONLY
constexpr unsigned and_all_below = 0x8000;  // AT_RECURSIVE

Result<> change_mounts(const std::string& path, const MountChange& change) {
  if (::syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), and_all_below, &change, sizeof change) !=
      0)
    return from_errno(errno, "mount_setattr " + path);
  return {};
}

// Asked before anything is changed: what was done could not be undone.
Result<> knows_of_changing_mounts() {
  if (::syscall(SYS_mount_setattr, -1, "", ~0U, nullptr, 0) != 0 && errno == ENOSYS)
    return from_errno(errno, "mount_setattr");
  return {};
}

constexpr std::size_t longest_mountinfo = std::size_t{16} << 20U;

Result<> hears_of_mounts() {
  TRY(const auto mounts, read_file("/proc/self/mountinfo", longest_mountinfo));
  if (is_root_shared(mounts)) return {};
  // Copies of them would be kept for good.
  return unavailable(
      "this host's mounts are not shared. `mount --make-rshared /` at boot, before the agent "
      "starts, shares them");
}

Result<> take_own_mounts() {
  // Asked first, and not of unshare: it would have made the copies.
  if (::prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0) return from_errno(EPERM, "unshare");
  TRY_VOID(knows_of_changing_mounts());
  TRY_VOID(hears_of_mounts());
  if (::unshare(CLONE_NEWNS) != 0) return from_errno(errno, "unshare");
  return {};
}

bool is_root_read_only() {
  struct statvfs root{};
  return ::statvfs("/", &root) == 0 && (root.f_flag & ST_RDONLY) != 0;
}

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
#error "which system calls are refused is not known for this architecture"
#endif

constexpr std::uint32_t refused_calls[] = {
#if !__has_feature(address_sanitizer)  // whose search for leaks at the end stops all threads so
    SYS_ptrace,
#endif
    // Other processes.
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_process_madvise,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_perf_event_open,
    SYS_userfaultfd,
    // Mounts and namespaces; files by handle, which reach beyond both.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_move_mount,
    SYS_open_tree,
    SYS_mount_setattr,
    SYS_setns,
    SYS_unshare,
    SYS_open_by_handle_at,
    // The kernel.
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_bpf,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_syslog,
    SYS_acct,
    SYS_quotactl,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_fanotify_init,
    // Who it is.
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_personality,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    // What the host is.
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    // Files that are another's: Landlock does not ask about these.
    SYS_fchmodat,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_mknodat,
#if defined(__x86_64__)
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_mknod,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};
constexpr std::uint32_t program_calls[] = {SYS_execve, SYS_execveat};
constexpr std::uint32_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    unless_equal(architecture, SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    constexpr std::uint32_t x32 = 0x40000000;
    add(BPF_JMP | BPF_JGE | BPF_K, x32, 0, 1);
    give(SECCOMP_RET_KILL_PROCESS);
#endif
  }

  void refuse(std::uint32_t call, int error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    give(refusal(error));
  }

  // The first argument of the call has one of the bits.
  void refuse_bits(std::uint32_t call, std::uint32_t bits) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load(offsetof(seccomp_data, args));  // its lower half: both architectures are little-endian
    add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    give(refusal(EPERM));
    give(SECCOMP_RET_ALLOW);
  }

  Result<> set() {
    give(SECCOMP_RET_ALLOW);
    const sock_fprog program{.len = static_cast<unsigned short>(steps_.size()),
                             .filter = steps_.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
      return from_errno(errno, "seccomp");
    return {};
  }

 private:
  static std::uint32_t refusal(int error) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
  }
  void add(unsigned code, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    steps_.push_back({.code = static_cast<std::uint16_t>(code), .jt = yes, .jf = no, .k = value});
  }
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void give(std::uint32_t answer) { add(BPF_RET | BPF_K, answer); }
  void unless_equal(std::uint32_t value, std::uint32_t answer) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    give(answer);
  }

  std::vector<sock_filter> steps_;
};

}  // namespace

Result<> confine_writes(std::span<const std::string> writable) {
  const auto version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return from_errno(errno, "Landlock");
  landlock_ruleset_attr handled{};
  handled.handled_access_fs =
      first_rights | (version >= 2 ? refer_right : 0) | (version >= 3 ? truncate_right : 0);
  const Fd rules(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled.handled_access_fs, 0)));
  if (!rules.valid()) return from_errno(errno, "Landlock");
  for (const auto& directory : writable)
    TRY_VOID(allow_below(rules.get(), handled.handled_access_fs, directory));
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
    return from_errno(errno, "Landlock");
  return {};
}

// "36 35 98:0 / / rw,noatime shared:1 - ext4 /dev/root rw": proc(5).
bool is_root_shared(std::string_view mountinfo) {
  constexpr std::size_t mount_point = 4;
  constexpr std::ptrdiff_t optional_fields = 6;
  bool shared = false;
  for_each_line(mountinfo, [&](std::string_view line) {
    const auto fields = split(line, ' ');
    if (std::ssize(fields) <= optional_fields || fields[mount_point] != "/") return;
    const auto first = fields.begin() + optional_fields;
    // One that is mounted over another follows it.
    shared = std::any_of(first, std::find(first, fields.end(), "-"),
                         [](std::string_view field) { return field.starts_with("shared:"); });
  });
  return shared;
}

Result<> mount_read_only(std::span<const std::string> writable) {
  const auto own = take_own_mounts();
  // Whoever gave no right to mount, and a root that is read-only, has confined it already.
  if (!own && own.error().code == Errc::denied && is_root_read_only()) return {};
  if (!own) return own.error();
  // What is mounted on the host is still seen, what is changed here is not.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return from_errno(errno, "mount /");
  for (const auto& directory : writable)
    if (::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
      return from_errno(errno, "mount " + directory);
  TRY_VOID(change_mounts("/", {.set = read_only}));
  for (const auto& directory : writable) TRY_VOID(change_mounts(directory, {.clear = read_only}));
  return {};
}

Result<> filter_calls(bool starts_programs) {
  Filter filter;
  for (const auto call : refused_calls) filter.refuse(call, EPERM);
  if (!starts_programs)
    for (const auto call : program_calls) filter.refuse(call, EPERM);
  // The flags of clone3 lie in memory: without it the C library takes clone.
  filter.refuse(SYS_clone3, ENOSYS);
  filter.refuse_bits(SYS_clone, new_namespaces);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return filter.set();
}

}  // namespace tenken::agent
