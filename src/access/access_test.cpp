#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/accounts.h"
#include "access/audit.h"
#include "access/keys.h"
#include "access/tokens.h"
#include "base/text.h"
#include "support/access_case.h"

namespace tenken::access {
namespace {

INSTANTIATE_TEST_SUITE_P(BothEngines, AccessTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

bool only_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == text.npos;
}

TEST_P(AccessTest, FirstAccountIsTheManagementAccountUntilAnotherIsNamed) {
  ASSERT_TRUE(create_account(db(), acme, "Acme", false, today));
  ASSERT_TRUE(create_account(db(), other_account, "", false, today));
  auto accounts = list_accounts(db()).value();
  ASSERT_EQ(accounts.size(), 2U);
  EXPECT_EQ(accounts[0].id, acme);
  EXPECT_EQ(accounts[0].name, "Acme");
  EXPECT_EQ(accounts[0].created_at, today);
  EXPECT_TRUE(accounts[0].management);
  EXPECT_FALSE(accounts[1].management);
  ASSERT_TRUE(create_account(db(), other_account, "", true, today + 1));
  accounts = list_accounts(db()).value();
  EXPECT_FALSE(accounts[0].management);
  EXPECT_TRUE(accounts[1].management);
  EXPECT_EQ(accounts[1].created_at, today);
}

TEST_P(AccessTest, AccountsAndUsersHaveNamesOfAwsForm) {
  for (const auto* bad : {"", "1", "11112222333", "1111222233334", "11112222333a", "111122223333 "})
    EXPECT_FALSE(create_account(db(), bad, "", false, today)) << bad;
  for (const auto* bad : {"", "a b", "a/b", "a'--", "\u70b9\u691c"})
    EXPECT_FALSE(create_user(db(), acme, bad, Role::viewer, today)) << bad;
  EXPECT_TRUE(create_user(db(), acme, "ci+x=y,z@example.org_-1", Role::viewer, today));
  EXPECT_TRUE(list_accounts(db()).value()[0].management) << "a refused call leaves nothing behind";
}

TEST_P(AccessTest, KeyCreatesAccountAndUser) {
  const auto key = make_key(acme, "alice", Role::admin);
  const auto users = list_users(db(), acme).value();
  ASSERT_EQ(users.size(), 1U);
  EXPECT_EQ(users[0].name, "alice");
  EXPECT_EQ(users[0].role, Role::admin);
  EXPECT_TRUE(users[0].id.starts_with("TKIU"));
  const auto keys = list_keys(db(), acme).value();
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].access_key_id, key.access_key_id);
  EXPECT_EQ(keys[0].user, "alice");
  EXPECT_EQ(keys[0].role, Role::admin);
  EXPECT_EQ(keys[0].created_at, today);
  EXPECT_TRUE(keys[0].live(today));
}

