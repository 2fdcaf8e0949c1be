// The organisation: its management account designates one delegated administrator, who takes
// accounts as members and sees what they have. Changes are visible at once.
// Texts that Terraform's AWS provider looks for: "already enabled", "is not yet associated to it",
// "Invoking account does not have access to …".
#include "store/organisation.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "access/accounts.h"
#include "api/call.h"
#include "api/organisation.h"
#include "api/page.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "store/documents.h"
#include "store/scanning.h"
#include "store/suppression.h"

namespace tenken::api {
namespace organisation_ {
namespace {

constexpr std::size_t most_administrators_in_page = 5;
constexpr std::size_t most_members_in_page = 50;

constexpr store::DocumentKind auto_enable_of(std::string_view account) {
  return {.account = account, .kind = "auto_enable"};
}
constexpr std::string_view the_only_one = "1";

struct AutoEnabled {
  std::string_view member;
  std::string_view type;
};
constexpr std::string_view machine_images = "AMI";  // no account has this type of scanning
constexpr std::array<AutoEnabled, 6> auto_enabled{{{"ec2", "EC2"},
                                                   {"ecr", "ECR"},
                                                   {"lambda", "LAMBDA"},
                                                   {"lambdaCode", "LAMBDA_CODE"},
                                                   {"codeRepository", "CODE_REPOSITORY"},
                                                   {"ami", machine_images}}};

std::string one_account(std::string_view member, std::string_view account) {
  return json::Writer().begin_object().member(member, account).end_object().take();
}

ApiResult<> check_management(sql::Connection& connection, const Call& call) {
  TRY(const auto standing, standing_of(connection, call.who.account));
  if (standing.management) return {};
  return access_denied(
      "Only the organisation's management account can designate a delegated administrator");
}

ApiResult<> check_administrator(sql::Connection& connection, const Call& call,
                                std::string_view action) {
  TRY(const auto administrator, store::delegated_administrator(connection));
  if (administrator == call.who.account) return {};
  return access_denied(
      fmt::format("Invoking account does not have access to {}: it is not the organisation's "
                  "delegated administrator",
                  action));
}

Answer enable_delegated_admin_account(const Call& call) {
  const auto account = call.input.string("delegatedAdminAccountId");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY_VOID(check_management(*connection, call));
  TRY(const auto existing, existing_accounts(*connection));
  if (!std::ranges::binary_search(existing, account))
    return resource_not_found(fmt::format("There is no account {}", account));
  TRY(const auto designated,
      store::designate_administrator(*connection, account, call.services.clock()));
  if (!designated) {
    TRY(auto present, store::delegated_administrator(*connection));
    auto message =
        present == account
            ? fmt::format("Delegated administrator {} is already enabled for the organization",
                          account)
            : fmt::format("The organization has the delegated administrator {}: disable it first",
                          present);
    return conflicting(std::move(message), std::move(present), "DELEGATED_ADMIN_ACCOUNT");
  }
  TRY_VOID(transaction.commit());
  call.done_to_account(account);
  return one_account("delegatedAdminAccountId", account);
}

Answer disable_delegated_admin_account(const Call& call) {
  const auto account = call.input.string("delegatedAdminAccountId");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY_VOID(check_management(*connection, call));
  TRY(const auto concerned, store::visible_accounts(*connection, account));
  TRY(const auto dismissed, store::dismiss_administrator(*connection, account));
  if (!dismissed)
    return resource_not_found(
        fmt::format("The account {} is not the delegated administrator", account));
  for (const auto& one : concerned)
    TRY_VOID(store::enqueue_rules_of(*connection, one, call.services.clock()));
  TRY_VOID(transaction.commit());
  for (const auto& one : concerned) call.done_to_account(one);
  return one_account("delegatedAdminAccountId", account);
}

// Empty: there is none, or it is none of the caller's business.
Result<std::string> known_administrator(sql::Connection& connection, const Call& call) {
  TRY(const auto standing, standing_of(connection, call.who.account));
  if (!standing.in_organisation()) return std::string();
  return store::delegated_administrator(connection);
}

Answer get_delegated_admin_account(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto administrator, known_administrator(*connection, call));
  if (administrator.empty())
    return resource_not_found("The account has no delegated administrator");
  json::Writer out;
  out.begin_object().key("delegatedAdmin").begin_object();
  out.member("accountId", administrator).member("relationshipStatus", "ENABLED");
  return out.end_object().end_object().take();
}

Answer list_delegated_admin_accounts(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto administrator, known_administrator(*connection, call));
  std::vector<std::string> all;
  if (!administrator.empty()) all.push_back(administrator);
  TRY(const auto page, page_of(call, "", all, most_administrators_in_page));
  json::Writer out;
  out.begin_object().key("delegatedAdminAccounts").begin_array();
  for (std::size_t i = page.begin; i < page.end; ++i)
    out.begin_object().member("accountId", all[i]).member("status", "ENABLED").end_object();
  return out.end_array().member_if("nextToken", page.next_token).end_object().take();
}

// The types that the administrator wants enabled for new members.
Result<store::ScanTypes> auto_enabled_types(sql::Connection& connection,
                                            std::string_view administrator) {
  store::ScanTypes out;
  TRY(const auto found,
      store::find_document(connection, auto_enable_of(administrator), the_only_one));
  if (!found) return out;
  json::Parser parser;
  TRY(const auto stored, parser.parse(found->body));
  for (const auto& [member, type] : auto_enabled)
    if (stored[member].boolean().value_or(false)) out.emplace(type);
  return out;
}

Answer associate_member(const Call& call) {
  const auto account = call.input.string("accountId");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY_VOID(check_administrator(*connection, call, "associate a member account"));
  if (account == call.who.account)
    return validation_failed("The delegated administrator cannot be its own member");
  TRY(const auto existing, existing_accounts(*connection));
  if (!std::ranges::binary_search(existing, account))
    return validation_failed(fmt::format("There is no account {} in the organization", account));
  TRY(const auto members, store::count_members(*connection, call.who.account));
  const auto now = call.services.clock();
  TRY(const auto added, store::add_member(*connection, call.who.account, account, now));
  if (added && members >= store::most_members)
    return quota_exceeded(
        fmt::format("The organization can have at most {} members", store::most_members),
        std::string(account));
  if (added) {
    for (const auto concerned : {std::string_view(call.who.account), account})
      TRY_VOID(store::enqueue_rules_of(*connection, concerned, now));
    TRY(auto types, auto_enabled_types(*connection, call.who.account));
    types.erase(std::string(machine_images));
    TRY_VOID(store::enable_types(*connection, account, types, now));
  }
  TRY_VOID(transaction.commit());
  if (added) call.done_to_account(account);
  return one_account("accountId", account);
}

Answer disassociate_member(const Call& call) {
  const auto account = call.input.string("accountId");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY_VOID(check_administrator(*connection, call, "disassociate a member account"));
  TRY(const auto removed, store::remove_member(*connection, call.who.account, account));
  if (!removed)
    return validation_failed(
        fmt::format("The current account cannot disassociate the account {} since the latter is "
                    "not yet associated to it",
                    account));
  for (const auto concerned : {std::string_view(call.who.account), account})
    TRY_VOID(store::enqueue_rules_of(*connection, concerned, call.services.clock()));
  TRY_VOID(transaction.commit());
  call.done_to_account(account);
  return one_account("accountId", account);
}

// since 0: it is not associated.
void write_member(json::Writer& out, std::string_view administrator, const store::Member& member,
                  bool revoked) {
  out.begin_object().member("accountId", member.account);
  if (member.since != 0) out.member("delegatedAdminAccountId", administrator);
  out.member("relationshipStatus", revoked             ? "ACCOUNT_SUSPENDED"
                                   : member.since == 0 ? "CREATED"
                                                       : "ENABLED");
  if (member.since != 0) out.key("updatedAt").integer(member.since);
  out.end_object();
}

Answer get_member(const Call& call) {
  const auto account = call.input.string("accountId");
  TRY(auto connection, call.services.pool->lease());
  TRY_VOID(check_administrator(*connection, call, "get member account"));
  TRY(const auto found, store::find_member(*connection, call.who.account, account));
  if (!found) return resource_not_found(fmt::format("The account {} is not a member", account));
  TRY(const auto existing, existing_accounts(*connection));
  json::Writer out;
  out.begin_object().key("member");
  write_member(out, call.who.account, *found, !std::ranges::binary_search(existing, account));
  return out.end_object().take();
}

// The members, or with them every other account of the organisation.
Result<std::vector<store::Member>> members_or_accounts(sql::Connection& connection,
                                                       const Call& call, bool only_members) {
  TRY(const auto members, store::list_members(connection, call.who.account));
  if (only_members) return members;
  auto out = members;
  TRY(const auto existing, existing_accounts(connection));
  for (const auto& account : existing) {
    const bool is_member =
        std::ranges::binary_search(members, account, {}, &store::Member::account);
    if (!is_member && account != call.who.account) out.push_back({.account = account});
  }
  std::ranges::sort(out, {}, &store::Member::account);
  return out;
}

Answer list_members(const Call& call) {
  const bool only_members = call.input.boolean("onlyAssociated").value_or(true);
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto administrator, store::delegated_administrator(*connection));
  std::vector<store::Member> all;
  if (administrator == call.who.account) {
    TRY(all, members_or_accounts(*connection, call, only_members));
  }
  TRY(const auto existing, existing_accounts(*connection));
  std::vector<std::string> keys;
  for (const auto& member : all) keys.push_back(member.account);
  TRY(const auto page, page_of(call, only_members ? "members" : "all", keys, most_members_in_page));
  json::Writer out;
  out.begin_object().key("members").begin_array();
  for (std::size_t i = page.begin; i < page.end; ++i)
    write_member(out, administrator, all[i], !std::ranges::binary_search(existing, all[i].account));
  return out.end_array().member_if("nextToken", page.next_token).end_object().take();
}

