#include "inventory/dpkg_status.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tenken::inventory {
namespace {

PackageList parse(std::string_view text, DpkgLayout layout = DpkgLayout::database) {
  auto list = parse_dpkg_status(text, "var/lib/dpkg/status", layout);
  EXPECT_TRUE(list);
  return list ? *std::move(list) : PackageList("");
}

std::vector<std::string> reasons(const PackageList& list) {
  std::vector<std::string> out;
  for (const auto& skip : list.skips()) out.push_back(skip.reason);
  return out;
}

std::string stanza(std::string_view status) {
  return "Package: a\nStatus: " + std::string(status) + "\nVersion: 1-1\nArchitecture: amd64\n";
}

TEST(DpkgStatus, ReadsAPackage) {
  const auto list = parse(
      "Package: libexample1\nStatus: install ok installed\nOrigin: Example\nArchitecture: amd64\n"
      "Source: example (1:2.0-1)\nVersion: 1:2.0-1+b1\nDescription: text\n longer text\n .\n "
      "end\n\n");
  ASSERT_EQ(list.packages().size(), 1U);
  const auto& package = list.packages()[0];
  EXPECT_EQ(package.kind, "deb");
  EXPECT_EQ(package.name, "libexample1");
  EXPECT_EQ(package.version, "1:2.0-1+b1");
  EXPECT_EQ(package.arch, "amd64");
  EXPECT_EQ(package.source_name, "example");
  EXPECT_EQ(package.source_version, "1:2.0-1");
  EXPECT_EQ(package.vendor, "Example");
  EXPECT_EQ(package.location, "var/lib/dpkg/status");
  EXPECT_TRUE(list.skips().empty());
}

TEST(DpkgStatus, ASourceWithoutVersionLeavesItToThePackage) {
  const auto list = parse(stanza("install ok installed") + "Source: other\n\n" +
                          "Package: b\nStatus: install ok installed\nVersion: 2\n");
  ASSERT_EQ(list.packages().size(), 2U);
  EXPECT_EQ(list.packages()[0].source_name, "other");
  EXPECT_EQ(list.packages()[0].source_version, "");
  EXPECT_EQ(list.packages()[1].source_name, "");
}

TEST(DpkgStatus, FilesOnDiskMakeAPackageInstalled) {
  for (const auto state :
       {"installed", "triggers-pending", "triggers-awaited", "half-configured", "unpacked"})
    EXPECT_EQ(parse(stanza(std::string("deinstall reinstreq ") + state)).packages().size(), 1U)
        << state;
  for (const auto state : {"config-files", "not-installed"}) {
    const auto list = parse(stanza(std::string("deinstall ok ") + state) + "\n");
    EXPECT_TRUE(list.packages().empty()) << state;
    EXPECT_TRUE(list.skips().empty()) << state;
  }
}

TEST(DpkgStatus, AnUnclearStateIsASkip) {
  for (const auto status : {"install ok half-installed", "install ok", "", "install ok ?"}) {
    const auto list = parse(stanza(status) + "\n");
    EXPECT_TRUE(list.packages().empty()) << status;
    ASSERT_EQ(list.skips().size(), 1U) << status;
    EXPECT_EQ(list.skips()[0].record, "a");
    EXPECT_EQ(list.skips()[0].package, "a") << "it hides no other";
    EXPECT_EQ(list.skips()[0].package_kind, "deb");
  }
}

TEST(DpkgStatus, AStanzaThatCannotBeReadIsASkip) {
  const auto reason = [](std::string_view text) {
    const auto list = parse(std::string(text) + "\n");
    EXPECT_TRUE(list.packages().empty());
    return list.skips().empty() ? "" : list.skips()[0].record + ": " + list.skips()[0].reason;
  };
  EXPECT_EQ(reason("Package: a\nStatus: install ok installed\n"), "a: no version");
  EXPECT_EQ(reason("Package: a\nStatus: install ok installed\nVersion:\n"), "a: no version");
  EXPECT_EQ(reason("Status: install ok installed\nVersion: 1\n"), "line 1: no Package field");
  EXPECT_EQ(reason(stanza("install ok installed") + "Version: 2\n"),
            "a: the field Version stands there twice");
  EXPECT_EQ(reason(stanza("install ok installed") + "nonsense\n"), "a: a line that is no field");
  EXPECT_EQ(reason(stanza("install ok installed") + "Source: x (1\n"),
            "a: the Source field is not \"name (version)\"");
  EXPECT_EQ(reason(stanza("install ok installed") + "Type: Port\n"),
            "a: a vcpkg port, not a dpkg package");
  using namespace std::string_view_literals;
  EXPECT_EQ(reason("Package: a\0b\nStatus: install ok installed\nVersion: 1\n"sv),
            "a\\x00b: the package name is not usable");
  EXPECT_EQ(reason("Package: a\nStatus: install ok installed\nVersion: 1\0\n"sv),
            "a: the version is not usable");
}

TEST(DpkgStatus, APortOfVcpkgHidesNoPackageOfTheSystem) {
  const auto list = parse(stanza("install ok installed") + "Type: Port\n\n");
  ASSERT_EQ(list.skips().size(), 1U);
  EXPECT_EQ(list.skips()[0].package, "a");
  EXPECT_EQ(list.skips()[0].package_kind, "vcpkg");
}

TEST(DpkgStatus, AFileWithoutItsLastNewlineIsCutOff) {
  const auto list = parse(
      "Package: b\nStatus: install ok installed\nVersion: 1\n\n"
      "Package: a\nStatus: install ok installed\nVersion: 1.2");
  ASSERT_EQ(list.packages().size(), 1U);
  EXPECT_EQ(list.packages()[0].name, "b");
  ASSERT_EQ(list.skips().size(), 2U);
  EXPECT_EQ(list.skips()[0].reason, "the file ends in the middle of a line");
  EXPECT_EQ(list.skips()[1].record, "a");
  const auto in_text = parse(stanza("install ok installed") + "Description: a\n long te");
  EXPECT_EQ(in_text.packages().size(), 1U);
  EXPECT_EQ(in_text.skips().size(), 1U);
}

constexpr std::string_view database =
    "Package: adduser\nStatus: install ok installed\nMaintainer: m\nArchitecture: all\n"
    "Version: 3.134\nDescription: adds users\n and groups\n .\n to the system\n\n"
    "Package: bash\nStatus: install ok installed\nMaintainer: m\nArchitecture: amd64\n"
    "Source: bash (5.2.15-2)\nVersion: 5.2.15-2+b2\nDescription: shell\nHomepage: http://b\n\n"
    "Package: old\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n"
    "Description: gone\n\n"
    "Package: zlib1g\nStatus: install ok installed\nMaintainer: m\nArchitecture: amd64\n"
    "Version: 1:1.2.13\nDescription: compression\n\n";

TEST(DpkgStatus, EveryCutIsNoticedButBetweenPackages) {
  const auto whole = parse(database);
  ASSERT_EQ(whole.packages().size(), 3U);
  EXPECT_TRUE(whole.skips().empty());
  for (std::size_t cut = 1; cut < database.size(); ++cut) {
    const auto part = database.substr(0, cut);
    const auto list = parse(part);
    EXPECT_EQ(list.skips().empty(), part.ends_with("\n\n")) << part;
    EXPECT_EQ(std::ranges::any_of(list.skips(), &Skip::may_pass), !part.ends_with("\n\n")) << part;
    // What it names has no half of a name or a version.
    for (const auto& package : list.packages())
      EXPECT_TRUE(std::ranges::any_of(whole.packages(), [&](const Package& one) {
        return one.name == package.name && one.version == package.version &&
               one.source_name == package.source_name;
      })) << part;
  }
}

// A tool that puts packages behind those of dpkg writes no blank line after the last.
TEST(DpkgStatus, TheEndOfAFileThatIsOutOfOrderIsBelievedWhereItsLastPackageIsWhole) {
  const auto last = [](std::string_view rest) {
    return parse(std::string(database) +
                 "Package: apache\nStatus: install ok installed\nArchitecture: all\n" +
                 std::string(rest));
  };
  EXPECT_EQ(reasons(last("Version: 1\nDescription: a\n")), std::vector<std::string>());
  EXPECT_EQ(reasons(last("Version: 1\n")),
            std::vector<std::string>{"the file ends in the middle of a package"});
  EXPECT_EQ(reasons(last("Version: 1\nDescription: a")).at(0),
            "the file ends in the middle of a line");
}

TEST(DpkgStatus, CarriageReturnsAndFieldCaseDoNotMatter) {
  const auto list = parse("PACKAGE: a\r\nstatus: install ok installed\r\nversion: 1\r\n\r\n");
  ASSERT_EQ(list.packages().size(), 1U);
  EXPECT_EQ(list.packages()[0].version, "1");
}

TEST(DpkgStatus, ContinuationLinesAreNotFields) {
  const auto list =
      parse(stanza("install ok installed") + "Conffiles:\n Version: 9\n\tPackage: b\n");
  ASSERT_EQ(list.packages().size(), 1U);
  EXPECT_EQ(list.packages()[0].version, "1-1");
}

TEST(DpkgStatus, ASingleFileNeedsNoStatus) {
  const auto list = parse("Package: a\nVersion: 1", DpkgLayout::single_file);
  ASSERT_EQ(list.packages().size(), 1U);
  EXPECT_TRUE(list.skips().empty());
}

TEST(DpkgStatus, ManySkipsAreCountedButNoneOfTheWholeFileIsLost) {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += "Package: a\nStatus: install ok installed\n\n";
  auto list = parse(text + "Description: x");
  const auto skips = list.take_skips();
  ASSERT_EQ(skips.size(), 1002U);
  EXPECT_EQ(skips[1000].reason, "the file ends in the middle of a line");
  EXPECT_EQ(skips.back().reason, "501 more records could not be read");
}

}  // namespace
}  // namespace tenken::inventory
