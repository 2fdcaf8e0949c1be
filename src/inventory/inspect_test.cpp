#include "inventory/inspect.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "inventory/os_package_database.h"
#include "inventory/rpm_header.h"
#include "inventory/rpm_samples.h"
#include "inventory/temp_root.h"
#include "support/test_data.h"

namespace tenken::inventory {
namespace {

using tenken::test::data_path;
using test::bdb;
using test::ndb;
using test::rpm_package;
using test::TempRoot;

TEST(InspectCopy, the_files_that_are_named_are_all_that_it_takes) {
  const TempRoot root;
  root.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  root.write("var/lib/dpkg/status",
             "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n");
  root.write("var/lib/rpm/Packages", bdb({rpm_package("b")}));
  root.write("lib/apk/db/installed", "P:c\nV:1\nA:x\n\n");
  root.write("var/lib/ubuntu-advantage/status.json", R"({"attached": true})");
  const TempRoot copy;
  for (const auto file : inspected_files()) {
    const auto bytes = tenken::read_file(root.at(file), 1 << 20);
    if (bytes) copy.write(file, *bytes);
  }
  const auto there = inspect_root(root.path()).value();
  const auto here = inspect_copy({.directory = copy.path(),
                                  .name = "web-1",
                                  .kernel = "6.1",
                                  .skips = {{.file = "x", .record = "", .reason = "denied"}}})
                        .value();
  EXPECT_EQ(there.databases_read, 3U);
  EXPECT_EQ(here.databases_read, 3U);
  EXPECT_EQ(here.packages.size(), there.packages.size());
  EXPECT_EQ(here.os.id, "debian");
  EXPECT_EQ(here.name, "web-1");
  EXPECT_EQ(here.running_kernel, "6.1");
  EXPECT_TRUE(here.esm_attached);
  EXPECT_EQ(here.skips.size(), there.skips.size() + 1);
}

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

std::string parameter_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::ranges::replace_if(name, [](char c) { return !is_alnum(c); }, '_');
  return name;
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
  EXPECT_TRUE(std::ranges::none_of(inventory.skips, &Skip::may_pass)) << reasons(inventory);
}

INSTANTIATE_TEST_SUITE_P(Real, DpkgInventory,
                         testing::Values("claircore-debian-only", "claircore-postgresql",
                                         "claircore-texlive", "claircore-vcpkg",
                                         "debian-bookworm-minbase", "debian-bookworm-server",
                                         "debian-bookworm-server-updated", "debian-bullseye-aged",
                                         "debian-bullseye-minbase", "debian-bullseye-server",
                                         "debian-bullseye-server-updated", "debian-trixie-minbase",
                                         "debian-trixie-server"),
                         parameter_name);

class RpmInventory : public testing::TestWithParam<const char*> {};

// name, epoch, version, release, arch, sourcerpm and modularity label as rpm -qa prints them.
std::string rpm_row(std::string_view line) {
  const auto columns = split(line, '\t');
  const auto shown = [](std::string_view text) { return text == "(none)" ? "" : text; };
  const auto source = parse_source_rpm(columns[5]);
  const auto epoch = columns[1] == "0" ? std::string() : fmt::format("{}:", columns[1]);
  return fmt::format("{}|{}{}-{}|{}|{}|{}|{}", columns[0], epoch, columns[2], columns[3],
                     shown(columns[4]), source.name, source.version, shown(columns[6]));
}

TEST_P(RpmInventory, AgreesWithRpm) {
  NEED_TEST_DATA("inventories/rpm");
  const auto inventory = inspect(data_path(fmt::format("inventories/rpm/{}", GetParam())));
  std::multiset<std::string> rows;
  for (const auto& package : inventory.packages) {
    EXPECT_EQ(package.listed_only, package.name == "gpg-pubkey");
    rows.insert(fmt::format("{}|{}|{}|{}|{}|{}", package.name, package.version, package.arch,
                            package.source_name, package.source_version, package.module_label));
  }
  std::multiset<std::string> expected;
  for (const auto& line :
       expected_rows(data_path(fmt::format("inventories/expected/rpm-{}.tsv", GetParam()))))
    expected.insert(rpm_row(line));
  EXPECT_EQ(rows, expected);
  EXPECT_FALSE(rows.empty());
}

INSTANTIATE_TEST_SUITE_P(Real, RpmInventory,
                         testing::Values("alma8", "alma8-bdb", "alma9", "alma9-bulk",
                                         "alma9-sysimage", "alma9-wal", "go-rpmdb-cbl-mariner-2.0",
                                         "go-rpmdb-libuuid", "grype-centos", "osquery-bdb",
                                         "osquery-sqlite", "syft-bdb"),
                         parameter_name);

// For roots without a list of their own the number of packages is known.
struct Count {
  const char* root;
  std::size_t packages;
};
class CountedInventory : public testing::TestWithParam<Count> {};

TEST_P(CountedInventory, HasAsManyPackagesAsRecorded) {
  NEED_TEST_DATA("inventories");
  const auto inventory = inspect(data_path(fmt::format("inventories/{}", GetParam().root)));
  EXPECT_EQ(inventory.packages.size(), GetParam().packages);
  for (const auto& package : inventory.packages) EXPECT_FALSE(package.version.empty());
}

INSTANTIATE_TEST_SUITE_P(Real, CountedInventory,
                         testing::Values(Count{"rpm/go-rpmdb-sle15-bci", 35},
                                         Count{"rpm/osquery-ndb", 3},
                                         Count{"apk/alpine-3.11-aged", 175},
                                         Count{"apk/grype-alpine", 3}, Count{"apk/osv-scanner", 1},
                                         Count{"apk/scalibr", 15}, Count{"apk/syft-corrupt", 1},
                                         Count{"apk/syft-multiple-1", 4},
                                         Count{"apk/syft-multiple-2", 14}),
                         [](const auto& info) {
                           std::string name = info.param.root;
                           std::ranges::replace_if(name, [](char c) { return !is_alnum(c); }, '_');
                           return name;
                         });

TEST(Inspect, ADamagedRecordIsASkipBesideTheOthers) {
  NEED_TEST_DATA("inventories/apk");
  const auto inventory = inspect(data_path("inventories/apk/syft-corrupt"));
  ASSERT_EQ(inventory.skips.size(), 3U);
  EXPECT_EQ(inventory.skips[1].record, "line 1");
  EXPECT_EQ(inventory.skips[2].reason, "the file ends in the middle of a package");
}

std::map<std::string, std::string> contents(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat status{};
    EXPECT_EQ(::lstat(entry.path().c_str(), &status), 0);
    auto text = fmt::format("{}.{} {}.{} ", status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                            status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
    if (entry.is_regular_file()) text += read_file(entry.path(), std::size_t{1} << 30).value();
    files[entry.path()] = std::move(text);
  }
  return files;
}

TEST(Inspect, TheRootIsLeftAsItWas) {
  NEED_TEST_DATA("inventories/rpm");
  for (const auto* name : {"rpm/alma9", "rpm/alma9-wal", "rpm/alma8-bdb", "rpm/osquery-ndb",
                           "dpkg/debian-bookworm-minbase", "apk/alpine-3.11-aged"}) {
    TempRoot temp;
    std::filesystem::copy(data_path(fmt::format("inventories/{}", name)), temp.path(),
                          std::filesystem::copy_options::recursive);
    const auto before = contents(temp.path());
    EXPECT_FALSE(inspect(temp.path()).packages.empty());
    EXPECT_EQ(contents(temp.path()), before) << name;
  }
}

TEST(Inspect, MoreThanATenthOfThePackagesIsAGreatLossButAFewAreNot) {
  EXPECT_FALSE(is_great_loss(0, 0));
  EXPECT_FALSE(is_great_loss(0, 100));
  EXPECT_FALSE(is_great_loss(5, 0));
  EXPECT_TRUE(is_great_loss(6, 0));
  EXPECT_FALSE(is_great_loss(20, 15));
  EXPECT_TRUE(is_great_loss(20, 14));
  EXPECT_FALSE(is_great_loss(1000, 900));
  EXPECT_TRUE(is_great_loss(1000, 899));
  EXPECT_FALSE(is_great_loss(1000, 2000));
}

TEST(Inspect, ADirectoryOfRpmMayBeALink) {
  TempRoot temp;
  temp.write("usr/lib/sysimage/rpm/Packages.db", ndb({rpm_package("a")}));
  temp.link("var/lib/rpm", "../../usr/lib/sysimage/rpm");
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(inventory.packages[0].location, "var/lib/rpm/Packages.db");
  EXPECT_EQ(inventory.skips.size(), 1U) << reasons(inventory);  // os-release alone
}

TEST(Inspect, AnEmptyRpmDatabaseDoesNotHideAnother) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=sles\nVERSION_ID=15.4\n");
  temp.write("var/lib/rpm/Packages.db", ndb({}));
  temp.write("usr/lib/sysimage/rpm/Packages.db", ndb({rpm_package("a")}));
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(reasons(inventory), "");
}

