// Where an account stands in the organisation, and so what it may see and do of other accounts.
//
// Thread rule: functions over the caller's connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "sql/sql.h"

namespace tenken::api {

// The accounts whose data the caller sees: its own first, then its members' if it is the delegated
// administrator. For every list of findings, coverage and the like.
Result<std::vector<std::string>> visible_accounts(sql::Connection& connection, const Call& call);

struct Standing {
  bool management = false;     // the organisation's management account
  bool administrator = false;  // its delegated administrator
  std::string member_of;       // the administrator of a member; else empty
};
Result<Standing> standing_of(sql::Connection& connection, std::string_view account);

// Accounts that exist and were not revoked, in order.
Result<std::vector<std::string>> existing_accounts(sql::Connection& connection);

}  // namespace tenken::api
