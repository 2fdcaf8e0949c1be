#include "serve/tls_files.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "support/scratch.h"

namespace tenken::serve {
namespace {

using Names = std::vector<std::string>;

constexpr Seconds now = 1'800'000'000;

std::string text_of(const std::string& path) {
  return read_file(path, 1 << 20).value_or("");
}

bool has(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

TEST(TlsFilesTest, a_certificate_stays_until_it_lacks_a_name_and_its_authority_stays_then) {
  const test::Scratch scratch;
  const auto files = own_certificate(scratch.path(), Names{"localhost"}, now);
  ASSERT_TRUE(files) << files.error().what;
  const auto authority = text_of(scratch / "tls/ca.pem");
  const auto first = text_of(files->certificate);
  ASSERT_TRUE(own_certificate(scratch.path(), Names{"localhost"}, now));
  EXPECT_EQ(text_of(files->certificate), first);
  ASSERT_TRUE(own_certificate(scratch.path(), Names{"localhost", "192.0.2.7"}, now));
  const auto facts = crypto::certificate_facts(text_of(files->certificate));
  ASSERT_TRUE(facts) << facts.error().what;
  EXPECT_EQ(facts->names, (Names{"localhost", "192.0.2.7"}));
  EXPECT_EQ(text_of(scratch / "tls/ca.pem"), authority);
}

TEST(TlsFilesTest, a_certificate_of_another_authority_is_replaced) {
  const test::Scratch scratch;
  const auto files = own_certificate(scratch.path(), Names{"localhost"}, now);
  ASSERT_TRUE(files) << files.error().what;
  const auto other = new_authority(now);
  ASSERT_TRUE(other);
  ASSERT_TRUE(keep_authority(scratch.path(), *other));
  ASSERT_TRUE(own_certificate(scratch.path(), Names{"localhost"}, now));
  EXPECT_EQ(crypto::is_signed_by(text_of(files->certificate), other->certificate).value(), true);
  EXPECT_EQ(std::filesystem::status(scratch / "tls/ca.key").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(TlsFilesTest, a_certificate_no_longer_shown_is_forgotten_and_another_made_when_wanted) {
  const test::Scratch scratch;
  const auto files = own_certificate(scratch.path(), Names{"localhost"}, now);
  ASSERT_TRUE(files) << files.error().what;
  EXPECT_TRUE(shows_own_certificate(scratch.path()));
  ASSERT_TRUE(forget_own_certificate(scratch.path(), *files));
  EXPECT_TRUE(shows_own_certificate(scratch.path())) << "it is the one that is given";
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(forget_own_certificate(scratch.path(), {.certificate = "/x.pem", .key = "/x.key"}));
  EXPECT_FALSE(shows_own_certificate(scratch.path()));
  ASSERT_TRUE(own_certificate(scratch.path(), Names{"localhost"}, now));
  EXPECT_TRUE(shows_own_certificate(scratch.path()));
}

TEST(TlsFilesTest, half_a_pair_is_replaced) {
  const test::Scratch scratch;
  const auto files = own_certificate(scratch.path(), Names{"localhost"}, now);
  ASSERT_TRUE(files) << files.error().what;
  for (const auto& half : {files->certificate, files->key}) {
    std::filesystem::remove(half);
    ASSERT_TRUE(own_certificate(scratch.path(), Names{"localhost"}, now));
    EXPECT_TRUE(crypto::key_matches(text_of(files->certificate), text_of(files->key)).value());
  }
}

TEST(TlsFilesTest, an_address_listened_on_is_named_and_shown) {
  const auto names = names_of_host("192.0.2.7");
  EXPECT_EQ(names.shown, Names{"192.0.2.7"});
  for (const auto* name : {"localhost", "127.0.0.1", "::1", "192.0.2.7"})
    EXPECT_TRUE(has(names.all, name)) << name;
}

TEST(TlsFilesTest, every_address_is_no_name) {
  for (const auto* every : {"0.0.0.0", "::", "0:0::0"}) {
    const auto names = names_of_host(every);
    EXPECT_FALSE(has(names.all, every));
    ASSERT_FALSE(names.shown.empty());
    EXPECT_EQ(names.shown.back(), "localhost");
    for (const auto& shown : names.shown) EXPECT_TRUE(has(names.all, shown)) << shown;
    EXPECT_TRUE(std::ranges::none_of(
        names.all, [](const std::string& name) { return name.starts_with("fe80:"); }));
  }
}

TEST(TlsFilesTest, what_is_shown_is_a_name_of_the_certificate) {
  EXPECT_EQ(name_to_show(Names{"a.example", "localhost"}, Names{"localhost", "a.example"}),
            "a.example");
  EXPECT_EQ(name_to_show(Names{"a.example", "localhost"}, Names{"localhost"}), "localhost");
  EXPECT_EQ(name_to_show(Names{"127.0.0.1"}, Names{"*.example", "b.example"}), "b.example");
  EXPECT_EQ(name_to_show(Names{"127.0.0.1"}, Names{}), "127.0.0.1");
}

}  // namespace
}  // namespace tenken::serve
