#include "access/key_ring.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "access/accounts.h"
#include "access/authenticate.h"
#include "support/access_case.h"

namespace tenken::access {
namespace {

constexpr std::string_view services[] = {"inspector2"};

class KeyRingTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    pool_.emplace(location(), 4);
    ring_.emplace(*pool_, master_, [this] { return ticks_.load(); });
  }
  KeyRing& ring() { return *ring_; }
  bool known(const NewKey& key, Seconds now = today) {
    return ring().find(key.access_key_id, now).value_or(nullptr) != nullptr;
  }

  std::atomic<std::int64_t> ticks_ = 1'000'000;
  std::optional<sql::Pool> pool_;
  std::optional<KeyRing> ring_;
};
INSTANTIATE_TEST_SUITE_P(BothEngines, KeyRingTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

TEST_P(KeyRingTest, FindsWhoAKeyBelongsTo) {
  const auto key = make_key(acme, "alice", Role::security);
  const auto found = ring().find(key.access_key_id, today).value();
  EXPECT_EQ(found->principal.account, acme);
  EXPECT_EQ(found->principal.user, "alice");
  EXPECT_EQ(found->principal.user_id, list_users(db(), acme).value()[0].id);
  EXPECT_EQ(found->principal.role, Role::security);
  EXPECT_EQ(found->principal.access_key_id, key.access_key_id);
  EXPECT_EQ(found->secret.reveal(), key.secret.reveal());
}

TEST_P(KeyRingTest, KnowsAKeyThatWasMadeAMomentAgo) {
  const auto first = make_key();
  EXPECT_TRUE(known(first));
  const auto second = make_key();
  EXPECT_TRUE(known(second));
}

TEST_P(KeyRingTest, RefusesWhatItDoesNotKnow) {
  for (const auto* id :
       {"", "AKIAABCDEFGHIJKLMNOP", "TKIAABCDEFGHIJKLMNOP", "TKIA' OR '1'='1' -- "})
    EXPECT_EQ(ring().find(id, today).value(), nullptr) << id;
}

TEST_P(KeyRingTest, HoldsARevocationByAnotherProcessWithinASecond) {
  const auto key = make_key();
  ASSERT_TRUE(known(key));
  ASSERT_TRUE(revoke_key(db(), key.access_key_id, today));
  ticks_ += 499;
  EXPECT_TRUE(known(key)) << "remembered";
  ticks_ += 1;
  EXPECT_FALSE(known(key));
}

TEST_P(KeyRingTest, SeesRevokedUsersAndAccountsAndChangedRoles) {
  const auto alice = make_key(acme, "alice");
  const auto bob = make_key(other_account, "bob");
  ASSERT_TRUE(known(alice) && known(bob));
  ASSERT_TRUE(set_role(db(), acme, "alice", Role::admin, today));
  ticks_ += 500;
  EXPECT_EQ(ring().find(alice.access_key_id, today).value()->principal.role, Role::admin);
  ASSERT_TRUE(revoke_user(db(), acme, "alice", today));
  ASSERT_TRUE(revoke_account(db(), other_account, today));
  ticks_ += 500;
  EXPECT_FALSE(known(alice));
  EXPECT_FALSE(known(bob));
}

TEST_P(KeyRingTest, ExpiryHoldsWithoutAskingTheDatabase) {
  const auto key =
      create_key(db(), master_,
                 {.account = acme, .user = "a", .role = Role::viewer, .expires_at = today + 10},
                 today)
          .value();
  EXPECT_TRUE(known(key, today + 9));
  EXPECT_FALSE(known(key, today + 10));
}

TEST_P(KeyRingTest, LetsNobodyInWhileTheDatabaseCannotBeAsked) {
  const auto key = make_key();
  ASSERT_TRUE(known(key));
  ASSERT_TRUE(db().script("ALTER TABLE access_state RENAME TO hidden"));
  ticks_ += 500;
  EXPECT_EQ(ring().find(key.access_key_id, today).error().code, Errc::unavailable);
  ASSERT_TRUE(db().script("ALTER TABLE hidden RENAME TO access_state"));
  EXPECT_TRUE(known(key));
}

TEST_P(KeyRingTest, ADatabaseThatIsGoneSaysNothingOfAKey) {
  const auto key = make_key();
  sql::Pool gone(missing_location(), 1);
  KeyRing ring(gone, master_);
  EXPECT_EQ(ring.find(key.access_key_id, today).error().code, Errc::unavailable);
}

TEST_P(KeyRingTest, KeySealedForAnotherRowOrMasterKeyIsNone) {
  const auto alice = make_key(acme, "alice");
  const auto mallory = make_key(other_account, "mallory");
  ASSERT_TRUE(
      db().run("UPDATE access_key SET sealed_secret = (SELECT sealed_secret FROM access_key "
               "WHERE access_key_id = ?2) WHERE access_key_id = ?1",
               std::string_view(alice.access_key_id), std::string_view(mallory.access_key_id)));
  EXPECT_FALSE(known(alice)) << "a secret moved to another row";
  EXPECT_TRUE(known(mallory));
  const auto other = other_master();
  KeyRing stranger(*pool_, other);
  EXPECT_EQ(stranger.find(mallory.access_key_id, today).value(), nullptr);
}

TEST_P(KeyRingTest, WritesWhenKeysWereLastUsed) {
  const auto key = make_key();
  const auto last_used = [&] { return list_keys(db(), acme).value()[0].last_used_at; };
  ASSERT_TRUE(ring().write_uses());
  EXPECT_EQ(last_used(), 0);
  ring().used(key.access_key_id, today + 1);
  ring().used(key.access_key_id, today + 2);
  ASSERT_TRUE(db().script("ALTER TABLE access_key RENAME TO hidden"));
  EXPECT_FALSE(ring().write_uses());
  ASSERT_TRUE(db().script("ALTER TABLE hidden RENAME TO access_key"));
  ASSERT_TRUE(ring().write_uses()) << "what could not be written stayed";
  EXPECT_EQ(last_used(), today + 2);
  EXPECT_TRUE(known(key)) << "a use is no change of who may enter";
}

TEST_P(KeyRingTest, StaysRightUnderManyThreadsAndChanges) {
  const auto stays = make_key(acme, "stays");
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      while (!stop)
        if (!known(stays)) ++wrong;
    });
  for (int i = 0; i < 20; ++i) {
    const auto goes = make_key(acme, "goes");
    if (!known(goes)) ++wrong;
    EXPECT_TRUE(revoke_key(db(), goes.access_key_id, today));
    ticks_ += 1000;
    if (known(goes)) ++wrong;
  }
  stop = true;
  readers.clear();
  EXPECT_EQ(wrong, 0);
}

