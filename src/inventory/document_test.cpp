#include "inventory/document.h"

#include <gtest/gtest.h>

namespace tenken::inventory {
namespace {

Inventory sample() {
  Inventory out;
  out.target = Inventory::Target::host;
  out.name = "web-1";
  out.os = {.id = "debian", .version_id = "12", .ecosystem = "Debian", .release = "12"};
  out.running_kernel = "6.1.0-18-amd64";
  out.databases_read = 1;
  out.packages.push_back({.ecosystem = "Debian",
                          .release = "12",
                          .kind = "deb",
                          .name = "libssl3",
                          .version = "3.0.11-1~deb12u2",
                          .arch = "amd64",
                          .source_name = "openssl"});
  out.skips.push_back({.file = "var/lib/dpkg/status",
                       .record = "a",
                       .reason = "no version",
                       .package = "a",
                       .package_kind = "deb"});
  return out;
}

TEST(InventoryDocument, reads_back_what_was_written) {
  const auto before = sample();
  const auto after = read_document(write_document(before));
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(after->name, before.name);
  EXPECT_EQ(after->target, before.target);
  EXPECT_EQ(after->running_kernel, before.running_kernel);
  EXPECT_EQ(after->os.ecosystem, "Debian");
  EXPECT_EQ(after->databases_read, 1U);
  ASSERT_EQ(after->packages.size(), 1U);
  EXPECT_EQ(after->packages[0].source_name, "openssl");
  EXPECT_EQ(after->packages[0].version, "3.0.11-1~deb12u2");
  ASSERT_EQ(after->skips.size(), 1U);
  EXPECT_EQ(after->skips[0].reason, "no version");
  EXPECT_EQ(after->skips[0].package, "a");
  EXPECT_EQ(after->skips[0].package_kind, "deb");
}

TEST(InventoryDocument, packages_that_are_only_listed_stay_at_home) {
  auto inventory = sample();
  inventory.packages.push_back({.kind = "rpm", .name = "gpg-pubkey", .listed_only = true});
  EXPECT_EQ(read_document(write_document(inventory))->packages.size(), 1U);
}

TEST(InventoryDocument, faults_name_their_place) {
  const auto why = [](std::string_view bytes) { return read_document(bytes).error().what; };
  EXPECT_NE(why("[]").find("no inventory"), std::string::npos);
  EXPECT_NE(why("{}").find("format"), std::string::npos);
  EXPECT_NE(why(R"({"format":"tenken-inventory","version":2})").find("version"), std::string::npos);
  const std::string head =
      R"({"format":"tenken-inventory","version":1,"target":"host","databasesRead":1,)";
  EXPECT_NE(why(head + R"("packages":[{"name":"a"},{"name":7}]})").find("packages 1: name"),
            std::string::npos);
  EXPECT_NE(why(head + R"("packages":{}})").find("packages: a list"), std::string::npos);
  EXPECT_NE(why(head + R"("packages":[{"name":"a\u0000b"}]})").find("NUL"), std::string::npos);
}

TEST(InventoryDocument, limits_hold) {
  const auto bytes = write_document(sample());
  EXPECT_EQ(read_document(bytes, {.bytes = 10}).error().code, Errc::limit);
  EXPECT_EQ(read_document(bytes, {.packages = 0}).error().code, Errc::limit);
  EXPECT_EQ(read_document(bytes, {.text_bytes = 3}).error().code, Errc::limit);
}

}  // namespace
}  // namespace tenken::inventory