TEST_P(AccessTest, IdsAndSecretsHaveTheFormOfAwsTools) {
  const auto key = make_key();
  EXPECT_EQ(key.access_key_id.size(), 20U);
  EXPECT_TRUE(key.access_key_id.starts_with("TKIA"));
  EXPECT_TRUE(only_of(key.access_key_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"));
  EXPECT_EQ(key.secret.reveal().size(), 40U);
  EXPECT_TRUE(only_of(key.secret.reveal(),
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"));
}

TEST_P(AccessTest, DatabaseDoesNotHoldTheSecret) {
  const auto key = make_key();
  const auto stored = db().one_text("SELECT sealed_secret FROM access_key").value().value();
  EXPECT_EQ(stored.find(key.secret.reveal()), std::string::npos);
  EXPECT_NE(stored, "");
}

TEST_P(AccessTest, UserHasTwoLiveKeysAtMost) {
  const auto first = make_key();
  make_key();
  const KeyRequest third{.account = acme, .user = "alice"};
  EXPECT_EQ(create_key(db(), master_, third, today).error().code, Errc::limit);
  ASSERT_TRUE(revoke_key(db(), first.access_key_id, today));
  EXPECT_TRUE(create_key(db(), master_, third, today));
  EXPECT_TRUE(
      create_key(db(), master_, {.account = acme, .user = "bob", .role = Role::viewer}, today));
}

TEST_P(AccessTest, ExpiredKeysDoNotCountAsLive) {
  KeyRequest request{
      .account = acme, .user = "alice", .role = Role::viewer, .expires_at = today + 10};
  ASSERT_TRUE(create_key(db(), master_, request, today));
  ASSERT_TRUE(create_key(db(), master_, request, today));
  EXPECT_FALSE(create_key(db(), master_, request, today + 9));
  request.expires_at = 0;
  EXPECT_TRUE(create_key(db(), master_, request, today + 10));
  request.expires_at = today;
  EXPECT_EQ(create_key(db(), master_, request, today).error().code, Errc::invalid);
}

TEST_P(AccessTest, KeyWithoutARoleMakesAViewerAndKeepsTheRoleOfAnOldUser) {
  EXPECT_TRUE(create_key(db(), master_, {.account = acme, .user = "carol"}, today));
  EXPECT_EQ(list_users(db(), acme).value()[0].role, Role::viewer);
  EXPECT_FALSE(create_key(db(), master_, {.account = other_account, .user = "a b"}, today));
  EXPECT_EQ(list_accounts(db()).value().size(), 1U) << "rolled back as a whole";
  make_key(acme, "alice", Role::security);
  EXPECT_TRUE(create_key(db(), master_, {.account = acme, .user = "alice"}, today));
  EXPECT_EQ(
      create_key(db(), master_, {.account = acme, .user = "alice", .role = Role::admin}, today)
          .error()
          .code,
      Errc::conflict);
  ASSERT_TRUE(set_role(db(), acme, "alice", Role::operator_, today));
  EXPECT_EQ(list_users(db(), acme).value()[0].role, Role::operator_);
  EXPECT_EQ(set_role(db(), acme, "bob", Role::viewer, today).error().code, Errc::not_found);
}

TEST_P(AccessTest, RotationGivesASecondKeyAndEndsTheFirstAfterItsGrace) {
  const auto first = make_key();
  const auto second = rotate_key(db(), master_, first.access_key_id, 3600, today + 5).value();
  EXPECT_NE(second.access_key_id, first.access_key_id);
  const auto keys = list_keys(db(), acme, "alice").value();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].access_key_id, second.access_key_id);
  EXPECT_EQ(keys[0].expires_at, 0);
  EXPECT_EQ(keys[1].expires_at, today + 3605);
  EXPECT_TRUE(keys[1].live(today + 3604));
  EXPECT_FALSE(keys[1].live(today + 3605));
  EXPECT_EQ(rotate_key(db(), master_, second.access_key_id, 0, today + 6).error().code,
            Errc::limit);
  EXPECT_EQ(rotate_key(db(), master_, first.access_key_id, 0, today + 4000).error().code,
            Errc::not_found);
}

TEST_P(AccessTest, ARotatedKeyLivesAsLongAsTheFirstWasMadeTo) {
  const KeyRequest request{
      .account = acme, .user = "alice", .role = Role::viewer, .expires_at = today + 1000};
  const auto first = create_key(db(), master_, request, today).value();
  ASSERT_TRUE(rotate_key(db(), master_, first.access_key_id, 60, today + 600));
  const auto keys = list_keys(db(), acme, "alice").value();
  EXPECT_EQ(keys[0].expires_at, today + 1600);
  EXPECT_EQ(keys[1].expires_at, today + 660);
}

TEST_P(AccessTest, RevokingDeletesTheSecretAndSaysWhereThereIsNothingToRevoke) {
  const auto key = make_key();
  ASSERT_TRUE(revoke_key(db(), key.access_key_id, today + 1));
  EXPECT_EQ(list_keys(db(), acme).value()[0].revoked_at, today + 1);
  EXPECT_EQ(db().one_text("SELECT sealed_secret FROM access_key").value(), "");
  EXPECT_EQ(revoke_key(db(), key.access_key_id, today).error().code, Errc::not_found);
  EXPECT_EQ(revoke_key(db(), "x' OR '1'='1", today).error().code, Errc::not_found);
}

TEST_P(AccessTest, RevokedUsersAndAccountsLoseTheirKeysAndComeBackWithoutThem) {
  make_key(acme, "alice", Role::admin);
  make_key(acme, "bob");
  make_key(other_account, "alice");
  ASSERT_TRUE(revoke_user(db(), acme, "alice", today + 1));
  EXPECT_EQ(revoke_user(db(), acme, "alice", today + 1).error().code, Errc::not_found);
  const auto live = [&](std::string_view account) {
    const auto keys = list_keys(db(), account).value();
    return std::ranges::count_if(keys, [](const KeyRow& key) { return key.live(today + 2); });
  };
  EXPECT_EQ(live(acme), 1);
  const KeyRequest request{.account = acme, .user = "alice", .role = Role::viewer};
  EXPECT_EQ(create_key(db(), master_, request, today + 2).error().code, Errc::conflict);
  ASSERT_TRUE(create_user(db(), acme, "alice", Role::viewer, today + 2));
  EXPECT_EQ(live(acme), 1);
  EXPECT_TRUE(create_key(db(), master_, request, today + 2));

  ASSERT_TRUE(revoke_account(db(), acme, today + 3));
  EXPECT_EQ(live(acme), 0);
  EXPECT_EQ(live(other_account), 1);
  EXPECT_EQ(create_key(db(), master_, request, today + 4).error().code, Errc::conflict);
  ASSERT_TRUE(create_account(db(), acme, "", false, today + 4));
  EXPECT_TRUE(create_key(db(), master_, request, today + 4));
}

TEST_P(AccessTest, AnotherMasterKeyIsRefusedUntilItIsAdopted) {
  EXPECT_TRUE(check_master_key(db(), master_));
  make_key();
  EXPECT_TRUE(check_master_key(db(), master_));
  const auto other = other_master();
  EXPECT_EQ(check_master_key(db(), other).error().code, Errc::conflict);
  const KeyRequest request{.account = acme, .user = "alice"};
  EXPECT_EQ(create_key(db(), other, request, today).error().code, Errc::conflict);
  EXPECT_EQ(adopt_master_key(db(), other, today).value(), 1);
  EXPECT_TRUE(check_master_key(db(), other));
  EXPECT_FALSE(list_keys(db(), acme).value()[0].live(today));
  EXPECT_TRUE(create_key(db(), other, request, today));
}

TEST_P(AccessTest, ADatabaseBelongsToTheFirstMasterKeyAndNoOtherFileIsMade) {
  const auto file = scratch_ / "taken.key";
  EXPECT_TRUE(take_master_key(db(), file));
  EXPECT_TRUE(take_master_key(db(), file));
  EXPECT_EQ(take_master_key(db(), scratch_ / "secret.key").error().code, Errc::conflict);
  EXPECT_EQ(take_master_key(db(), scratch_ / "none.key").error().code, Errc::conflict);
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "none.key"));
}