void write_auto_enable(json::Writer& out, const store::ScanTypes& types) {
  out.begin_object();
  for (const auto& [member, type] : auto_enabled) out.key(member).boolean(types.contains(type));
  out.end_object();
}

Answer describe_organization_configuration(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY_VOID(check_administrator(*connection, call, "describe the organization configuration"));
  TRY(const auto types, auto_enabled_types(*connection, call.who.account));
  TRY(const auto members, store::count_members(*connection, call.who.account));
  json::Writer out;
  out.begin_object().key("autoEnable");
  write_auto_enable(out, types);
  out.key("maxAccountLimitReached").boolean(members >= store::most_members);
  return out.end_object().take();
}

Answer update_organization_configuration(const Call& call) {
  store::ScanTypes types;
  for (const auto& [member, type] : auto_enabled)
    if (call.input["autoEnable"][member].boolean().value_or(false)) types.emplace(type);
  if (types.contains("LAMBDA_CODE") && !types.contains("LAMBDA"))
    return validation_failed("lambdaCode can be enabled together with lambda only");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY_VOID(check_administrator(*connection, call, "update the organization configuration"));
  json::Writer stored;
  write_auto_enable(stored, types);
  TRY_VOID(store::put_document(*connection, auto_enable_of(call.who.account), the_only_one,
                               stored.text(), call.services.clock()));
  TRY_VOID(transaction.commit());
  json::Writer out;
  out.begin_object().key("autoEnable");
  write_auto_enable(out, types);
  return out.end_object().take();
}

