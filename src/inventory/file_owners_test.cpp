#include "inventory/file_owners.h"

#include <gtest/gtest.h>

#include "inventory/rpm_header.h"
#include "inventory/rpm_samples.h"
#include "inventory/temp_root.h"

namespace tenken::inventory {
namespace {

using test::HeaderEntry;
using test::TempRoot;
using Names = std::vector<std::string>;

Names owners(const TempRoot& root, const Names& files) {
  return owners_of(Root::at(root.path()).value(), files);
}

TEST(FileOwners, OfDpkgAreInItsLists) {
  const TempRoot root;
  root.write("var/lib/dpkg/info/libssl3:amd64.list",
             "/.\n/usr\n/usr/lib/x86_64-linux-gnu/libssl.so.3\n");
  root.write("var/lib/dpkg/info/openssh-server.list", "/usr/sbin/sshd\n");
  root.write("var/lib/dpkg/info/other.postinst", "/usr/bin/none\n");
  EXPECT_EQ(
      owners(root, {"/usr/sbin/sshd", "/usr/bin/none", "/usr/lib/x86_64-linux-gnu/libssl.so.3"}),
      (Names{"openssh-server", "", "libssl3"}));
}

TEST(FileOwners, AMergedUsrIsTheSamePlace) {
  const TempRoot root;
  root.write("var/lib/dpkg/info/libc6.list", "/lib/x86_64-linux-gnu/libc.so.6\n");
  root.write("var/lib/dpkg/info/gzip.list", "/usr/bin/gzip\n/usr/share/doc/a\n");
  EXPECT_EQ(owners(root, {"/usr/lib/x86_64-linux-gnu/libc.so.6", "/bin/gzip", "/share/doc/a"}),
            (Names{"libc6", "gzip", ""}));
}

TEST(FileOwners, AnEarlierVersionOfALibraryIsFoundByItsSoname) {
  const TempRoot root;
  root.write("var/lib/dpkg/info/zlib1g.list", "/usr/lib/libz.so.1\n/usr/lib/libz.so.1.3.1\n");
  root.write("var/lib/dpkg/info/zlib2.list", "/usr/lib/libz.so.2\n");
  EXPECT_EQ(owners(root, {"/usr/lib/libz.so.1.2.13", "/usr/lib/libz.so.2", "/usr/lib/libz.so.3.1"}),
            (Names{"zlib1g", "zlib2", ""}));
}

TEST(FileOwners, WhoHasTheVeryFileComesBeforeWhoHasItsSoname) {
  const TempRoot root;
  root.write("var/lib/dpkg/info/a-links.list", "/usr/lib/libz.so.1\n");
  root.write("var/lib/dpkg/info/zlib1g.list", "/usr/lib/libz.so.1.2\n");
  EXPECT_EQ(owners(root, {"/usr/lib/libz.so.1.2"}), Names{"zlib1g"});
}

TEST(FileOwners, OfApkAreInItsDatabase) {
  const TempRoot root;
  root.write("lib/apk/db/installed",
             "P:musl\nV:1\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:busybox\nV:1\nF:bin\nR:busybox\n");
  EXPECT_EQ(owners(root, {"/bin/busybox", "/lib/ld-musl-x86_64.so.1", "/lib/x"}),
            (Names{"busybox", "musl", ""}));
}

HeaderEntry list_of(std::uint32_t tag, const Names& texts) {
  HeaderEntry entry{.tag = tag, .type = 8, .count = static_cast<std::uint32_t>(texts.size())};
  for (const auto& text : texts) entry.data += text + '\0';
  return entry;
}

HeaderEntry numbers_of(std::uint32_t tag, const std::vector<std::uint32_t>& numbers) {
  HeaderEntry entry{.tag = tag, .type = 4, .count = static_cast<std::uint32_t>(numbers.size())};
  for (const auto number : numbers) entry.data += test::big32(number);
  return entry;
}

std::string rpm_with_files(std::vector<HeaderEntry> entries) {
  entries.insert(entries.begin(), {HeaderEntry::number(1003, 1), HeaderEntry::text(1000, "nginx"),
                                   HeaderEntry::text(1001, "1"), HeaderEntry::text(1002, "1")});
  return test::rpm_header(entries);
}

TEST(FileOwners, OfRpmAreInItsHeaders) {
  const Names files{"/usr/sbin/nginx", "/etc/nginx.conf", "/usr/sbin/other"};
  FileOwners query(files);
  EXPECT_TRUE(list_rpm_files(
      rpm_with_files({numbers_of(1116, {1, 0}), list_of(1117, {"nginx", "nginx.conf"}),
                      list_of(1118, {"/etc/", "/usr/sbin/"})}),
      query));
  EXPECT_EQ(query.take(), (Names{"nginx", "nginx", ""}));
}

TEST(FileOwners, HeadersThatLieAreRefused) {
  const Names files{"/a/b"};
  FileOwners query(files);
  const auto names = list_of(1117, {"b"});
  const auto directories = list_of(1118, {"/a/"});
  EXPECT_TRUE(list_rpm_files(rpm_with_files({}), query));
  EXPECT_FALSE(list_rpm_files(rpm_with_files({names, directories}), query));
  EXPECT_FALSE(list_rpm_files(rpm_with_files({numbers_of(1116, {7}), names, directories}), query));
  EXPECT_FALSE(list_rpm_files(
      rpm_with_files({HeaderEntry::at(1116, 4, 0xfffffff0, 1), names, directories}), query));
  EXPECT_FALSE(list_rpm_files(
      rpm_with_files({HeaderEntry::at(1117, 8, 0, 0xffffffff), directories}), query));
  EXPECT_FALSE(list_rpm_files(rpm_with_files({HeaderEntry::text(1117, "b")}), query));
  EXPECT_FALSE(list_rpm_files("x", query));
  EXPECT_EQ(query.take(), Names{""});
}

}  // namespace
}  // namespace tenken::inventory
