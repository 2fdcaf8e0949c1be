#include "pipeline/remote_copy.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "inventory/root.h"
#include "inventory/temp_root.h"
#include "pipeline/ssh.h"

namespace tenken::pipeline {
namespace {

using inventory::test::TempRoot;

constexpr std::string_view wanted[] = {"etc/os-release", "var/lib/rpm/Packages",
                                       "usr/share/rpm/Packages", "var/lib/dpkg/status.d/*"};
constexpr std::string_view head = "tenken-copy 1\nname web-1\nkernel 6.1\n";

// What the script says of a root, by this machine's shell; before its end another command runs.
std::string answer_of(const TempRoot& root, std::string_view command = "") {
  const TempRoot script;
  auto text = copy_script(wanted, root.path());
  text.insert(text.rfind("finish\n"), fmt::format("{}\n", command));
  script.write("script", text);
  FILE* pipe = ::popen(fmt::format("/bin/sh -s <{}", script.at("script")).c_str(), "r");
  std::string out;
  std::array<char, 4096> piece{};
  while (const auto count = std::fread(piece.data(), 1, piece.size(), pipe))
    out.append(piece.data(), count);
  EXPECT_EQ(::pclose(pipe), 0);
  return out;
}

std::string fault(std::string_view rest) {
  const auto read = parse_copy(fmt::format("{}{}", head, rest), wanted);
  return read ? "none" : read.error().what;
}

TEST(RemoteCopy, what_the_script_sends_is_what_is_there) {
  const TempRoot root;
  const std::string bytes("a\0b\nfile 3 etc/os-release\nend\n", 31);
  root.write("usr/lib/os-release", "ID=debian");
  root.link("etc/os-release", "../usr/lib/os-release");
  root.write("usr/share/rpm/Packages", bytes);
  root.directory("var/lib");
  root.link("var/lib/rpm", "../../usr/share/rpm");
  root.write("var/lib/dpkg/status.d/base", "");
  root.write("var/lib/dpkg/status.d/a b", "odd");
  const auto answer = "Welcome!\n" + answer_of(root);
  const auto copy = parse_copy(answer, wanted);
  ASSERT_TRUE(copy) << copy.error().what << answer;
  EXPECT_FALSE(copy->name.empty());
  EXPECT_FALSE(copy->kernel.empty());
  EXPECT_EQ(copy->denied, (std::vector<std::string_view>{"var/lib/dpkg/status.d"}));
  const TempRoot target;
  const auto written = write_copy(*copy, target.path());
  ASSERT_TRUE(written) << written.error().what;
  EXPECT_EQ(written->skips.size(), 1U);
  const auto read = [&](std::string_view path) {
    return inventory::Root::at(target.path())->read(path, 1 << 20).value_or("nothing");
  };
  EXPECT_EQ(read("etc/os-release"), "ID=debian");
  EXPECT_EQ(read("var/lib/rpm/Packages"), bytes);
  EXPECT_TRUE(std::filesystem::equivalent(target.at("var/lib/rpm/Packages"),
                                          target.at("usr/share/rpm/Packages")));
  EXPECT_EQ(read("var/lib/dpkg/status.d/base"), "");
}

TEST(RemoteCopy, every_cut_is_noticed) {
  const TempRoot root;
  root.write("etc/os-release", "ID=debian\n");
  root.write("var/lib/rpm/Packages", "12345");
  const auto whole = answer_of(root);
  ASSERT_TRUE(parse_copy(whole, wanted));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_copy(std::string_view(whole).substr(0, length), wanted)) << length;
}

TEST(RemoteCopy, a_file_that_changed_meanwhile_is_told) {
  EXPECT_EQ(fault("file 2 etc/os-release\nID\nbytes 2\nend\n"), "none");
  EXPECT_EQ(fault("file 2 etc/os-release\nID=\nbytes 3\nend\n"),
            "etc/os-release: it changed while it was read");
  EXPECT_EQ(fault("file 2 etc/os-release\nID\nbytes 9\nend\n"),
            "etc/os-release: it changed while it was read");
}

TEST(RemoteCopy, a_change_of_any_of_them_that_keeps_their_sizes_is_told) {
  const TempRoot root;
  root.write("usr/lib/os-release", "ID=debian");
  root.link("etc/os-release", "../usr/lib/os-release");
  root.write("var/lib/rpm/Packages", "12345");
  root.write("var/lib/dpkg/status.d/base", "");
  root.write("var/lib/dpkg/other", "");
  const auto said = [&](std::string_view change) {
    const auto answer = answer_of(root, fmt::format("cd {}; {}", root.path(), change));
    const auto copy = parse_copy(answer, wanted);
    return copy ? "none" : copy.error().what;
  };
  EXPECT_EQ(said(""), "none");
  EXPECT_EQ(said("touch -d 2001-01-01 var/lib/dpkg/other"), "none");
  for (const auto* change :
       {"touch -d 2001-01-01 usr/lib/os-release", "touch -d 2001-01-01 var/lib/rpm/Packages",
        "touch -d 2001-01-01T00:00:00.5 var/lib/rpm/Packages",
        "touch -d 2001-01-01 var/lib/dpkg/status.d/base", ": >var/lib/dpkg/status.d/more",
        "cp -p var/lib/rpm/Packages new && mv new var/lib/rpm/Packages",
        "rm var/lib/dpkg/status.d/more"})
    EXPECT_EQ(said(change), "its files changed while they were read") << change;
}

TEST(RemoteCopy, a_host_that_lies_is_refused) {
  for (const auto* path :
       {"etc/passwd", "../etc/os-release", "/etc/os-release", "var/lib/dpkg/status.d/../status",
        "var/lib/dpkg/status.d/..", "var/lib/dpkg/status.d/a/b", "var/lib/dpkg/status.d/"})
    EXPECT_TRUE(fault(fmt::format("file 0 {}\n\nbytes 0\nend\n", path)).contains("not asked for"))
        << path;
  const std::string_view file = "file 0 etc/os-release\n\nbytes 0\n";
  EXPECT_NE(fault(fmt::format("{}{}end\n", file, file)), "none");
  EXPECT_NE(fault("file -1 etc/os-release\nend\n"), "none");
  EXPECT_NE(fault("file 18446744073709551615 etc/os-release\nend\n"), "none");
  EXPECT_NE(fault("file etc/os-release\nend\n"), "none");
  EXPECT_NE(fault("same etc/os-release var/lib/rpm/Packages\nend\n"), "none");
  EXPECT_NE(fault(fmt::format("{}same etc/os-release etc/os-release\nend\n", file)), "none");
  EXPECT_NE(fault("rm -rf /\nend\n"), "none");
  EXPECT_NE(fault(std::string(5000, 'a')), "none");
  const auto other = parse_copy("bash: no such file\n\x1b[31m", wanted);
  EXPECT_TRUE(other.error().what.contains("no copy of its files: bash: no such file"));
  EXPECT_FALSE(other.error().what.contains('\x1b'));
}

TEST(Ssh, names_that_are_options_are_none) {
  for (const auto* good : {"host", "root@host", "a.b-c_d@10.0.0.1", "root@[fe80::1%eth0]"})
    EXPECT_TRUE(is_ssh_host(good)) << good;
  for (const auto* bad : {"", "-oProxyCommand=sh", "root@-oX", "a b", "a;b", "@host", "a@", "a@b@c",
                          "host\n", "$(id)"})
    EXPECT_FALSE(is_ssh_host(bad)) << bad;
  EXPECT_FALSE(run_over_ssh({.host = "-oProxyCommand=sh"}, "", 1));
}

}  // namespace
}  // namespace tenken::pipeline