using access::Permission;

constexpr std::array operations{
    HandledOperation{"AssociateMember", Permission::manage, associate_member, "accountId"},
    HandledOperation{"DescribeOrganizationConfiguration", Permission::read,
                     describe_organization_configuration},
    HandledOperation{"DisableDelegatedAdminAccount", Permission::manage,
                     disable_delegated_admin_account, "delegatedAdminAccountId"},
    HandledOperation{"DisassociateMember", Permission::manage, disassociate_member, "accountId"},
    HandledOperation{"EnableDelegatedAdminAccount", Permission::manage,
                     enable_delegated_admin_account, "delegatedAdminAccountId"},
    HandledOperation{"GetDelegatedAdminAccount", Permission::read, get_delegated_admin_account},
    HandledOperation{"GetMember", Permission::read, get_member},
    HandledOperation{"ListDelegatedAdminAccounts", Permission::read, list_delegated_admin_accounts},
    HandledOperation{"ListMembers", Permission::read, list_members},
    HandledOperation{"UpdateOrganizationConfiguration", Permission::manage,
                     update_organization_configuration, callers_account},
};

}  // namespace
}  // namespace organisation_

extern constinit const Family organisation{.id = "organisation",
                                           .operations = organisation_::operations};

}  // namespace tenken::api