TEST(Inspect, ASecondRpmDatabaseIsNamed) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=sles\nVERSION_ID=15.4\n");
  temp.write("var/lib/rpm/Packages", bdb(rpm_package("old")));
  temp.write("var/lib/rpm/Packages.db", ndb({rpm_package("new")}));
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(inventory.packages[0].name, "new");
  EXPECT_EQ(
      reasons(inventory),
      "var/lib/rpm/Packages.db|var/lib/rpm/Packages|a second package database, not counted\n");
}

TEST(Inspect, ADamagedRpmDatabaseIsASkip) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=almalinux\nVERSION_ID=9.4\n");
  temp.write("var/lib/rpm/rpmdb.sqlite", std::string(5000, 'x'));
  const auto inventory = inspect(temp.path());
  EXPECT_TRUE(inventory.packages.empty());
  EXPECT_EQ(inventory.databases_read, 0U);
  EXPECT_EQ(reasons(inventory),
            "var/lib/rpm/rpmdb.sqlite||the database is not read to its end: SQLite: file is not a "
            "database\n");
}

TEST(Inspect, ARollbackJournalMakesTheDatabaseUnreadable) {
  NEED_TEST_DATA("inventories/rpm/alma9");
  TempRoot temp;
  std::filesystem::copy(data_path("inventories/rpm/alma9"), temp.path(),
                        std::filesystem::copy_options::recursive);
  // A journal that is kept but finished has its first bytes cleared.
  temp.write("var/lib/rpm/rpmdb.sqlite-journal", std::string(512, '\0'));
  EXPECT_EQ(inspect(temp.path()).packages.size(), 108U);
  temp.write("var/lib/rpm/rpmdb.sqlite-journal", "\xD9\xD5\x05\xF9\x20\xA1\x63\xD7 and more");
  const auto inventory = inspect(temp.path());
  EXPECT_EQ(inventory.databases_read, 0U);
  ASSERT_EQ(inventory.skips.size(), 1U);
  EXPECT_TRUE(inventory.skips[0].reason.contains("a transaction was cut off"))
      << reasons(inventory);
  EXPECT_TRUE(std::filesystem::exists(temp.at("var/lib/rpm/rpmdb.sqlite-journal")));
}