TEST_P(AccessTest, AuditLogListsTheNewestFirstPageByPageAndNoOtherAccount) {
  AuditLog log;
  for (int i = 0; i < 25; ++i)
    ASSERT_TRUE(log.append(db(), {.time = today + i / 10,
                                  .account = std::string(acme),
                                  .principal = "alice",
                                  .access_key_id = "TKIA",
                                  .source = "192.0.2.1:5000",
                                  .action = "inspector2:CreateFilter",
                                  .target = fmt::format("filter {}", i),
                                  .outcome = "success",
                                  .request_id = "r"}));
  ASSERT_TRUE(log.append(db(), {.time = today, .account = std::string(other_account)}));
  std::vector<AuditEvent> all;
  std::optional<std::int64_t> before;
  for (;;) {
    const auto page = list_audit(db(), acme, before, 10).value();
    if (page.empty()) break;
    EXPECT_LE(page.size(), 10U);
    all.insert(all.end(), page.begin(), page.end());
    before = all.back().id;
  }
  ASSERT_EQ(all.size(), 25U);
  for (int i = 0; i < 25; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)].target, fmt::format("filter {}", 24 - i));
  EXPECT_EQ(all[0].time, today + 2);
  EXPECT_EQ(all[0].principal, "alice");
  EXPECT_EQ(all[0].source, "192.0.2.1:5000");
  EXPECT_EQ(list_audit(db(), other_account, {}, 10).value().size(), 1U);
}

