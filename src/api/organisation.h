// Where an account stands in the organisation, and so what it may see and do of other accounts.
//
// Thread rule: functions over the caller's connection.
#pragma once

#include <cstddef>
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

  bool in_organisation() const { return management || administrator || !member_of.empty(); }
};
Result<Standing> standing_of(sql::Connection& connection, std::string_view account);

// Suppression is for accounts on their own and for the administrator, not for its members.
ApiResult<> check_may_suppress(sql::Connection& connection, std::string_view account);

// Accounts that exist and were not revoked, in order.
Result<std::vector<std::string>> existing_accounts(sql::Connection& connection);

// Which accounts a caller may act for: its own, and the delegated administrator for its members.
// The management account only says who that is.
class Reach {
 public:
  static Result<Reach> of(sql::Connection& connection, const Call& call);
  const Standing& standing() const { return standing_; }
  bool covers(std::string_view account) const;
  // Why not, as failedAccounts say it: "ACCESS_DENIED", or "RESOURCE_NOT_FOUND" to those who may
  // know which accounts there are.
  std::string_view refusal(std::string_view account) const;

 private:
  std::string own_;
  Standing standing_;
  std::vector<std::string> existing_;  // sorted, as the next
  std::vector<std::string> members_;
};

// An account of a request about several for which nothing could be done.
struct FailedAccount {
  std::string account;
  std::string_view code;  // "ACCESS_DENIED"
  std::string message;
};
// The audit log is to say so: a refusal where it was done for none, else which failed.
void note_failures(const Call& call, std::size_t done, const std::vector<FailedAccount>& failed);

// The request's accountIds, each once; the caller's own where it names none.
std::vector<std::string> accounts_asked_for(const Call& call);

}  // namespace tenken::api
