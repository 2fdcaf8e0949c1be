#include "inventory/os_release.h"

#include <gtest/gtest.h>

#include "inventory/temp_root.h"

namespace tenken::inventory {
namespace {

using test::TempRoot;

OperatingSystem parse(std::string_view text) {
  return parse_os_release(text, "etc/os-release").os;
}

std::string ecosystem(std::string_view text) {
  const auto os = parse(text);
  return os.ecosystem + "|" + os.release;
}

OsRelease read(const TempRoot& temp) {
  const auto root = Root::at(temp.path());
  return root ? read_os_release(*root) : OsRelease{};
}

TEST(OsRelease, ReadsItsFields) {
  const auto os = parse(
      "# comment\n\nPRETTY_NAME=\"Example Linux 12 (code)\"\nID=debian\nVERSION_ID='12'\n"
      "VERSION_CODENAME=code\r\nID_LIKE=\"rhel  fedora\"\n");
  EXPECT_EQ(os.pretty_name, "Example Linux 12 (code)");
  EXPECT_EQ(os.id, "debian");
  EXPECT_EQ(os.version_id, "12");
  EXPECT_EQ(os.codename, "code");
  EXPECT_EQ(os.id_like, (std::vector<std::string>{"rhel", "fedora"}));
}

TEST(OsRelease, QuotesFollowTheShell) {
  EXPECT_EQ(parse(R"(PRETTY_NAME="a \"b\" \$ \\ \x")").pretty_name, R"(a "b" $ \ \x)");
  EXPECT_EQ(parse(R"(PRETTY_NAME='a \" b')").pretty_name, R"(a \" b)");
  EXPECT_EQ(parse(R"(PRETTY_NAME=a\ b)").pretty_name, "a b");
}

TEST(OsRelease, TheLastAssignmentWins) {
  EXPECT_EQ(parse("ID=a\nID=b\n").id, "b");
}

TEST(OsRelease, LinesThatAreNoAssignmentAreSkips) {
  const auto parsed =
      parse_os_release("ID=debian\nnonsense\nNAME=\"open\n2X=1\nA=b c\nB=x\\\n", "f");
  ASSERT_EQ(parsed.skips.size(), 5U);
  EXPECT_EQ(parsed.skips[0].record, "line 2");
  EXPECT_EQ(parsed.skips[0].reason, "not an assignment");
  EXPECT_EQ(parsed.skips[1].reason, "a quote that does not end");
  EXPECT_EQ(parsed.os.id, "debian");
}

TEST(OsRelease, NamesTheEcosystemAndItsRelease) {
  EXPECT_EQ(ecosystem("ID=debian\nVERSION_ID=\"12\"\n"), "Debian|12");
  EXPECT_EQ(ecosystem("ID=ubuntu\nVERSION_ID=\"22.04\"\n"), "Ubuntu|22.04:LTS");
  EXPECT_EQ(ecosystem("ID=ubuntu\nVERSION_ID=\"23.10\"\n"), "Ubuntu|23.10");
  EXPECT_EQ(ecosystem("ID=alpine\nVERSION_ID=3.18.4\n"), "Alpine|v3.18");
  EXPECT_EQ(ecosystem("ID=alpine\nVERSION_ID=3.21_alpha20240923\n"), "Alpine|edge");
  EXPECT_EQ(ecosystem("ID=\"almalinux\"\nVERSION_ID=\"9.4\"\n"), "AlmaLinux|9");
  EXPECT_EQ(ecosystem("ID=rocky\nVERSION_ID=8.9\n"), "Rocky Linux|8");
  EXPECT_EQ(ecosystem("ID=wolfi\nVERSION_ID=20230201\n"), "Wolfi|");
  EXPECT_EQ(ecosystem("ID=sles\nVERSION_ID=15.4\n"), "SUSE|Linux Enterprise Server 15 SP4");
  EXPECT_EQ(ecosystem("ID=sles\nVERSION_ID=15\n"), "SUSE|Linux Enterprise Server 15");
  EXPECT_EQ(ecosystem("ID=opensuse-leap\nVERSION_ID=15.5\n"), "openSUSE|Leap 15.5");
  EXPECT_EQ(ecosystem("ID=mariner\nVERSION_ID=2.0\n"), "Azure Linux|2");
  EXPECT_EQ(
      ecosystem("ID=openEuler\nVERSION_ID=22.03\nPRETTY_NAME=\"openEuler 22.03 (LTS-SP2)\"\n"),
      "openEuler|22.03-LTS-SP2");
}

TEST(OsRelease, TestingTakesItsReleaseFromTheCodename) {
  EXPECT_EQ(ecosystem("ID=debian\nVERSION_CODENAME=forky\n"), "Debian|14");
  EXPECT_EQ(ecosystem("ID=debian\nVERSION_CODENAME=never\n"), "Debian|");
  EXPECT_EQ(ecosystem("ID=debian\n"), "Debian|");
}

TEST(OsRelease, ADerivativeIsNotItsParent) {
  EXPECT_EQ(ecosystem("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=21.2\n"), "|");
  EXPECT_EQ(ecosystem("ID=raspbian\nID_LIKE=debian\nVERSION_ID=12\n"), "|");
  EXPECT_EQ(ecosystem("ID=kali\nID_LIKE=debian\nVERSION_ID=2024.1\n"), "|");
  EXPECT_EQ(ecosystem("ID=ol\nID_LIKE=fedora\nVERSION_ID=8.9\n"), "|");
}

TEST(OsRelease, TheFileInUsrLibIsTheSecondChoice) {
  TempRoot temp;
  temp.write("usr/lib/os-release", "ID=alpine\nVERSION_ID=3.18.4\n");
  EXPECT_EQ(read(temp).os.id, "alpine");
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  EXPECT_EQ(read(temp).os.id, "debian");
}

TEST(OsRelease, OlderFilesAreTheLastChoice) {
  const auto os = [](std::string_view path, std::string_view text) {
    TempRoot temp;
    temp.write(path, text);
    const auto found = read(temp).os;
    return found.id + "|" + found.version_id + "|" + found.ecosystem + "|" + found.release;
  };
  EXPECT_EQ(os("etc/alpine-release", "3.18.4\n"), "alpine|3.18.4|Alpine|v3.18");
  EXPECT_EQ(os("etc/debian_version", "12.5\n"), "debian|12.5|Debian|12");
  EXPECT_EQ(os("etc/debian_version", "trixie/sid\n"), "|||") << "Ubuntu has it as well";
  EXPECT_EQ(os("etc/almalinux-release", "AlmaLinux release 9.4 (Seafoam Ocelot)\n"),
            "almalinux|9.4|AlmaLinux|9");
  EXPECT_EQ(os("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n"),
            "centos|7.9.2009||");
}

TEST(OsRelease, ARootWithoutAnyOfThemSaysSo) {
  TempRoot temp;
  const auto nothing = read(temp);
  EXPECT_TRUE(nothing.os.id.empty());
  ASSERT_EQ(nothing.skips.size(), 1U);
  temp.write("etc/redhat-release", "Example Linux release 1\n");
  const auto unknown = read(temp);
  EXPECT_TRUE(unknown.os.id.empty());
  ASSERT_EQ(unknown.skips.size(), 1U);
  EXPECT_EQ(unknown.skips[0].reason, "names no distribution we know");
}

TEST(OsRelease, AFileThatCannotBeReadIsASkip) {
  TempRoot temp;
  temp.directory("etc/os-release");
  temp.write("usr/lib/os-release", "ID=alpine\nVERSION_ID=3.18.4\n");
  const auto found = read(temp);
  EXPECT_EQ(found.os.id, "alpine");
  ASSERT_EQ(found.skips.size(), 1U);
  EXPECT_EQ(found.skips[0].reason, "etc/os-release: not a regular file");
}

// Oracle Linux has a file that says Red Hat, Raspbian one that says Debian.
TEST(OsRelease, OlderFilesSayNothingBesideOneThatCannotBeRead) {
  TempRoot temp;
  temp.write("etc/redhat-release", "Red Hat Enterprise Linux release 9.4 (Plow)\n");
  EXPECT_EQ(read(temp).os.id, "rhel");
  const Skip denied{.file = "etc/os-release", .record = "", .reason = "denied"};
  const auto root = Root::at(temp.path()).value();
  EXPECT_EQ(read_os_release(root, std::span(&denied, 1)).os.id, "") << "a copy that lacks it";
  temp.write("etc/os-release", "NAME=\"Oracle Linux Server\"\nID=\"ol\n");
  const auto damaged = read(temp);
  EXPECT_EQ(damaged.os.id, "");
  ASSERT_EQ(damaged.skips.size(), 2U);
  EXPECT_EQ(damaged.skips[1].reason, "no ID in it");
  temp.directory("usr/lib/os-release");
  EXPECT_EQ(read(temp).os.id, "");
}

}  // namespace
}  // namespace tenken::inventory
