// The small sources of facts: accounts, parameters of the kernel, addresses, sockets, restarts.
#include <algorithm>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "host/network.h"
#include "host/reboot.h"
#include "host/sockets.h"
#include "host/sysctl.h"
#include "host/users.h"
#include "inventory/temp_root.h"

namespace tenken::host {
namespace {

using inventory::Root;
using inventory::test::TempRoot;

TEST(HostUsers, every_account_is_one) {
  const auto found = parse_passwd(
      "root:x:0:0:root,,,:/root:/bin/bash\n"
      "nobody:*:4294967295:65534::/:\r\n"
      "\n");
  const std::vector<UserAccount> wanted{{"nobody", 4294967295U, 65534, "/", ""},
                                        {"root", 0, 0, "/root", "/bin/bash"}};
  EXPECT_EQ(found.items, wanted);
  EXPECT_TRUE(found.skips.empty());
}

TEST(HostUsers, what_is_no_account_is_a_skip_with_its_line) {
  const auto found = parse_passwd(
      "+::::::\na:x:0:0::/:/bin/sh\nb:x:0:0::/\n:x:0:0::/:\nc:x:-1:0::/:\nd:x:4294967296:0::/:\n");
  EXPECT_EQ(found.items.size(), 1U);
  ASSERT_EQ(found.skips.size(), 5U);
  EXPECT_EQ(found.skips[0].record, "line 1");
  EXPECT_NE(found.skips[0].reason.find("NIS"), std::string::npos);
  EXPECT_EQ(found.skips[1].record, "line 3");
}

TEST(HostUsers, accounts_and_skips_are_bounded) {
  std::string text;
  for (int i = 0; i < 100'001; ++i) text += "a:x:" + std::to_string(i) + ":0::/:\n";
  for (int i = 0; i < 200; ++i) text += "?\n";
  const auto found = parse_passwd(text);
  EXPECT_EQ(found.items.size(), 100'000U);
  EXPECT_EQ(found.skips.size(), 102U);
}

TEST(HostUsers, a_root_without_accounts_has_none) {
  const TempRoot root;
  EXPECT_TRUE(users_of(*Root::at(root.path())).skips.empty());
}

TEST(HostSysctl, a_value_is_one_line) {
  EXPECT_EQ(sysctl_value("32768\t60999\n"), "32768 60999");
  EXPECT_EQ(sysctl_value("\n"), "");
}

TEST(HostSysctl, what_this_kernel_lacks_is_left_out) {
  const TempRoot proc;
  proc.write("sys/net/ipv4/ip_forward", "0\n");
  proc.write("sys/kernel/core_pattern", "|/bin/core %P %u\n");
  const auto found = read_sysctl(proc.path());
  const std::vector<Setting> wanted{{"kernel.core_pattern", "|/bin/core %P %u"},
                                    {"net.ipv4.ip_forward", "0"}};
  EXPECT_EQ(found.items, wanted);
  EXPECT_TRUE(found.skips.empty());
}

TEST(HostSysctl, names_are_sorted_and_stand_once) {
  const auto names = sysctl_names();
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(HostNetwork, an_address_has_the_length_of_its_prefix) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, "10.0.0.5", &address.sin_addr);
  sockaddr_in mask = address;
  ::inet_pton(AF_INET, "255.255.240.0", &mask.sin_addr);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  EXPECT_EQ(address_text(generic, reinterpret_cast<const sockaddr*>(&mask)), "10.0.0.5/20");
  EXPECT_EQ(address_text(generic, nullptr), "10.0.0.5/32");
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, "fe80::1", &six.sin6_addr);
  EXPECT_EQ(address_text(reinterpret_cast<const sockaddr*>(&six), nullptr), "fe80::1/128");
}

constexpr std::string_view heading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

TEST(HostSockets, a_listening_one_has_its_address_port_user_and_inode) {
  const auto parsed = parse_socket_line(
      "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
      "12345 1 0000000000000000 100 0 0 10 0",
      "tcp");
  ASSERT_EQ(parsed.kind, SocketLine::waiting);
  EXPECT_EQ(parsed.socket.listener, (Listener{"tcp", "127.0.0.1", 22, "", 1000}));
  EXPECT_EQ(parsed.socket.inode, 12345U);
}

TEST(HostSockets, addresses_of_ipv6_are_shown_short) {
  const auto parsed = parse_socket_line(
      " 1: 000080FE00000000000000000100000A:14E9 00000000000000000000000000000000:0000 07 "
      "00000000:00000000 00:00000000 00000000   101        0 7 2 0 0",
      "udp");
  ASSERT_EQ(parsed.kind, SocketLine::waiting);
  EXPECT_EQ(parsed.socket.listener, (Listener{"udp", "fe80::a00:1", 5353, "", 101}));
}

TEST(HostSockets, what_is_connected_is_another_kind) {
  const auto kind = [&](std::string_view state, std::string_view protocol) {
    return parse_socket_line(
               "0: 00000000:0016 00000000:0000 " + std::string(state) + " 0:0 0:0 0 0 0 1",
               protocol)
        .kind;
  };
  EXPECT_EQ(kind("0A", "tcp"), SocketLine::waiting);
  EXPECT_EQ(kind("01", "tcp"), SocketLine::other);
  EXPECT_EQ(kind("07", "udp"), SocketLine::waiting);
  EXPECT_EQ(kind("01", "udp"), SocketLine::other);
  EXPECT_EQ(kind("zz", "udp"), SocketLine::malformed);
  EXPECT_EQ(parse_socket_line("", "tcp").kind, SocketLine::malformed);
}

TEST(HostSockets, tables_are_read_up_to_the_first_tcp_connection) {
  const TempRoot proc;
  const std::string tail = " 0:0 0:0 0 0 0 9\n";
  proc.write("net/tcp", std::string(heading) + "0: 00000000:0016 0:0 0A" + tail +
                            "1: 00000000:0017 0:0 01" + tail + "nonsense\n");
  proc.write("net/udp", std::string(heading) + "0: 00000000:0035 0:0 01" + tail +
                            "1: 00000000:0044 0:0 07" + tail + "nonsense\n");
  const auto found = waiting_sockets(proc.path());
  ASSERT_EQ(found.items.size(), 2U);
  EXPECT_EQ(found.items[0].listener.port, 22);
  EXPECT_EQ(found.items[1].listener.port, 68);
  ASSERT_EQ(found.skips.size(), 1U);
  EXPECT_EQ(found.skips[0].file, "proc/net/udp");
}

std::vector<std::string> reasons(const TempRoot& root, std::string_view kernel) {
  return reboot_reasons(*Root::at(root.path()), kernel).items;
}

TEST(HostReboot, a_quiet_root_needs_none) {
  const TempRoot root;
  EXPECT_TRUE(reasons(root, "6.1.0-18-amd64").empty());
}

TEST(HostReboot, the_marks_of_distributions_are_seen) {
  const TempRoot root;
  root.write("run/reboot-required", "*** System restart required ***\n");
  EXPECT_EQ(reasons(root, "6.1"), std::vector<std::string>{"run/reboot-required"});
  root.write("run/reboot-required.pkgs", "libc6\nlinux-base\nlibc6\n");
  root.write("run/reboot-needed", "");
  EXPECT_EQ(
      reasons(root, "6.1"),
      (std::vector<std::string>{"needed by libc6", "needed by linux-base", "run/reboot-needed"}));
}

TEST(HostReboot, a_newer_kernel_of_the_same_flavour_is_one) {
  const TempRoot root;
  for (const std::string kernel : {"6.1.0-18-amd64", "6.1.0-22-amd64", "6.1.0-9-amd64"}) {
    root.write("boot/vmlinuz-" + kernel, "");
    root.directory("lib/modules/" + kernel);
  }
  root.write("boot/vmlinuz-6.1.0-30-cloud-amd64", "");
  root.directory("lib/modules/6.1.0-30-cloud-amd64");
  root.write("boot/vmlinuz-6.1.0-40-amd64", "");  // without its modules
  root.directory("lib/modules/6.1.0-41-amd64");   // without its image
  EXPECT_EQ(reasons(root, "6.1.0-18-amd64"),
            std::vector<std::string>{"kernel 6.1.0-22-amd64 is installed, 6.1.0-18-amd64 runs"});
  EXPECT_TRUE(reasons(root, "6.1.0-22-amd64").empty());
}

TEST(HostReboot, kernels_are_ordered_only_where_that_is_certain) {
  using Order = std::strong_ordering;
  EXPECT_EQ(compare_kernels("6.1.0-9-amd64", "6.1.0-18-amd64"), Order::less);
  EXPECT_EQ(compare_kernels("5.15.0-101-generic", "5.15.0-91-generic"), Order::greater);
  EXPECT_EQ(compare_kernels("5.14.0-362.8.1.el9_3.x86_64", "5.14.0-362.el9.x86_64"),
            Order::greater);
  EXPECT_EQ(compare_kernels("6.1.0-018-amd64", "6.1.0-18-amd64"), Order::equal);
  EXPECT_EQ(compare_kernels("99999999999999999999", "100000000000000000000"), Order::less);
  EXPECT_FALSE(compare_kernels("6.8.0-rc3", "6.8.0"));
  EXPECT_FALSE(compare_kernels("5.15.0-1.el9uek.x86_64", "5.14.0-1.el9.x86_64"));
  EXPECT_FALSE(compare_kernels("6.1.0-18-amd64", "6.1.0-18-rt-amd64"));
}

}  // namespace
}  // namespace tenken::host