TEST_P(AccessTest, TwoProcessesThatDrewTheSameNodeNoteBothEventsOfASecond) {
  AuditLog one(7);
  AuditLog other(7);
  const AuditEvent event{.time = today, .account = std::string(acme), .target = "a"};
  auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(one.append(db(), event));
  const auto noted = other.append(db(), event);
  ASSERT_TRUE(noted) << noted.error().what;
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(list_audit(db(), acme, {}, 10).value().size(), 4U);
}

TEST_P(AccessTest, EventsOfSeveralProcessesInASecondAreInTheirOrder) {
  for (const auto node : {9, 3, 7, 1}) {
    AuditLog of_a_command(static_cast<std::uint16_t>(node));
    ASSERT_TRUE(of_a_command.append(db(), {.time = now(),
                                           .account = std::string(acme),
                                           .target = fmt::format("of {}", node)}));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto events = list_audit(db(), acme, {}, 10).value();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].target, "of 1");
  EXPECT_EQ(events[1].target, "of 7");
  EXPECT_EQ(events[2].target, "of 3");
  EXPECT_EQ(events[3].target, "of 9");
}

TEST_P(AccessTest, EventsThatAreNotedWhenTheirSecondIsOverFindTheirPlace) {
  AuditLog log(7);
  const auto second_before = now() - 1;
  for (int i = 0; i < 5; ++i) {
    const AuditEvent event{
        .time = second_before, .account = std::string(acme), .target = fmt::format("{}", i)};
    const auto noted = log.append(db(), event);
    ASSERT_TRUE(noted) << noted.error().what;
  }
  const auto events = list_audit(db(), acme, {}, 10).value();
  ASSERT_EQ(events.size(), 5U);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(events[static_cast<std::size_t>(i)].target, fmt::format("{}", 4 - i));
}

TEST_P(AccessTest, AnEventOfManyAccountsIsOnceInTheLogOfEachUnderOneFreeId) {
  AuditLog one(7);
  AuditLog other(7);
  const AuditEvent taken{.time = today, .account = std::string(other_account), .target = "first"};
  ASSERT_TRUE(one.append(db(), taken));
  std::vector<std::string> accounts{std::string(other_account), std::string(acme),
                                    std::string(acme)};
  for (int i = 0; i < 3'000; ++i) accounts.push_back(fmt::format("{:012}", i));
  const AuditEvent event{.time = today, .account = "nobody", .target = "second"};
  const auto noted = other.append_to_each(db(), event, accounts);
  ASSERT_TRUE(noted) << noted.error().what;
  const auto told = list_audit(db(), other_account, {}, 10).value();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].target, "second");
  EXPECT_EQ(told[1].target, "first");
  for (const auto& account : {std::string(acme), accounts.back()}) {
    const auto events = list_audit(db(), account, {}, 10).value();
    ASSERT_EQ(events.size(), 1U) << account;
    EXPECT_EQ(events[0].id, told[0].id) << "what was tried with the id before is undone";
  }
  EXPECT_TRUE(list_audit(db(), "nobody", {}, 10).value().empty());
  EXPECT_TRUE(other.append_to_each(db(), event, {}));
}

