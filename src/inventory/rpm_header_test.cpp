#include "inventory/rpm_header.h"

#include <gtest/gtest.h>

#include "inventory/rpm_samples.h"

namespace tenken::inventory {
namespace {

using test::HeaderEntry;
using test::rpm_header;

std::string error(std::string_view blob) {
  const auto package = parse_rpm_header(blob);
  return package ? "" : package.error().what;
}

TEST(RpmHeader, ReadsAPackage) {
  const auto package = parse_rpm_header(rpm_header(
      {HeaderEntry::text(1000, "bash"), HeaderEntry::text(1001, "4.4.20"),
       HeaderEntry::text(1002, "3.el8"), HeaderEntry::number(1003, 2),
       HeaderEntry::text(1011, "Example"), HeaderEntry::text(1014, "GPLv3+"),
       HeaderEntry::text(1022, "x86_64"), HeaderEntry::text(1044, "bash-4.4.20-3.el8.src.rpm"),
       HeaderEntry::text(5096, "m:s:1:c")}));
  ASSERT_TRUE(package) << package.error().what;
  EXPECT_EQ(package->kind, "rpm");
  EXPECT_EQ(package->name, "bash");
  EXPECT_EQ(package->version, "2:4.4.20-3.el8");
  EXPECT_EQ(package->vendor, "Example");
  EXPECT_EQ(package->license, "GPLv3+");
  EXPECT_EQ(package->arch, "x86_64");
  EXPECT_EQ(package->source_name, "bash");
  EXPECT_EQ(package->source_version, "4.4.20-3.el8");
  EXPECT_EQ(package->module_label, "m:s:1:c");
  EXPECT_FALSE(package->listed_only);
}

TEST(RpmHeader, NoneAndAnEpochOfZeroAreAbsent) {
  const auto package = parse_rpm_header(
      rpm_header({HeaderEntry::text(1000, "gpg-pubkey"), HeaderEntry::text(1001, "1"),
                  HeaderEntry::text(1002, "2"), HeaderEntry::number(1003, 0),
                  HeaderEntry::text(1022, "(none)"), HeaderEntry::text(1044, "(none)")}));
  ASSERT_TRUE(package);
  EXPECT_EQ(package->version, "1-2");
  EXPECT_EQ(package->arch, "");
  EXPECT_EQ(package->source_name, "");
  EXPECT_TRUE(package->listed_only);
}

TEST(RpmHeader, ALaterEntryReplacesAnEarlierOne) {
  const auto package =
      parse_rpm_header(rpm_header({HeaderEntry::text(1000, "a"), HeaderEntry::text(1001, "1"),
                                   HeaderEntry::text(1002, "1"), HeaderEntry::text(1001, "2")}));
  ASSERT_TRUE(package);
  EXPECT_EQ(package->version, "2-1");
}

TEST(RpmHeader, EveryCutIsAnErrorOfItsOwn) {
  const auto whole = rpm_header(
      {HeaderEntry::text(1000, "a"), HeaderEntry::text(1001, "1"), HeaderEntry::text(1002, "1")});
  ASSERT_TRUE(parse_rpm_header(whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_rpm_header(std::string_view(whole).substr(0, size))) << size;
}

TEST(RpmHeader, WhatAHeaderClaimsIsComparedWithWhatItHolds) {
  using namespace std::string_view_literals;
  EXPECT_EQ(error("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv), "4294967295 header entries");
  EXPECT_NE(error("\x00\x00\x10\x00\x00\x00\x00\x00"sv), "");
  EXPECT_NE(error("\x00\x00\x00\x00\xFF\xFF\xFF\xFF"sv), "");
  EXPECT_EQ(error("\0\0\0\0\0\0\0\0"sv), "no usable package name");
  EXPECT_EQ(error(rpm_header({HeaderEntry::at(1000, 6, 0xFFFFFFF0, 1)})),
            "a text begins past the end of the header");
  EXPECT_EQ(error(rpm_header({HeaderEntry::number(1000, 7)})), "tag 1000 is no text");
  EXPECT_EQ(error(rpm_header({HeaderEntry::text(1003, "1")})), "the epoch is no number");
  EXPECT_NE(error(rpm_header({HeaderEntry::at(1003, 4, 0xFFFFFFFF, 1)})), "");
  EXPECT_EQ(error(rpm_header({HeaderEntry::text(1000, "a b")})), "no usable package name");
  EXPECT_EQ(error(rpm_header({HeaderEntry::text(1000, "a"), HeaderEntry::text(1001, "1")})),
            "a: no usable version and release");
}

TEST(RpmHeader, SourceNamesSplitAtTheLastTwoDashes) {
  const auto split = [](std::string_view name) {
    const auto source = parse_source_rpm(name);
    return std::string(source.name) + "|" + std::string(source.version);
  };
  EXPECT_EQ(split("gcc-toolset-12-gcc-12.2.1-7.el8.src.rpm"), "gcc-toolset-12-gcc|12.2.1-7.el8");
  EXPECT_EQ(split("java-11-1.nosrc.rpm"), "java|11-1");
  EXPECT_EQ(split("a-1.src.rpm"), "|");
  EXPECT_EQ(split("-1-1.src.rpm"), "|");
  EXPECT_EQ(split("a-1-1.x86_64.rpm"), "|");
  EXPECT_EQ(split(""), "|");
}

}  // namespace
}  // namespace tenken::inventory
