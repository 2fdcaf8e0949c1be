#include "access/tokens.h"

#include <gtest/gtest.h>

#include "access/accounts.h"
#include "support/access_case.h"

namespace tenken::access {
namespace {

class TokensTest : public AccessTest {
 protected:
  NewToken make(std::int64_t uses = 1, Seconds life = 3'600, Tags tags = {}) {
    return create_token(db(),
                        {.account = acme,
                         .made_by = "alice",
                         .expires_at = today + life,
                         .uses = uses,
                         .tags = std::move(tags)},
                        today)
        .value();
  }
  bool live(const NewToken& token, Seconds now = today) {
    return find_live_token(db(), token.token.reveal(), now).value().has_value();
  }
};
INSTANTIATE_TEST_SUITE_P(BothEngines, TokensTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

TEST_P(TokensTest, IsOneLineOfBase64UrlAndIsNotStored) {
  const auto made = make();
  EXPECT_EQ(made.token.reveal().size(), 43U);
  EXPECT_EQ(made.token.reveal().find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"),
            std::string_view::npos);
  const auto hash = db().one_text("SELECT hash FROM enrolment_token").value().value();
  EXPECT_NE(hash, made.token.reveal());
  EXPECT_EQ(hash.size(), 64U);
}

TEST_P(TokensTest, SaysWhomItLetsInAndWithWhat) {
  const auto made = make(3, 60, {{"env", "prod"}, {"team", "päivä"}});
  const auto found = find_live_token(db(), made.token.reveal(), today).value().value();
  EXPECT_EQ(found.id, made.id);
  EXPECT_EQ(found.account, acme);
  EXPECT_EQ(found.made_by, "alice");
  EXPECT_EQ(found.uses, 3);
  EXPECT_EQ(found.tags, (Tags{{"env", "prod"}, {"team", "päivä"}}));
  EXPECT_EQ(list_accounts(db()).value().size(), 1U);
}

TEST_P(TokensTest, IsUsedUp) {
  const auto made = make(2);
  EXPECT_TRUE(use_token(db(), made.id, today).value());
  EXPECT_TRUE(live(made));
  EXPECT_TRUE(use_token(db(), made.id, today).value());
  EXPECT_FALSE(use_token(db(), made.id, today).value());
  EXPECT_FALSE(live(made));
  EXPECT_EQ(list_tokens(db(), acme).value()[0].used, 2);
}

TEST_P(TokensTest, EndsWithItsTimeItsRevocationAndItsAccount) {
  const auto late = make(1, 60);
  EXPECT_TRUE(live(late, today + 59));
  EXPECT_FALSE(live(late, today + 60));
  EXPECT_FALSE(use_token(db(), late.id, today + 60).value());

  const auto revoked = make();
  EXPECT_EQ(revoke_token(db(), other_account, revoked.id, today).error().code, Errc::not_found);
  EXPECT_TRUE(live(revoked));
  ASSERT_TRUE(revoke_token(db(), acme, revoked.id, today));
  EXPECT_FALSE(live(revoked));
  EXPECT_FALSE(use_token(db(), revoked.id, today).value());
  EXPECT_EQ(revoke_token(db(), acme, revoked.id, today).error().code, Errc::not_found);

  const auto orphan = make();
  ASSERT_TRUE(revoke_account(db(), acme, today));
  EXPECT_FALSE(live(orphan));
}

TEST_P(TokensTest, IsNoTokenThatSomebodyMadeUp) {
  make();
  for (const auto* text : {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "' OR 1=1 --"})
    EXPECT_FALSE(find_live_token(db(), text, today).value()) << text;
}

TEST_P(TokensTest, RefusesWhatIsNoToken) {
  const auto code = [&](Seconds expires, std::int64_t uses, Tags tags) {
    const auto made = create_token(
        db(), {.account = acme, .expires_at = expires, .uses = uses, .tags = std::move(tags)},
        today);
    return made ? Errc::internal : made.error().code;
  };
  EXPECT_EQ(code(today, 1, {}), Errc::invalid);
  EXPECT_EQ(code(today + 400 * 86'400, 1, {}), Errc::invalid);
  EXPECT_EQ(code(today + 60, 0, {}), Errc::invalid);
  EXPECT_EQ(code(today + 60, 1, {{"", "x"}}), Errc::invalid);
  EXPECT_EQ(code(today + 60, 1, {{"a\x1b", "x"}}), Errc::invalid);
  EXPECT_EQ(code(today + 60, 1, Tags(51, {"a", "b"})), Errc::invalid);
  EXPECT_EQ(code(today + 60, 1, {{"a", "x"}, {"b", "x"}, {"a", "x"}}), Errc::invalid);
  EXPECT_EQ(code(today + 60, 1, {{std::string(129, 'a'), "x"}}), Errc::invalid);
  EXPECT_EQ(code(today + 60, 1, {{"a", std::string(257, 'x')}}), Errc::invalid);
  EXPECT_TRUE(check_tags({{std::string(128, 'a'), std::string(256, 'x')}, {"a", ""}}));
}

TEST_P(TokensTest, IsForgottenLongAfterItsEnd) {
  const auto made = make(1, 60);
  EXPECT_EQ(prune_tokens(db(), today).value(), 0);
  EXPECT_EQ(prune_tokens(db(), today + 61).value(), 1);
  EXPECT_TRUE(list_tokens(db(), acme).value().empty());
}

}  // namespace
}  // namespace tenken::access
