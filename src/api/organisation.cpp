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

ApiResult<> check_may_suppress(sql::Connection& connection, std::string_view account) {
  TRY(const auto administrator, store::administrator_of(connection, account));
  if (!administrator.empty())
    return access_denied("Only the delegated administrator can suppress findings of a member");
  return {};
}

Result<std::vector<std::string>> existing_accounts(sql::Connection& connection) {
  TRY(const auto accounts, access::list_accounts(connection));
  std::vector<std::string> out;
  for (const auto& one : accounts)
    if (one.revoked_at == 0) out.push_back(one.id);
  return out;
}

Result<Reach> Reach::of(sql::Connection& connection, const Call& call) {
  Reach out;
  out.own_ = call.who.account;
  TRY(out.standing_, standing_of(connection, out.own_));
  TRY(out.existing_, existing_accounts(connection));
  if (!out.standing_.administrator) return out;
  TRY(const auto members, store::list_members(connection, out.own_));
  for (const auto& member : members) out.members_.push_back(member.account);
  return out;
}

bool Reach::covers(std::string_view account) const {
  if (account == own_) return true;
  if (!std::ranges::binary_search(existing_, account)) return false;
  return std::ranges::binary_search(members_, account);
}

std::string_view Reach::refusal(std::string_view account) const {
  const bool knows = standing_.management || standing_.administrator;
  return knows && !std::ranges::binary_search(existing_, account) ? "RESOURCE_NOT_FOUND"
                                                                  : "ACCESS_DENIED";
}

void note_failures(const Call& call, std::size_t done, const std::vector<FailedAccount>& failed) {
  if (failed.empty()) return;
  if (done == 0) {
    const auto code = failed.front().code;
    return call.ended(
        std::string(name(code == "ACCESS_DENIED"        ? ErrorCode::access_denied
                         : code == "RESOURCE_NOT_FOUND" ? ErrorCode::resource_not_found
                                                        : ErrorCode::conflict)));
  }
  std::string out = "partial, failed for";
  for (const auto& one : failed) out += " " + one.account;
  call.ended(std::move(out));
}

std::vector<std::string> accounts_asked_for(const Call& call) {
  std::vector<std::string> out;
  for (const auto one : call.input.strings("accountIds"))
    if (std::ranges::find(out, one) == out.end()) out.emplace_back(one);
  if (out.empty()) out.push_back(call.who.account);
  return out;
}

}  // namespace tenken::api
