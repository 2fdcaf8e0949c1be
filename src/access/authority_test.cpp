#include "access/authority.h"

#include "support/access_case.h"

namespace tenken::access {
namespace {

class AuthorityTest : public AccessTest {
 protected:
  static crypto::Identity made() { return crypto::make_ca("tenken CA", today).value(); }
};
INSTANTIATE_TEST_SUITE_P(Engines, AuthorityTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

TEST_P(AuthorityTest, the_first_nodes_authority_is_that_of_all) {
  const auto first = made();
  EXPECT_EQ(shared_authority(db(), master_, first).value().certificate, first.certificate);
  const auto second = shared_authority(db(), master_, made());
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->certificate, first.certificate);
  EXPECT_EQ(second->key, first.key);
}

TEST_P(AuthorityTest, its_key_is_stored_sealed) {
  const auto own = made();
  ASSERT_TRUE(shared_authority(db(), master_, own));
  const auto stored = db().one_text("SELECT sealed_key FROM certificate_authority").value();
  ASSERT_TRUE(stored);
  EXPECT_FALSE(stored->contains("PRIVATE"));
  ASSERT_TRUE(db().script("UPDATE certificate_authority SET certificate = 'x'"));
  EXPECT_FALSE(shared_authority(db(), master_, own)) << "it was sealed with its certificate";
}

TEST_P(AuthorityTest, with_another_master_key_it_is_refused_until_that_one_is_adopted) {
  const auto first = made();
  ASSERT_TRUE(shared_authority(db(), master_, first));
  const auto other = other_master();
  EXPECT_EQ(shared_authority(db(), other, made()).error().code, Errc::conflict);
  ASSERT_TRUE(adopt_master_key(db(), other, today));
  const auto next = made();
  EXPECT_EQ(shared_authority(db(), other, next).value().certificate, next.certificate);
}

}  // namespace
}  // namespace tenken::access
