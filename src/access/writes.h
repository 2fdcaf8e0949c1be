// What accounts.cpp, authority.cpp and keys.cpp share. Of this folder only.
//
// Thread rule: functions over the caller's connection.
#pragma once

#include <optional>
#include <string_view>

#include "access/master_key.h"
#include "access/role.h"
#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::access {

// A transaction that changes who may enter. Its first statement tells every node so, and by that
// row lets one at a time through: what it counts and checks stays true to its end.
Result<sql::Transaction> begin_change(sql::Connection& connection);

// Inside such a transaction: the database's secrets are sealed with this key from here on. Conflict
// where they are with another.
Result<> claim_master_key(sql::Connection& connection, const MasterKey& master);

// Inside such a transaction: creates the account where it is absent. Conflict where it was
// revoked.
Result<> ensure_account(sql::Connection& connection, std::string_view account, Seconds now);

// Creates account and user where they are absent. Conflict where the user was revoked or has
// another role than the one asked for.
Result<> ensure_user(sql::Connection& connection, std::string_view account, std::string_view user,
                     std::optional<Role> role, Seconds now);

Error conflict(std::string what);

}  // namespace tenken::access
