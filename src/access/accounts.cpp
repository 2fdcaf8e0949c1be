#include "access/accounts.h"

#include <algorithm>

#include <fmt/format.h>

#include "access/audit.h"
#include "access/writes.h"
#include "base/text.h"
#include "crypto/random.h"

namespace tenken::access {
namespace {

constexpr std::size_t longest_name = 128;

Result<> check_account(std::string_view account) {
  if (is_account_id(account)) return {};
  return invalid(fmt::format("\"{}\" is no account: 12 digits", printable(account.substr(0, 40))));
}

Result<> check_user(std::string_view user) {
  if (is_user_name(user)) return {};
  return invalid(fmt::format("\"{}\" is no user name: 1 to 64 letters, digits or + = , . @ _ -",
                             printable(user.substr(0, 80))));
}

std::string new_user_id() {
  return "TKIU" + crypto::random_text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

struct UserRow {
  std::string role;
  Seconds revoked_at = 0;
};
Result<std::optional<UserRow>> find_user(sql::Connection& connection, std::string_view account,
                                         std::string_view user) {
  TRY(const auto rows, connection.query("SELECT role, revoked_at FROM app_user WHERE account_id = "
                                        "?1 AND name = ?2",
                                        account, user));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::nullopt;
  return UserRow{row->string(0), row->integer(1)};
}

// False: it was there. Conflict where it was revoked.
Result<bool> add_account(sql::Connection& connection, std::string_view account, Seconds now) {
  TRY_VOID(check_account(account));
  TRY(const auto added,
      connection.run("INSERT INTO account (account_id, name, management, created_at, "
                     "revoked_at) SELECT ?1, '', CASE WHEN EXISTS (SELECT 1 FROM account) "
                     "THEN 0 ELSE 1 END, ?2, 0 ON CONFLICT (account_id) DO NOTHING",
                     account, now));
  TRY(const auto revoked_at,
      connection.one_integer("SELECT revoked_at FROM account WHERE account_id = ?1", account));
  if (revoked_at.value_or(0) != 0)
    return conflict(fmt::format("account {} was revoked: create it again first", account));
  return added > 0;
}

// False: it was there, with this role if one is asked for.
Result<bool> add_user(sql::Connection& connection, std::string_view account, std::string_view user,
                      std::optional<Role> role, Seconds now) {
  TRY_VOID(check_user(user));
  TRY_VOID(ensure_account(connection, account, now));
  TRY(const auto known, find_user(connection, account, user));
  if (!known) {
    TRY_VOID(
        connection.run("INSERT INTO app_user (account_id, name, user_id, role, created_at, "
                       "revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                       account, user, std::string_view(new_user_id()),
                       name(role.value_or(role_of_new_users)), now));
    return true;
  }
  if (known->revoked_at != 0)
    return conflict(
        fmt::format("user {} of account {} was revoked: create it again first", user, account));
  if (role && known->role != name(*role))
    return conflict(
        fmt::format("user {} of account {} has the role {}: change that first (tenken admin user "
                    "role), or name another user",
                    user, account, known->role));
  return false;
}

Result<> note_user(sql::Connection& connection, std::string_view account, std::string_view action,
                   std::string_view user, Role role, Seconds now) {
  return note_command(connection, account, action, fmt::format("{} {}", user, name(role)), now);
}

}  // namespace

bool is_account_id(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, is_digit);
}

bool is_user_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || std::string_view("+=,.@_-").contains(c);
  });
}

Error conflict(std::string what) {
  return {Errc::conflict, std::move(what)};
}

Result<sql::Transaction> begin_change(sql::Connection& connection) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(connection.run("UPDATE access_state SET epoch = epoch + 1 WHERE id = 1"));
  return transaction;
}

Result<> ensure_account(sql::Connection& connection, std::string_view account, Seconds now) {
  TRY(const auto added, add_account(connection, account, now));
  if (!added) return {};
  return note_command(connection, account, "CreateAccount", account, now);
}

Result<> ensure_user(sql::Connection& connection, std::string_view account, std::string_view user,
                     std::optional<Role> role, Seconds now) {
  TRY(const auto added, add_user(connection, account, user, role, now));
  if (!added) return {};
  return note_user(connection, account, "CreateUser", user, role.value_or(role_of_new_users), now);
}

