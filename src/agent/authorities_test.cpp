// Whom an agent trusts its server by, and what a server may add to that.
#include "agent/authorities.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"

namespace tenken::agent {
namespace {

constexpr Seconds today = 1'790'000'000;

class Authorities : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(crypto::load_openssl()); }
  static crypto::Identity authority(std::string_view name) {
    return crypto::make_ca(name, today).value();
  }
};

TEST_F(Authorities, a_new_one_is_added_once_and_the_old_one_stays) {
  const auto old = authority("old").certificate;
  const auto next = authority("next").certificate;
  const auto both = with_authorities(old, next, today);
  ASSERT_TRUE(both) << both.error().what;
  EXPECT_TRUE(both->contains(trim(old)));
  EXPECT_TRUE(both->contains(trim(next)));
  EXPECT_EQ(with_authorities(*both, next + old, today).value(), *both);
  EXPECT_EQ(with_authorities(old, old, today).value(), old);
  EXPECT_EQ(with_authorities(old, "", today).value(), old);
}

TEST_F(Authorities, what_is_no_authority_is_not_taken_and_nothing_with_it) {
  const auto old = authority("old");
  const auto next = authority("next").certificate;
  const std::vector<std::string> names{"tenken.example"};
  const auto server = crypto::issue_server_certificate(old, names, today).value();
  const std::string broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  for (const auto& given :
       {std::string("garbage"), next + broken, next + server.certificate, std::string(70'000, 'x')})
    EXPECT_FALSE(with_authorities(old.certificate, given, today)) << given.substr(0, 60);
  std::string many;
  for (int i = 0; i < 9; ++i) many += next;
  EXPECT_FALSE(with_authorities(old.certificate, many, today));
}

TEST_F(Authorities, where_there_is_no_room_those_that_ended_make_it) {
  std::string trusted;
  const auto old = authority("old").certificate;
  while (trusted.size() + old.size() < std::size_t{512} << 10) trusted += old;
  const auto next = crypto::make_ca("next", today + 11 * 365 * 86'400).value().certificate;
  EXPECT_FALSE(with_authorities(trusted, next, today));
  const auto later = with_authorities(trusted, next, today + 11 * 365 * 86'400);
  ASSERT_TRUE(later) << later.error().what;
  EXPECT_EQ(trim(*later), trim(next));
}

}  // namespace
}  // namespace tenken::agent
