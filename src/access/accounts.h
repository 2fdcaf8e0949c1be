// Accounts (tenants) and their users. An account or user that was revoked keeps its row, so that
// its name stays taken and the audit log readable; creating it again lets it in again, with keys
// of its own anew.
//
// Only the command line changes these; the audit log says so in the change's own transaction.
//
// Errors: invalid (a name that is none), conflict, not_found, and those of the engine.
// Thread rule: functions over the caller's connection, each its own transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/role.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::access {

bool is_account_id(std::string_view text);  // 12 digits
bool is_user_name(std::string_view text);   // 1 to 64 of letters, digits and + = , . @ _ -

struct Account {
  std::string id;
  std::string name;  // for people; may be empty
  bool management = false;
  Seconds created_at = 0;
  Seconds revoked_at = 0;  // 0: not
};

// The first account is the organisation's management account, until another is created or named
// as such. An account that exists keeps what it is, but for what is said here.
Result<> create_account(sql::Connection& connection, std::string_view account,
                        std::string_view name, bool management, Seconds now);
Result<std::vector<Account>> list_accounts(sql::Connection& connection);
// False for one that is not there.
Result<bool> is_live_account(sql::Connection& connection, std::string_view account);
// Ends every key of the account too, and lets its agents in no longer.
Result<> revoke_account(sql::Connection& connection, std::string_view account, Seconds now);

// What a new user may where nothing is said.
inline constexpr Role role_of_new_users = Role::viewer;

struct User {
  std::string account;
  std::string name;
  std::string id;
  Role role = Role::nobody;
  Seconds created_at = 0;
  Seconds revoked_at = 0;
};

// The account is created when absent. Conflict where the user is there with another role.
Result<> create_user(sql::Connection& connection, std::string_view account, std::string_view user,
                     Role role, Seconds now);
Result<> set_role(sql::Connection& connection, std::string_view account, std::string_view user,
                  Role role, Seconds now);
Result<std::vector<User>> list_users(sql::Connection& connection, std::string_view account);
Result<> revoke_user(sql::Connection& connection, std::string_view account, std::string_view user,
                     Seconds now);

}  // namespace tenken::access
