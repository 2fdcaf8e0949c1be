#include "host/processes.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inventory/temp_root.h"

namespace tenken::host {
namespace {

using inventory::test::TempRoot;

TEST(HostProcesses, the_name_of_a_process_may_hold_anything) {
  const auto stat =
      parse_stat("7 (a) S 1 (b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->started_ticks, 4242U);
  EXPECT_FALSE(stat->kernel_thread);
  EXPECT_TRUE(parse_stat("2 (k) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 9 0")->kernel_thread);
  EXPECT_FALSE(parse_stat("7 a S 1 7"));
  EXPECT_FALSE(parse_stat("7 (a) S 1 7"));
  EXPECT_FALSE(parse_stat(""));
}

TEST(HostProcesses, the_effective_user_counts) {
  EXPECT_EQ(parse_status_uid("Name:\ta\nUid:\t1000\t33\t33\t33\nGid:\t0\t0\t0\t0\n"), 33U);
  EXPECT_FALSE(parse_status_uid("Name:\ta\n"));
  EXPECT_FALSE(parse_status_uid("Uid:\tx"));
}

TEST(HostProcesses, only_executable_mappings_of_deleted_files_count) {
  EXPECT_EQ(parse_deleted_map("7f00-7f10 r-xp 00000000 fe:00 12      /usr/lib/a b.so (deleted)"),
            "/usr/lib/a b.so");
  EXPECT_FALSE(parse_deleted_map("7f00-7f10 r--p 00000000 fe:00 12   /usr/lib/a.so (deleted)"));
  EXPECT_FALSE(parse_deleted_map("7f00-7f10 r-xp 00000000 fe:00 12   /usr/lib/a.so"));
  EXPECT_FALSE(parse_deleted_map("7f00-7f10 r-xp 00000000 00:00 0"));
  EXPECT_FALSE(parse_deleted_map(" (deleted)"));
  EXPECT_FALSE(parse_deleted_map(""));
}

TEST(HostProcesses, a_link_to_a_socket_has_its_inode) {
  EXPECT_EQ(parse_socket_link("socket:[42]"), 42U);
  EXPECT_FALSE(parse_socket_link("socket:[]"));
  EXPECT_FALSE(parse_socket_link("pipe:[42]"));
  EXPECT_FALSE(parse_socket_link("socket:[42"));
}

// A tree as of /proc, seen from a process in the mount namespace 1 and the user namespace 1.
class FakeProc {
 public:
  FakeProc() { namespaces("self", "1", "1", "/"); }

  void process(const std::string& pid, const std::string& program, std::uint64_t started = 0,
               unsigned flags = 0, const std::string& mounts = "1", const std::string& users = "1",
               const std::string& root = "/") const {
    proc_.write(pid + "/stat", pid + " (x) S 1 1 1 0 -1 " + std::to_string(flags) +
                                   " 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(started) +
                                   " 0 0\n");
    proc_.write(pid + "/status", "Name:\tx\nUid:\t0\t33\t0\t0\n");
    if (!program.empty()) proc_.link(pid + "/exe", program);
    namespaces(pid, mounts, users, root);
    proc_.directory(pid + "/fd");
  }
  void socket(const std::string& pid, const std::string& fd, int inode) const {
    proc_.link(pid + "/fd/" + fd, "socket:[" + std::to_string(inode) + "]");
  }
  void maps(const std::string& pid, std::string_view text) const {
    proc_.write(pid + "/maps", text);
  }
  void stat(const std::string& pid, std::string_view text) const {
    proc_.write(pid + "/stat", text);
  }
  void directory(const std::string& path) const { proc_.directory(path); }
  Processes look(const std::vector<std::uint64_t>& inodes = {}, std::uint64_t least_age_s = 0,
                 std::size_t most_maps_bytes = std::size_t{64} << 20,
                 std::size_t in_all = std::size_t{512} << 20) const {
    return look_at_processes(inodes, {.proc = proc_.path(),
                                      .least_age_s = least_age_s,
                                      .most_maps_bytes = most_maps_bytes,
                                      .most_maps_bytes_in_all = in_all});
  }

 private:
  void namespaces(const std::string& pid, const std::string& mounts, const std::string& users,
                  const std::string& root) const {
    proc_.link(pid + "/ns/mnt", "mnt:[" + mounts + "]");
    proc_.link(pid + "/ns/user", "user:[" + users + "]");
    proc_.link(pid + "/root", root);
  }

  TempRoot proc_;
};

TEST(HostProcesses, programs_are_grouped_by_user) {
  const FakeProc proc;
  proc.process("1", "/sbin/init");
  proc.process("20", "/usr/sbin/nginx");
  proc.process("21", "/usr/sbin/nginx (deleted)");
  const auto found = proc.look();
  EXPECT_EQ(found.programs,
            (std::vector<RunningProgram>{{"/sbin/init", 33}, {"/usr/sbin/nginx", 33}}));
  EXPECT_EQ(found.outdated,
            (std::vector<OutdatedProgram>{{"/usr/sbin/nginx", "/usr/sbin/nginx", 21}}));
  EXPECT_TRUE(found.skips.empty());
}

TEST(HostProcesses, threads_of_the_kernel_and_the_dead_have_no_program) {
  const FakeProc proc;
  proc.process("2", "/impossible", 0, 0x00200000);
  proc.process("3", "");
  const auto found = proc.look();
  EXPECT_TRUE(found.programs.empty());
  EXPECT_TRUE(found.skips.empty());
}

TEST(HostProcesses, the_young_are_left_out_but_own_their_sockets) {
  const FakeProc proc;
  proc.process("9", "/usr/bin/young", 1'000'000'000'000);
  proc.socket("9", "3", 77);
  const auto found = proc.look({77}, 60);
  EXPECT_TRUE(found.programs.empty());
  ASSERT_EQ(found.owners.size(), 1U);
  EXPECT_EQ(found.owners[0].executable, "/usr/bin/young");
}

TEST(HostProcesses, another_root_is_not_this_one) {
  const FakeProc proc;
  const TempRoot other;
  proc.process("5", "/usr/bin/container", 0, 0, "2", "1", other.path());
  proc.process("6", "/usr/bin/private_tmp", 0, 0, "2", "1", "/");
  proc.process("7", "/usr/bin/own_mounts", 0, 0, "2", "2", "/");
  proc.socket("5", "3", 77);
  const auto found = proc.look({77});
  EXPECT_EQ(found.programs, (std::vector<RunningProgram>{{"/usr/bin/private_tmp", 33}}));
  EXPECT_TRUE(found.owners.empty());
}

TEST(HostProcesses, a_socket_belongs_to_the_oldest_but_not_to_the_first_process) {
  const FakeProc proc;
  for (const std::string pid : {"1", "30", "31"}) proc.process(pid, "/bin/" + pid, std::stoul(pid));
  proc.socket("1", "3", 77);
  proc.socket("31", "3", 77);
  proc.socket("30", "3", 77);
  proc.socket("1", "4", 78);
  proc.socket("30", "4", 79);
  const auto found = proc.look({77, 78});
  ASSERT_EQ(found.owners.size(), 2U);
  EXPECT_EQ(found.owners[0].executable, "/bin/30");
  EXPECT_EQ(found.owners[1].executable, "/bin/1");
}

TEST(HostProcesses, only_files_of_programs_and_libraries_are_outdated) {
  const FakeProc proc;
  proc.process("8", "/usr/bin/app");
  proc.maps("8",
            "1-2 r-xp 00000000 fe:00 12  /usr/lib/libssl.so.3 (deleted)\n"
            "2-3 r-xp 00001000 fe:00 12  /usr/lib/libssl.so.3 (deleted)\n"
            "3-4 r-xp 00000000 fe:00 12  /opt/x/y.so (deleted)\n"
            "4-5 rwxp 00000000 00:01 12  /memfd:jit (deleted)\n"
            "5-6 r-xp 00000000 00:01 12  /dev/zero (deleted)\n"
            "5-6 r-xp 00000000 00:01 12  /SYSV00000000 (deleted)\n"
            "6-7 r-xp 00000000 fe:00 12  /tmp/a.so (deleted)\n"
            "6-7 r-xp 00000000 fe:00 12  /usr/lib/libc.so.6\n");
  EXPECT_EQ(proc.look().outdated,
            (std::vector<OutdatedProgram>{{"/usr/bin/app", "/opt/x/y.so", 8},
                                          {"/usr/bin/app", "/usr/lib/libssl.so.3", 8}}));
}

std::vector<std::string> records(const Processes& found) {
  std::vector<std::string> out;
  for (const auto& skip : found.skips) out.push_back(skip.record);
  return out;
}

const std::vector<std::string> one_unseen{std::string(unseen_processes)};

TEST(HostProcesses, libraries_behind_many_mappings_are_found) {
  const FakeProc proc;
  proc.process("8", "/usr/bin/app");
  std::string text;
  while (text.size() < (std::size_t{5} << 20)) text += "1-2 rw-p 00000000 00:00 0\n";
  proc.maps("8", text + "1-2 r-xp 00000000 fe:00 12  /usr/lib/a.so (deleted)\n");
  const auto found = proc.look();
  EXPECT_EQ(found.outdated, (std::vector<OutdatedProgram>{{"/usr/bin/app", "/usr/lib/a.so", 8}}));
  EXPECT_TRUE(found.skips.empty());
}

TEST(HostProcesses, maps_that_are_cut_are_not_all_seen) {
  const FakeProc proc;
  proc.process("8", "/usr/bin/app");
  proc.maps("8",
            "1-2 rw-p 00000000 00:00 0\n"
            "1-2 r-xp 00000000 fe:00 12  /usr/lib/a.so (deleted)\n");
  EXPECT_TRUE(proc.look({}, 0, 100).skips.empty());
  const auto found = proc.look({}, 0, 26);
  EXPECT_EQ(records(found), one_unseen);
  EXPECT_NE(found.skips.at(0).reason.find("map more"), std::string::npos);
  // Nor are those of the processes that come after so much.
  proc.process("9", "/usr/bin/other");
  proc.maps("9", "1-2 r-xp 00000000 fe:00 12  /usr/lib/b.so (deleted)\n");
  EXPECT_TRUE(proc.look({}, 0, 100, 200).skips.empty());
  EXPECT_EQ(records(proc.look({}, 0, 100, 90)), one_unseen);
  proc.maps("8", std::string(40'000, 'x'));
  EXPECT_EQ(records(proc.look()), one_unseen);
}

TEST(HostProcesses, more_outdated_files_than_are_kept_are_not_all_seen) {
  const FakeProc proc;
  proc.process("8", "/usr/bin/app");
  std::string text;
  for (int i = 0; i <= 65'536; ++i)
    text += "1-2 r-xp 0 fe:00 1 /usr/lib/" + std::to_string(i) + " (deleted)\n";
  proc.maps("8", text);
  const auto found = proc.look();
  EXPECT_EQ(found.outdated.size(), 65'536U);
  EXPECT_EQ(records(found), one_unseen);
}

TEST(HostProcesses, what_cannot_be_read_of_one_that_lives_is_not_all_seen) {
  const FakeProc proc;
  proc.process("8", "/usr/bin/app");  // without maps: it has ended meanwhile
  EXPECT_TRUE(proc.look().skips.empty());
  proc.directory("8/maps");
  EXPECT_EQ(records(proc.look()), one_unseen);
  const FakeProc other;
  other.process("8", "/usr/bin/app");
  other.stat("8", "8 (x");
  EXPECT_EQ(records(other.look()), one_unseen);
}

TEST(HostProcesses, a_tree_that_is_not_there_is_a_skip) {
  EXPECT_EQ(look_at_processes({}, {.proc = "/nonexistent"}).skips.size(), 1U);
}

// A process of a program in a directory of its own, ended with the test.
class Sleeper {
 public:
  explicit Sleeper(const std::string& program) {
    std::string name = program;
    std::string time = "600";
    char* arguments[] = {name.data(), time.data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  }
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

 private:
  pid_t pid_ = 0;
};

std::vector<OutdatedProgram> outdated_below(const std::string& directory) {
  const std::string_view directories[] = {directory};
  return look_at_processes({}, {.least_age_s = 0, .directories = directories}).outdated;
}

TEST(HostProcesses, a_program_that_was_deleted_or_replaced_under_a_process_is_outdated) {
  const TempRoot root;
  const auto program = root.at("sleeper");
  std::filesystem::copy_file("/bin/sleep", program);
  const Sleeper sleeper(program);
  // Until the child has begun its program.
  for (int i = 0; i < 500 && std::filesystem::read_symlink(
                                 "/proc/" + std::to_string(sleeper.pid()) + "/exe") != program;
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(outdated_below(root.path()).empty());
  // As package managers do it: the new file is renamed over the old one.
  std::filesystem::copy_file("/bin/sleep", root.at("new"));
  std::filesystem::rename(root.at("new"), program);
  const std::vector<OutdatedProgram> wanted{{program, program, sleeper.pid()}};
  EXPECT_EQ(outdated_below(root.path()), wanted);
  std::filesystem::remove(program);
  EXPECT_EQ(outdated_below(root.path()), wanted);
}

}  // namespace
}  // namespace tenken::host
