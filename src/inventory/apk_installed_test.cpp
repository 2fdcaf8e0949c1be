#include "inventory/apk_installed.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace tenken::inventory {
namespace {

PackageList parse(std::string_view text) {
  auto list = parse_apk_installed(text, "lib/apk/db/installed");
  EXPECT_TRUE(list);
  return list ? *std::move(list) : PackageList("");
}

TEST(ApkInstalled, ReadsAPackage) {
  const auto list = parse(
      "C:Q1x=\nP:libexample\nV:1.2-r3\nA:x86_64\nL:MIT\no:example\nF:usr\nR:P\na:0:0:755\n\n");
  ASSERT_EQ(list.packages().size(), 1U);
  const auto& package = list.packages()[0];
  EXPECT_EQ(package.kind, "apk");
  EXPECT_EQ(package.name, "libexample");
  EXPECT_EQ(package.version, "1.2-r3");
  EXPECT_EQ(package.arch, "x86_64");
  EXPECT_EQ(package.source_name, "example");
  EXPECT_EQ(package.source_version, "1.2-r3");
  EXPECT_EQ(package.license, "MIT");
  EXPECT_TRUE(list.skips().empty());
}

TEST(ApkInstalled, ThePackageMayBeItsOwnSource) {
  const auto list = parse("P:a\nV:1-r0\n\nP:b\nV:2-r0\n\n");
  ASSERT_EQ(list.packages().size(), 2U);
  EXPECT_EQ(list.packages()[1].source_name, "");
  EXPECT_EQ(list.packages()[1].source_version, "");
}

TEST(ApkInstalled, ARecordThatCannotBeReadIsASkip) {
  const auto reason = [](std::string_view text) {
    const auto list = parse(std::string(text) + "\n");
    EXPECT_TRUE(list.packages().empty());
    return list.skips().empty() ? "" : list.skips()[0].record + ": " + list.skips()[0].reason;
  };
  EXPECT_EQ(reason("P:a\n"), "a: no usable version");
  EXPECT_EQ(reason("V:1\n"), "line 1: no usable name");
  EXPECT_EQ(reason("nonsense\n"), "line 1: a line that is no field");
  EXPECT_EQ(reason("P:a\nV:1\nV:2\n"), "a: a field stands there twice");
  EXPECT_EQ(reason("P:a\nV:1 2\n"), "a: no usable version");
  const auto list = parse("P:a\n\n");
  EXPECT_EQ(list.skips()[0].package, "a") << "it hides no other";
  EXPECT_EQ(list.skips()[0].package_kind, "apk");
}

TEST(ApkInstalled, AFileWithoutItsLastNewlineIsCutOff) {
  const auto list = parse("P:a\nV:1-r0\n\nP:b\nV:1.2.3");
  ASSERT_EQ(list.packages().size(), 1U);
  EXPECT_EQ(list.packages()[0].name, "a");
  ASSERT_EQ(list.skips().size(), 2U);
  EXPECT_EQ(list.skips()[1].record, "b");
  const auto in_files = parse("P:a\nV:1-r0\nF:usr/li");
  EXPECT_EQ(in_files.packages().size(), 1U);
  EXPECT_EQ(in_files.skips().size(), 1U);
}

TEST(ApkInstalled, EveryCutIsNoticedButBetweenPackages) {
  constexpr std::string_view database =
      "C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:libc.so\nZ:Q1y=\n\n"
      "C:Q1x=\nP:busybox\nV:1.36.1-r2\nA:x86_64\nL:GPL\no:busybox\nF:bin\nR:busybox\n\n"
      "C:Q1x=\nP:zlib\nV:1.2.13-r1\nA:x86_64\nL:Zlib\no:zlib\nF:lib\nR:libz.so.1\n\n";
  const auto whole = parse(database);
  ASSERT_EQ(whole.packages().size(), 3U);
  EXPECT_TRUE(whole.skips().empty());
  for (std::size_t cut = 1; cut < database.size(); ++cut) {
    const auto part = database.substr(0, cut);
    const auto list = parse(part);
    EXPECT_EQ(list.skips().empty(), part.ends_with("\n\n")) << part;
    EXPECT_EQ(std::ranges::any_of(list.skips(), &Skip::may_pass), !part.ends_with("\n\n")) << part;
    for (const auto& package : list.packages())
      EXPECT_TRUE(std::ranges::any_of(whole.packages(), [&](const Package& one) {
        return one.name == package.name && one.version == package.version;
      })) << part;
  }
}

TEST(ApkInstalled, OneBadRecordDoesNotHideTheOthers) {
  const auto list = parse("this is damaged\n\nP:a\r\nV:1\r\n\r\nP:b\n\n");
  ASSERT_EQ(list.packages().size(), 1U);
  EXPECT_EQ(list.packages()[0].version, "1");
  EXPECT_EQ(list.skips().size(), 2U);
}

}  // namespace
}  // namespace tenken::inventory
