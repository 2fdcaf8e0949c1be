#include "api/organisation.h"

#include <algorithm>

#include "access/accounts.h"
#include "store/organisation.h"

namespace tenken::api {

Result<std::vector<std::string>> visible_accounts(sql::Connection& connection, const Call& call) {
  return store::visible_accounts(connection, call.who.account);
}

Result<Standing> standing_of(sql::Connection& connection, std::string_view account) {
  TRY(const auto accounts, access::list_accounts(connection));
  TRY(const auto administrator, store::delegated_administrator(connection));
  Standing out;
  out.management = std::ranges::any_of(
      accounts, [&](const auto& one) { return one.management && one.id == account; });
  out.administrator = administrator == account;
  TRY(out.member_of, store::administrator_of(connection, account));
  return out;
}

Result<std::vector<std::string>> existing_accounts(sql::Connection& connection) {
  TRY(const auto accounts, access::list_accounts(connection));
  std::vector<std::string> out;
  for (const auto& one : accounts)
    if (one.revoked_at == 0) out.push_back(one.id);
  return out;
}

}  // namespace tenken::api
