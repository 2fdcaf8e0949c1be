#include "store/organisation.h"

#include "store/documents.h"

namespace tenken::store {
namespace {

// One document for the installation names the administrator, so that there are never two.
constexpr DocumentKind organisation{.account = "", .kind = "delegated_administrator"};
constexpr std::string_view the_only_one = "1";

constexpr DocumentKind members_of(std::string_view administrator) {
  return {.account = administrator, .kind = "member"};
}

}  // namespace

Result<std::string> delegated_administrator(sql::Connection& connection) {
  TRY(auto found, find_document(connection, organisation, the_only_one));
  return found ? std::move(found->body) : std::string();
}

Result<bool> designate_administrator(sql::Connection& connection, std::string_view account,
                                     Seconds now) {
  return add_document(connection, organisation, the_only_one, account, now);
}

Result<bool> dismiss_administrator(sql::Connection& connection, std::string_view account) {
  TRY(const auto present, delegated_administrator(connection));
  if (present.empty() || present != account) return false;
  TRY(const auto members, list_members(connection, account));
  for (const auto& member : members) TRY_VOID(remove_member(connection, account, member.account));
  return delete_document(connection, organisation, the_only_one);
}

Result<std::optional<Member>> find_member(sql::Connection& connection,
                                          std::string_view administrator,
                                          std::string_view account) {
  TRY(const auto found, find_document(connection, members_of(administrator), account));
  if (!found) return std::nullopt;
  return Member{.account = found->id, .since = found->updated};
}

Result<std::vector<Member>> list_members(sql::Connection& connection,
                                         std::string_view administrator) {
  TRY(const auto found, list_documents(connection, members_of(administrator), "", most_members));
  std::vector<Member> out;
  for (const auto& one : found) out.push_back({.account = one.id, .since = one.updated});
  return out;
}

Result<std::int64_t> count_members(sql::Connection& connection, std::string_view administrator) {
  return count_documents(connection, members_of(administrator));
}

Result<bool> add_member(sql::Connection& connection, std::string_view administrator,
                        std::string_view account, Seconds now) {
  return add_document(connection, members_of(administrator), account, "{}", now);
}

Result<bool> remove_member(sql::Connection& connection, std::string_view administrator,
                           std::string_view account) {
  TRY_VOID(delete_documents(connection, {.account = account, .kind = given_by_administrator}));
  return delete_document(connection, members_of(administrator), account);
}

Result<std::string> administrator_of(sql::Connection& connection, std::string_view account) {
  TRY(auto administrator, delegated_administrator(connection));
  if (administrator.empty()) return administrator;
  TRY(const auto member, find_member(connection, administrator, account));
  return member ? administrator : std::string();
}

Result<std::vector<std::string>> visible_accounts(sql::Connection& connection,
                                                  std::string_view account) {
  std::vector<std::string> out{std::string(account)};
  TRY(const auto administrator, delegated_administrator(connection));
  if (administrator != account) return out;
  TRY(const auto members, list_members(connection, administrator));
  for (const auto& member : members) out.push_back(member.account);
  return out;
}

}  // namespace tenken::store