TEST_P(AccessTest, WhatTheCommandLineChangesIsInTheAuditLog) {
  auto since = [this, seen = std::size_t{0}](std::string_view account) mutable {
    auto events = list_audit(db(), account, {}, 100).value();
    std::vector<std::string> out;
    for (const auto& event : events) {
      EXPECT_EQ(event.principal, command_line);
      EXPECT_EQ(event.outcome, "success");
      out.push_back(event.action + " " + event.target);
    }
    std::ranges::reverse(out);
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(seen));
    seen += out.size();
    return out;
  };
  using Lines = std::vector<std::string>;
  const auto key =
      create_key(db(), master_, {.account = acme, .user = "alice", .role = Role::admin}, today)
          .value();
  EXPECT_EQ(since(acme),
            (Lines{"tenken:CreateAccount 111122223333", "tenken:CreateUser alice admin",
                   fmt::format("tenken:CreateKey {} alice", key.access_key_id)}));
  const auto next = rotate_key(db(), master_, key.access_key_id, 60, today + 1).value();
  EXPECT_EQ(
      since(acme),
      (Lines{fmt::format("tenken:RotateKey {} {} alice", key.access_key_id, next.access_key_id)}));
  ASSERT_TRUE(revoke_key(db(), key.access_key_id, today + 2));
  EXPECT_FALSE(revoke_key(db(), key.access_key_id, today + 2));
  EXPECT_EQ(since(acme), (Lines{fmt::format("tenken:RevokeKey {} alice", key.access_key_id)}));
  ASSERT_TRUE(set_role(db(), acme, "alice", Role::viewer, today + 3));
  ASSERT_TRUE(create_user(db(), acme, "bob", Role::auditor, today + 4));
  ASSERT_TRUE(revoke_user(db(), acme, "bob", today + 5));
  EXPECT_EQ(since(acme), (Lines{"tenken:SetRole alice viewer", "tenken:CreateUser bob auditor",
                                "tenken:RevokeUser bob"}));
  const auto token =
      create_token(db(), {.account = acme, .made_by = command_line, .expires_at = today + 600},
                   today + 6)
          .value();
  ASSERT_TRUE(revoke_token(db(), acme, token.id, today + 7));
  EXPECT_FALSE(revoke_token(db(), acme, token.id, today + 7));
  ASSERT_TRUE(create_account(db(), acme, "Acme", true, today + 8));
  ASSERT_TRUE(revoke_account(db(), acme, today + 9));
  EXPECT_EQ(since(acme),
            (Lines{"tenken:CreateToken " + token.id, "tenken:RevokeToken " + token.id,
                   "tenken:CreateAccount 111122223333", "tenken:RevokeAccount 111122223333"}));
  const auto everything = db().one_text(
      "SELECT COUNT(*) || '' FROM audit_log WHERE target LIKE '%' || ?1 || '%' OR target LIKE '%' "
      "|| ?2 || '%'",
      key.secret.reveal(), token.token.reveal());
  EXPECT_EQ(everything.value(), "0") << "no secret";
}

TEST_P(AccessTest, OldEventsOfAllAccountsEnd) {
  AuditLog log;
  for (const auto account : {acme, other_account}) {
    for (const Seconds time : {today, today + 1})
      ASSERT_TRUE(log.append(db(), {.time = time, .account = std::string(account)}));
  }
  EXPECT_EQ(prune_audit(db(), today + 1).value(), 2);
  const auto left = list_audit(db(), acme, {}, 10).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].time, today + 1);
}

TEST_P(AccessTest, AuditLogTakesAnyTextOfStrangers) {
  AuditLog log;
  const std::string hostile = std::string("a\0b\xff\x1b[31m'; DROP", 17) + std::string(5000, 'x');
  ASSERT_TRUE(log.append(db(), {.time = today, .account = std::string(acme), .target = hostile}));
  const auto stored = list_audit(db(), acme, {}, 1).value()[0].target;
  EXPECT_TRUE(stored.starts_with("a\\x00b\\xff\\x1b[31m'; DROP")) << stored;
  EXPECT_LT(stored.size(), longest_audit_text + 100);
}

}  // namespace
}  // namespace tenken::access
