// What the kernel refuses: each in a child of its own, which cannot get out of it again.
#include "agent/sandbox.h"

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/privileges.h"
#include "base/file.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

constexpr int not_here = 77;

// The exit code of a child; 1000 and more: a signal.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int number_of(long result) {
  return result == 0 ? 0 : errno;
}

bool writes(const std::string& path) {
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)).valid();
}

// Bits: what went as it must.
int writing(const test::Scratch& directory) {
  int out = 0;
  out |= writes(directory / "own/new") ? 1 : 0;
  out |= ::rename((directory / "own/new").c_str(), (directory / "own/newer").c_str()) == 0 ? 2 : 0;
  out |= !writes(directory / "other/new") ? 4 : 0;
  out |= !writes(directory / "other/there") ? 8 : 0;
  out |= ::unlink((directory / "other/there").c_str()) != 0 ? 16 : 0;
  out |= ::truncate((directory / "other/there").c_str(), 0) != 0 ? 32 : 0;
  out |= ::open((directory / "other/there").c_str(), O_RDONLY | O_CLOEXEC) >= 0 ? 64 : 0;
  return out;
}

class Sandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_.write("own/x", "");
    directory_.write("other/there", "text");
  }
  void check(const std::function<Result<>(const std::vector<std::string>&)>& confine) {
    const auto code = in_child([&] {
      if (!confine({directory_ / "own"})) return not_here;
      return writing(directory_);
    });
    if (code == not_here) GTEST_SKIP() << "not on this kernel, or not as this user";
    EXPECT_EQ(code, 127);
    EXPECT_EQ(read_file(directory_ / "other/there", 100).value(), "text");
  }

  test::Scratch directory_;
};

TEST_F(Sandbox, by_landlock_nothing_is_written_outside) {
  check([](const auto& writable) { return confine_writes(writable); });
}

TEST_F(Sandbox, with_file_systems_read_only_nothing_is_written_outside) {
  check([](const auto& writable) {
    // As on hosts with systemd, whatever this one is.
    if (::unshare(CLONE_NEWNS) == 0) ::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
    return mount_read_only(writable);
  });
  EXPECT_TRUE(writes(directory_ / "other/new")) << "it holds for the agent alone";
}

TEST_F(Sandbox, with_mounts_that_are_not_shared_no_copies_are_made) {
  const auto code = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0) return not_here;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return not_here;
    const auto before = std::filesystem::read_symlink("/proc/self/ns/mnt");
    if (mount_read_only(std::vector{directory_ / "own"})) return 1;
    return std::filesystem::read_symlink("/proc/self/ns/mnt") == before ? 0 : 2;
  });
  if (code == not_here) GTEST_SKIP() << "not on this kernel, or not as this user";
  EXPECT_EQ(code, 0);
}

TEST(Mountinfo, the_root_is_shared_where_its_optional_fields_say_so) {
  const std::string proc = "22 27 0:21 / /proc rw shared:5 - proc proc rw\n";
  EXPECT_TRUE(is_root_shared(proc + "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"));
  EXPECT_TRUE(is_root_shared("27 1 8:1 / / rw master:2 shared:1 - ext4 /dev/sda1 rw\n" + proc));
  EXPECT_FALSE(is_root_shared(proc + "27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"));
  EXPECT_FALSE(is_root_shared(proc + "27 1 8:1 / / rw master:1 - ext4 /dev/sda1 rw\n"));
  EXPECT_FALSE(is_root_shared("27 1 8:1 / / rw - ext4 shared:1 rw\n"));
  EXPECT_FALSE(is_root_shared(proc));
  EXPECT_FALSE(is_root_shared("27 1 8:1 / /\n\n"));
  EXPECT_FALSE(is_root_shared(""));
}

TEST(Mountinfo, what_is_mounted_over_the_root_counts) {
  const std::string below = "1 1 0:2 / / rw shared:1 - rootfs rootfs rw\n";
  EXPECT_FALSE(is_root_shared(below + "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n"));
}

TEST_F(Sandbox, calls_that_an_agent_never_makes_are_refused) {
  const std::vector<std::pair<const char*, std::function<long()>>> calls{
      {"mount", [] { return ::mount("none", "/mnt", "tmpfs", 0, nullptr); }},
      {"unshare", [] { return ::unshare(CLONE_NEWUSER); }},
      {"a namespace", [] { return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }},
      {"setuid", [] { return ::setuid(::getuid()); }},
      {"process_vm_writev",
       [] { return ::syscall(SYS_process_vm_writev, ::getpid(), 0, 0, 0, 0, 0); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, 0, 0); }},
      {"finit_module", [] { return ::syscall(SYS_finit_module, -1, "", 0); }},
      {"chmod", [this] { return ::chmod((directory_ / "other/there").c_str(), 0777); }},
#if !__has_feature(address_sanitizer)
      {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
#endif
  };
  for (const auto& [name, call] : calls) {
    const auto code = in_child([&] {
      if (!filter_calls(false)) return not_here;
      return number_of(call());
    });
    if (code == not_here) GTEST_SKIP() << "not on this kernel";
    EXPECT_EQ(code, EPERM) << name;
  }
}

TEST_F(Sandbox, programs_are_started_only_where_they_are_needed) {
  const auto start = [](bool allowed) {
    return in_child([&] {
      if (!filter_calls(allowed)) return not_here;
      ::execl("/bin/true", "true", nullptr);
      return errno;
    });
  };
  if (start(false) == not_here) GTEST_SKIP() << "not on this kernel";
  EXPECT_EQ(start(false), EPERM);
  EXPECT_EQ(start(true), 0);
  // What it starts is bound by it too.
  EXPECT_EQ(in_child([&] {
              if (!filter_calls(true)) return not_here;
              ::execl("/bin/sh", "sh", "-c", "chmod 777 / 2>/dev/null && exit 3; exit 4", nullptr);
              return errno;
            }),
            4);
}

#if defined(__x86_64__)
TEST_F(Sandbox, a_call_of_another_architecture_is_the_end) {
  const auto code = in_child([] {
    if (!filter_calls(false)) return not_here;
    return static_cast<int>(::syscall(0x40000000 | SYS_getpid));
  });
  if (code == not_here) GTEST_SKIP() << "not on this kernel";
  EXPECT_EQ(code, 1000 + SIGSYS);
}
#endif

// What an agent does needs nothing of all that.
TEST_F(Sandbox, threads_children_and_files_go_on) {
  const auto code = in_child([&] {
    std::ignore = drop_privileges({.writable = {directory_ / "own"}});
    if (!write_file_atomic(directory_ / "own/file", "text", 0600)) return 1;
    if (in_child([] { return 5; }) != 5) return 2;
    return writes(directory_ / "other/new") ? 3 : 0;
  });
  const bool landlock = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) > 0;
  EXPECT_EQ(code, landlock ? 0 : 3);
}

}  // namespace
}  // namespace tenken::agent