Result<> create_account(sql::Connection& connection, std::string_view account,
                        std::string_view name, bool management, Seconds now) {
  TRY_VOID(check_account(account));
  const auto shown = valid_utf8(name.substr(0, longest_name));
  TRY(auto transaction, begin_change(connection));
  TRY_VOID(connection.run("UPDATE account SET revoked_at = 0 WHERE account_id = ?1", account));
  TRY_VOID(add_account(connection, account, now));
  if (!shown.empty())
    TRY_VOID(connection.run("UPDATE account SET name = ?2 WHERE account_id = ?1", account,
                            std::string_view(shown)));
  if (management)
    TRY_VOID(connection.run(
        "UPDATE account SET management = CASE WHEN account_id = ?1 THEN 1 ELSE 0 END", account));
  TRY_VOID(note_command(connection, account, "CreateAccount", account, now));
  return transaction.commit();
}

Result<std::vector<Account>> list_accounts(sql::Connection& connection) {
  TRY(const auto rows, connection.query("SELECT account_id, name, management, created_at, "
                                        "revoked_at FROM account ORDER BY account_id"));
  std::vector<Account> accounts;
  for (;;) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return accounts;
    accounts.push_back({.id = row->string(0),
                        .name = row->string(1),
                        .management = row->integer(2) != 0,
                        .created_at = row->integer(3),
                        .revoked_at = row->integer(4)});
  }
}

Result<bool> is_live_account(sql::Connection& connection, std::string_view account) {
  TRY(const auto live, connection.one_integer("SELECT COUNT(*) FROM account WHERE account_id = ?1 "
                                              "AND revoked_at = 0",
                                              account));
  return live == 1;
}

Result<> revoke_account(sql::Connection& connection, std::string_view account, Seconds now) {
  TRY_VOID(check_account(account));
  TRY(auto transaction, begin_change(connection));
  TRY(const auto found,
      connection.run("UPDATE account SET revoked_at = ?2 WHERE account_id = ?1 AND revoked_at = 0",
                     account, now));
  if (found == 0) return not_found(fmt::format("no account {} that is not revoked", account));
  TRY_VOID(
      connection.run("UPDATE access_key SET revoked_at = ?2, sealed_secret = '' WHERE "
                     "account_id = ?1 AND revoked_at = 0",
                     account, now));
  TRY_VOID(note_command(connection, account, "RevokeAccount", account, now));
  return transaction.commit();
}

Result<> create_user(sql::Connection& connection, std::string_view account, std::string_view user,
                     Role role, Seconds now) {
  TRY(auto transaction, begin_change(connection));
  TRY_VOID(
      connection.run("UPDATE app_user SET revoked_at = 0, role = ?3 WHERE account_id = ?1 AND "
                     "name = ?2 AND revoked_at > 0",
                     account, user, name(role)));
  TRY_VOID(add_user(connection, account, user, role, now));
  TRY_VOID(note_user(connection, account, "CreateUser", user, role, now));
  return transaction.commit();
}

Result<> set_role(sql::Connection& connection, std::string_view account, std::string_view user,
                  Role role, Seconds now) {
  TRY(auto transaction, begin_change(connection));
  TRY(const auto found, connection.run("UPDATE app_user SET role = ?3 WHERE account_id = ?1 AND "
                                       "name = ?2 AND revoked_at = 0",
                                       account, user, name(role)));
  if (found == 0) return not_found(fmt::format("no user {} in account {}", user, account));
  TRY_VOID(note_user(connection, account, "SetRole", user, role, now));
  return transaction.commit();
}

Result<std::vector<User>> list_users(sql::Connection& connection, std::string_view account) {
  TRY(const auto rows,
      connection.query("SELECT account_id, name, user_id, role, created_at, revoked_at FROM "
                       "app_user WHERE account_id = ?1 ORDER BY name",
                       account));
  std::vector<User> users;
  for (;;) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return users;
    users.push_back({.account = row->string(0),
                     .name = row->string(1),
                     .id = row->string(2),
                     .role = parse_role(row->text(3)).value_or(Role::nobody),
                     .created_at = row->integer(4),
                     .revoked_at = row->integer(5)});
  }
}

Result<> revoke_user(sql::Connection& connection, std::string_view account, std::string_view user,
                     Seconds now) {
  TRY(auto transaction, begin_change(connection));
  TRY(const auto found, connection.run("UPDATE app_user SET revoked_at = ?3 WHERE account_id = ?1 "
                                       "AND name = ?2 AND revoked_at = 0",
                                       account, user, now));
  if (found == 0) return not_found(fmt::format("no user {} in account {}", user, account));
  TRY_VOID(
      connection.run("UPDATE access_key SET revoked_at = ?3, sealed_secret = '' WHERE "
                     "account_id = ?1 AND user_name = ?2 AND revoked_at = 0",
                     account, user, now));
  TRY_VOID(note_command(connection, account, "RevokeUser", user, now));
  return transaction.commit();
}

}  // namespace tenken::access
