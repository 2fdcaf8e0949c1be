// The facts of this very host, as far as they are known beforehand.
#include "host/facts.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "host/boot_time.h"
#include "host/processes.h"
#include "inventory/temp_root.h"

namespace tenken::host {
namespace {

TEST(HostFacts, the_boot_time_is_a_line_of_stat) {
  EXPECT_EQ(parse_boot_time("cpu 1 2\nbtime 1700000000\nprocesses 5\n"), 1'700'000'000);
  EXPECT_EQ(parse_boot_time("btime x\n"), 0);
  EXPECT_EQ(parse_boot_time(""), 0);
}

// A socket of this process that is bound to loopback, and its port.
class OwnSocket {
 public:
  explicit OwnSocket(int type) : fd_(::socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_.get(), generic, size), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(fd_.get(), 1), 0);
    }
    EXPECT_EQ(::getsockname(fd_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

std::string own_program() {
  std::array<char, 4096> path{};
  const auto length = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

TEST(HostFacts, this_host_is_seen) {
  const OwnSocket tcp(SOCK_STREAM);
  const OwnSocket udp(SOCK_DGRAM);
  const auto facts = facts_of_host();
  utsname system{};
  ASSERT_EQ(::uname(&system), 0);
  EXPECT_EQ(facts.kernel, system.release);
  EXPECT_EQ(facts.architecture, system.machine);
  EXPECT_GT(facts.booted, 0);
  const auto uid = ::geteuid();
  const auto listens = [&](std::string protocol, std::uint16_t port) {
    const Listener wanted{std::move(protocol), "127.0.0.1", port, own_program(), uid};
    return std::ranges::binary_search(facts.listeners, wanted);
  };
  EXPECT_TRUE(listens("tcp", tcp.port()));
  EXPECT_TRUE(listens("udp", udp.port()));
  EXPECT_TRUE(std::ranges::any_of(facts.users, [](const auto& user) { return user.uid == 0; }));
  EXPECT_TRUE(std::ranges::any_of(
      facts.sysctl, [](const auto& setting) { return setting.name == "net.ipv4.ip_forward"; }));
  for (const auto& address : facts.addresses) EXPECT_NE(address.interface, "lo");
  EXPECT_TRUE(std::ranges::is_sorted(facts.listeners));
  EXPECT_TRUE(std::ranges::is_sorted(facts.programs));
  EXPECT_TRUE(std::ranges::is_sorted(facts.sshd));
  EXPECT_TRUE(std::ranges::is_sorted(facts.sysctl));
}

TEST(HostFacts, numbers_of_the_kernel_are_whole) {
  std::string wanted;
  std::getline(std::ifstream("/proc/sys/kernel/pid_max"), wanted);
  ASSERT_GT(wanted.size(), 1U);
  const auto facts = facts_of_host();
  EXPECT_TRUE(std::ranges::binary_search(facts.sysctl, Setting{"kernel.pid_max", wanted}));
}

TEST(HostFacts, of_a_root_at_rest_only_files_are_looked_at) {
  const inventory::test::TempRoot root;
  root.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  root.write("etc/ssh/sshd_config", "Port 22\n");
  const auto facts = facts_of_root(*inventory::Root::at(root.path()));
  EXPECT_EQ(facts.users.size(), 1U);
  EXPECT_EQ(facts.sshd, (std::vector<Setting>{{"port", "22"}}));
  EXPECT_TRUE(facts.kernel.empty());
  EXPECT_TRUE(facts.listeners.empty());
  EXPECT_TRUE(facts.sysctl.empty());
  EXPECT_TRUE(facts.skips.empty());
  EXPECT_FALSE(knows_all_processes(facts));
}

TEST(HostFacts, say_whether_all_processes_were_seen) {
  HostFacts facts{.kernel = "6.1"};
  facts.skips = {{.file = "proc", .record = "", .reason = "1 processes of an unknown form"}};
  EXPECT_TRUE(knows_all_processes(facts));
  facts.skips = look_at_processes({}, {.proc = "/nonexistent"}).skips;
  EXPECT_FALSE(knows_all_processes(facts));
}

}  // namespace
}  // namespace tenken::host