struct SignedRequest {
  std::vector<aws::Header> headers = {{"Host", "localhost"}};
  std::string body = "{}";
  aws::RequestHead head() const {
    return {.method = "POST", .target = "/findings/list", .headers = headers};
  }
};

SignedRequest signed_with(std::string id, std::string_view secret, std::string token = {}) {
  SignedRequest request;
  const aws::Credentials credentials{.access_key_id = std::move(id),
                                     .secret = crypto::Secret(secret),
                                     .session_token = std::move(token)};
  for (auto& header : sign(request.head(), aws::payload_hash(request.body), credentials,
                           "eu-west-1", "inspector2", today))
    request.headers.push_back(std::move(header));
  return request;
}

TEST_P(KeyRingTest, ASignedRequestIsItsUsersAndCountsAsUse) {
  const auto key = make_key(acme, "alice", Role::admin);
  Authenticator door(ring(), services);
  const auto request = signed_with(key.access_key_id, key.secret.reveal());
  const auto who = door.authenticate(request.head(), request.body, today + 1).value();
  EXPECT_EQ(who.principal.user, "alice");
  EXPECT_TRUE(who.principal.may(Permission::manage));
  EXPECT_EQ(who.service, "inspector2");
  EXPECT_EQ(who.region, "eu-west-1");
  ASSERT_TRUE(ring().write_uses());
  EXPECT_EQ(list_keys(db(), acme).value()[0].last_used_at, today + 1);
}

TEST_P(KeyRingTest, AnyOtherRequestIsRefusedForItsReason) {
  const auto key = make_key();
  Authenticator door(ring(), services);
  const auto fault_of = [&](const SignedRequest& request) {
    return door.authenticate(request.head(), request.body, today).error().fault;
  };
  EXPECT_EQ(fault_of({}), aws::Fault::missing_authentication);
  EXPECT_EQ(fault_of(signed_with(key.access_key_id, "wrong")), aws::Fault::invalid_signature);
  EXPECT_EQ(fault_of(signed_with("TKIAABCDEFGHIJKLMNOP", key.secret.reveal())),
            aws::Fault::unknown_client);
  EXPECT_EQ(fault_of(signed_with(key.access_key_id, key.secret.reveal(), "token")),
            aws::Fault::unknown_client);
  ASSERT_TRUE(ring().write_uses());
  EXPECT_EQ(list_keys(db(), acme).value()[0].last_used_at, 0) << "a refused request is no use";
  ASSERT_TRUE(db().script("ALTER TABLE access_state RENAME TO hidden"));
  ticks_ += 500;
  const auto request = signed_with(key.access_key_id, key.secret.reveal());
  EXPECT_EQ(fault_of(request), aws::Fault::unavailable);
  sql::Pool gone(missing_location(), 1);
  KeyRing empty(gone, master_);
  EXPECT_EQ(Authenticator(empty, services)
                .authenticate(request.head(), request.body, today)
                .error()
                .fault,
            aws::Fault::unavailable);
}

}  // namespace
}  // namespace tenken::access