TEST(Inspect, ADamagedHeaderDoesNotHideTheOthers) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=almalinux\nVERSION_ID=9.4\n");
  temp.write("var/lib/rpm/Packages.db", ndb({"damaged", rpm_package("a")}));
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(inventory.packages[0].ecosystem, "AlmaLinux");
  ASSERT_EQ(inventory.skips.size(), 1U);
  EXPECT_EQ(inventory.skips[0].record, "header 1");
}

TEST(Inspect, TheApkDatabaseMayBeBelowUsr) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=wolfi\nVERSION_ID=20230201\n");
  temp.write("usr/lib/apk/db/installed", "P:a\nV:1-r0\n\n");
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(inventory.packages[0].ecosystem, "Wolfi");
}

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
  EXPECT_EQ(inventory.databases_read, 0U);
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
  const auto inventory = inspect(temp.path());
  EXPECT_EQ(inventory.databases_read, 1U);
  EXPECT_EQ(reasons(inventory), "var/lib/dpkg/status||the package database lists no package\n");
}

TEST(Inspect, AnEmptyDatabaseOfAnotherKindSaysNothing) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  temp.write("var/lib/dpkg/status",
             "Package: a\nStatus: install ok installed\nVersion: 1\nDescription: a\n\n");
  temp.write("lib/apk/db/installed", "");
  EXPECT_EQ(reasons(inspect(temp.path())), "");
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\n");
  const auto without_release = inspect(temp.path());
  EXPECT_EQ(reasons(without_release), "etc/os-release|line 2|a quote that does not end\n");
  EXPECT_FALSE(hides_packages(without_release.skips[0], without_release))
      << "its own kind of packages is known by its name";
  temp.write("etc/os-release", "ID=\"debian\nVERSION_ID=12\n");
  const auto unnamed = inspect(temp.path());
  EXPECT_EQ(unnamed.packages[0].ecosystem, "");
  for (const auto& skip : unnamed.skips) EXPECT_TRUE(hides_packages(skip, unnamed)) << skip.reason;
  temp.write("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n");
  EXPECT_EQ(reasons(inspect(temp.path())),
            "lib/apk/db/installed||the package database lists no package\n")
      << "the distribution's own";
  temp.write("etc/os-release", "ID=unheard-of\nVERSION_ID=1\n");
  EXPECT_EQ(reasons(inspect(temp.path())),
            "lib/apk/db/installed||the package database lists no package\n")
      << "it may be its own";
}

