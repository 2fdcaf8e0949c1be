#include "access/master_key.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/scratch.h"

namespace tenken::access {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777U;
}

TEST(MasterKey, IsMadeOncePrivateAndReadBackTheSame) {
  const test::Scratch scratch;
  const auto path = scratch / "secret.key";
  const auto made = MasterKey::open_or_create(path).value();
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(MasterKey::open_or_create(path).value().fingerprint(), made.fingerprint());
  EXPECT_EQ(MasterKey::open(path).value().fingerprint(), made.fingerprint());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()), {}), 1);
}

TEST(MasterKey, OfNodesThatStartAtOnceIsOne) {
  const test::Scratch scratch;
  std::vector<std::string> fingerprints(8);
  {
    std::vector<std::jthread> nodes;
    for (auto& fingerprint : fingerprints)
      nodes.emplace_back([&] {
        fingerprint = MasterKey::open_or_create(scratch / "secret.key").value().fingerprint();
      });
  }
  EXPECT_EQ(std::set(fingerprints.begin(), fingerprints.end()).size(), 1U);
}

TEST(MasterKey, ThatOthersMayReadIsRefused) {
  const test::Scratch scratch;
  const auto path = scratch / "secret.key";
  ASSERT_TRUE(MasterKey::open_or_create(path));
  for (const auto mode : {0640U, 0604U, 0620U, 0666U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto opened = MasterKey::open_or_create(path);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::denied);
    EXPECT_NE(opened.error().what.find("chmod 600"), std::string::npos);
  }
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_TRUE(MasterKey::open(path));
}

TEST(MasterKey, IsNeverMadeAnewOverADamagedFile) {
  const test::Scratch scratch;
  const auto path = scratch / "secret.key";
  for (const auto& text : {std::string(), std::string("abc\n"), std::string(62, '0'),
                           std::string(64, 'g'), std::string(66, '0'), std::string(1000, '0')}) {
    scratch.write("secret.key", text);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    EXPECT_FALSE(MasterKey::open_or_create(path)) << text;
  }
  scratch.write("secret.key", std::string(64, '0'));  // without its line end
  EXPECT_TRUE(MasterKey::open(path));
}

TEST(MasterKey, ThatIsNotThereIsNotFound) {
  const test::Scratch scratch;
  EXPECT_EQ(MasterKey::open(scratch / "none").error().code, Errc::not_found);
  EXPECT_FALSE(MasterKey::open_or_create(scratch / "no/such/directory/secret.key"));
}

TEST(MasterKey, GivesEachPurposeAKeyOfItsOwn) {
  const test::Scratch scratch;
  const auto master = MasterKey::open_or_create(scratch / "secret.key").value();
  using enum MasterKey::Purpose;
  std::set<std::string> keys;
  for (const auto purpose : {access_key_secrets, page_tokens, ca_key, agent_commands, fingerprint})
    keys.emplace(master.derive(purpose).reveal());
  EXPECT_EQ(keys.size(), 5U);
  EXPECT_EQ(master.derive(ca_key).reveal().size(), 32U);
  EXPECT_EQ(master.fingerprint().size(), 32U);
}

}  // namespace
}  // namespace tenken::access
