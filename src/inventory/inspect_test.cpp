#include "inventory/inspect.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "inventory/temp_root.h"
#include "support/test_data.h"

namespace tenken::inventory {
namespace {

using tenken::test::data_path;
using test::TempRoot;

// The rows of a table without its heading, sorted; repeated rows stay.
std::multiset<std::string> expected_rows(const std::string& path) {
  std::multiset<std::string> rows;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') rows.insert(line);
  return rows;
}

Inventory inspect(const std::string& directory) {
  auto inventory = inspect_root(directory);
  EXPECT_TRUE(inventory) << inventory.error().what;
  return inventory ? *std::move(inventory) : Inventory{};
}

std::string reasons(const Inventory& inventory) {
  std::string text;
  for (const auto& skip : inventory.skips)
    text += fmt::format("{}|{}|{}\n", skip.file, skip.record, skip.reason);
  return text;
}

class DpkgInventory : public testing::TestWithParam<const char*> {};

TEST_P(DpkgInventory, AgreesWithDpkgQuery) {
  NEED_TEST_DATA("inventories/dpkg");
  const auto inventory = inspect(data_path(fmt::format("inventories/dpkg/{}", GetParam())));
  std::multiset<std::string> rows;
  for (const auto& package : inventory.packages) {
    const auto& source = package.source_name.empty() ? package.name : package.source_name;
    const auto& version = package.source_version.empty() ? package.version : package.source_version;
    rows.insert(fmt::format("{}\t{}\t{}\t{}\t{}\tii ", package.name, package.version, package.arch,
                            source, version));
  }
  EXPECT_EQ(rows,
            expected_rows(data_path(fmt::format("inventories/expected/dpkg-{}.tsv", GetParam()))));
}

INSTANTIATE_TEST_SUITE_P(Real, DpkgInventory,
                         testing::Values("claircore-debian-only", "claircore-postgresql",
                                         "claircore-texlive", "claircore-vcpkg",
                                         "debian-bookworm-minbase", "debian-bookworm-server",
                                         "debian-bookworm-server-updated", "debian-bullseye-aged",
                                         "debian-bullseye-minbase", "debian-bullseye-server",
                                         "debian-bullseye-server-updated", "debian-trixie-minbase",
                                         "debian-trixie-server"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Inspect, PackagesBelongToTheDistribution) {
  NEED_TEST_DATA("inventories/dpkg");
  const auto inventory = inspect(data_path("inventories/dpkg/debian-bookworm-server"));
  EXPECT_EQ(inventory.os.pretty_name, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_TRUE(inventory.skips.empty()) << reasons(inventory);
  for (const auto& package : inventory.packages) {
    EXPECT_EQ(package.ecosystem, "Debian");
    EXPECT_EQ(package.release, "12");
  }
}

TEST(Inspect, ReadsTheDistrolessLayout) {
  NEED_TEST_DATA("inventories/dpkg");
  const auto inventory = inspect(data_path("inventories/dpkg/distroless-bookworm"));
  EXPECT_EQ(inventory.packages.size(), 10U);
  EXPECT_TRUE(inventory.skips.empty()) << reasons(inventory);
}

TEST(Inspect, ARootWithoutPackageDatabaseSaysWhatWasLookedFor) {
  TempRoot temp;
  const auto inventory = inspect(temp.path());
  EXPECT_TRUE(inventory.packages.empty());
  ASSERT_EQ(inventory.skips.size(), 2U);
  EXPECT_TRUE(inventory.skips[1].reason.contains("var/lib/dpkg/status"));
}

TEST(Inspect, ARootThatIsNoneIsAnError) {
  EXPECT_EQ(inspect_root("/nonexistent/root").error().code, Errc::not_found);
}

TEST(Inspect, AnEmptyDatabaseIsNotSilence) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  temp.write("var/lib/dpkg/status", "");
  EXPECT_EQ(reasons(inspect(temp.path())),
            "var/lib/dpkg/status||the package database lists no package\n");
}

TEST(Inspect, StatusAndStatusDirectoryAreBothRead) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  temp.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n");
  temp.write("var/lib/dpkg/status.d/b", "Package: b\nVersion: 1\n");
  temp.write("var/lib/dpkg/status.d/b.md5sums", "00  x\n");
  temp.write("var/lib/dpkg/status.d/empty", "");
  temp.directory("var/lib/dpkg/status.d/directory");
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 2U);
  EXPECT_EQ(inventory.packages[1].location, "var/lib/dpkg/status.d/b");
  EXPECT_EQ(reasons(inventory),
            "var/lib/dpkg/status.d|directory|var/lib/dpkg/status.d/directory: not a regular file\n"
            "var/lib/dpkg/status.d|empty|no package in it\n");
}

TEST(Inspect, ADatabaseThatCannotBeOpenedIsASkip) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  temp.directory("var/lib/dpkg/status");
  EXPECT_EQ(reasons(inspect(temp.path())), "dpkg||var/lib/dpkg/status: not a regular file\n");
}

TEST(Inspect, PackagesOfAnotherKindThanTheDistributionsHaveNoEcosystem) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=almalinux\nVERSION_ID=9.4\n");
  temp.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n");
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(inventory.packages[0].ecosystem, "");
  EXPECT_EQ(inventory.packages[0].kind, "deb");
}

TEST(Inspect, TheHostKnowsItsNameAndKernel) {
  const auto host = inspect_host();
  ASSERT_TRUE(host);
  EXPECT_EQ(host->target, Inventory::Target::host);
  EXPECT_FALSE(host->name.empty());
  EXPECT_FALSE(host->running_kernel.empty());
}

}  // namespace
}  // namespace tenken::inventory