TEST(Inspect, StatusAndStatusDirectoryAreBothRead) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  temp.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n\n");
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

TEST(Inspect, ChangesThatDpkgHasNotMergedAreNamed) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  temp.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n\n");
  temp.write("var/lib/dpkg/updates/tmp.i", "");
  EXPECT_EQ(reasons(inspect(temp.path())), "");
  temp.write("var/lib/dpkg/updates/0001", "Package: a\n");
  EXPECT_EQ(reasons(inspect(temp.path())),
            "var/lib/dpkg/status|var/lib/dpkg/updates|changes that dpkg has not merged yet: 1\n");
}

// Record locks are those of other processes.
TEST(Inspect, TheLockOfAPackageManagerAtWorkIsSeen) {
  for (const auto* path : {"var/lib/dpkg/lock", "var/lib/rpm/.rpm.lock"}) {
    TempRoot temp;
    temp.write(path, "");
    const auto root = Root::at(temp.path()).value();
    EXPECT_FALSE(is_being_changed(root));
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t manager = ::fork();
    if (manager == 0) {
      const int file = ::open(temp.at(path).c_str(), O_RDWR);
      struct flock lock{};
      lock.l_type = F_WRLCK;
      const bool held = ::fcntl(file, F_SETLK, &lock) == 0;
      if (held && ::write(ready[1], "x", 1) == 1) ::pause();
      ::_exit(1);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_TRUE(is_being_changed(root)) << path;
    ::kill(manager, SIGKILL);
    ::waitpid(manager, nullptr, 0);
    EXPECT_FALSE(is_being_changed(root)) << path;
    ::close(ready[0]);
    ::close(ready[1]);
  }
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
  temp.write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n\n");
  const auto inventory = inspect(temp.path());
  ASSERT_EQ(inventory.packages.size(), 1U);
  EXPECT_EQ(inventory.packages[0].ecosystem, "");
  EXPECT_EQ(inventory.packages[0].kind, "deb");
}

TEST(Inspect, UbuntuProSaysWhetherTheHostIsAttached) {
  EXPECT_TRUE(parse_ubuntu_pro_status(R"({"attached": true, "services": []})").value());
  EXPECT_FALSE(parse_ubuntu_pro_status(R"({"attached": false})").value());
  EXPECT_FALSE(parse_ubuntu_pro_status(R"({"attached": "yes"})"));
  EXPECT_FALSE(parse_ubuntu_pro_status(R"({"attached": tr)"));
}

TEST(Inspect, ADatabaseIsNamedAfterItsFile) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(TENKEN_CASE_DIR "/os_packages"))
    files.insert(entry.path().stem());
  std::set<std::string> ids;
  for (const auto* database : os_package_databases()) ids.insert(std::string(database->id));
  EXPECT_EQ(ids, files);
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
