// The state of accounts: what an account has enabled scanning for. Enabling and disabling take
// effect at once; what cannot be done for one account is told of that account, with status 200.
#include <array>

#include <fmt/format.h>

#include "api/call.h"
#include "api/organisation.h"
#include "api/page.h"
#include "base/json_writer.h"
#include "store/organisation.h"
#include "store/scanning.h"

namespace tenken::api {
namespace account_ {
namespace {

using store::ScanTypes;

struct TypeName {
  std::string_view type;
  std::string_view member;  // of resourceStatus and resourceState
};
constexpr std::array<TypeName, 5> type_names{{{"EC2", "ec2"},
                                              {"ECR", "ecr"},
                                              {"LAMBDA", "lambda"},
                                              {"LAMBDA_CODE", "lambdaCode"},
                                              {"CODE_REPOSITORY", "codeRepository"}}};

std::string_view status_word(bool enabled) {
  return enabled ? "ENABLED" : "DISABLED";
}

struct Outcome {
  std::vector<std::pair<std::string, ScanTypes>> accounts;  // with what is enabled now
  std::vector<FailedAccount> failed;
};

FailedAccount out_of_reach(const Reach& reach, const std::string& account) {
  const auto code = reach.refusal(account);
  return {account, code,
          code == "ACCESS_DENIED" ? fmt::format("No access to the account {}", account)
                                  : fmt::format("There is no account {}", account)};
}

void write_failures(json::Writer& out, const std::vector<FailedAccount>& failed) {
  out.key("failedAccounts").begin_array();
  for (const auto& one : failed)
    out.begin_object()
        .member("accountId", one.account)
        .member("errorCode", one.code)
        .member("errorMessage", one.message)
        .end_object();
  out.end_array();
}

// The answer of Enable and Disable.
std::string statuses(const Outcome& outcome) {
  json::Writer out;
  out.begin_object().key("accounts").begin_array();
  for (const auto& [account, enabled] : outcome.accounts) {
    out.begin_object().member("accountId", account);
    out.member("status", status_word(!enabled.empty())).key("resourceStatus").begin_object();
    for (const auto& [type, member] : type_names)
      out.member(member, status_word(enabled.contains(type)));
    out.end_object().end_object();
  }
  out.end_array();
  write_failures(out, outcome.failed);
  return out.end_object().take();
}

ScanTypes types_asked_for(const Call& call) {
  ScanTypes out;
  for (const auto type : call.input.strings("resourceTypes")) out.emplace(type);
  return out;
}

Answer enable(const Call& call) {
  const auto wanted = types_asked_for(call);
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto reach, Reach::of(*connection, call));
  Outcome outcome;
  for (const auto& account : accounts_asked_for(call)) {
    if (!reach.covers(account)) {
      outcome.failed.push_back(out_of_reach(reach, account));
      continue;
    }
    TRY_VOID(store::enable_types(*connection, account, wanted, call.services.clock()));
    TRY(auto enabled, store::enabled_types(*connection, account));
    if (enabled.contains("LAMBDA_CODE") && !enabled.contains("LAMBDA"))
      return validation_failed("LAMBDA_CODE can be enabled together with or after LAMBDA only");
    outcome.accounts.emplace_back(account, std::move(enabled));
  }
  TRY_VOID(transaction.commit());
  note_failures(call, outcome.accounts.size(), outcome.failed);
  return statuses(outcome);
}

// The types that stay enabled, or why nothing may be disabled.
std::expected<ScanTypes, FailedAccount> after_disabling(const ScanTypes& enabled,
                                                        const ScanTypes& unwanted,
                                                        const std::string& account,
                                                        bool has_members) {
  ScanTypes left;
  for (const auto& type : enabled)
    if (!unwanted.contains(type)) left.insert(type);
  if (!left.contains("LAMBDA")) left.erase("LAMBDA_CODE");
  if (left.empty() && !enabled.empty() && has_members)
    return std::unexpected(
        FailedAccount{account, "DISASSOCIATE_ALL_MEMBERS",
                      "The delegated administrator still has members: disassociate "
                      "all of them first"});
  return left;
}

Answer disable(const Call& call) {
  auto unwanted = types_asked_for(call);
  if (unwanted.empty()) unwanted.insert(store::scan_types.begin(), store::scan_types.end());
  if (unwanted.contains("LAMBDA")) unwanted.emplace("LAMBDA_CODE");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto reach, Reach::of(*connection, call));
  Outcome outcome;
  for (const auto& account : accounts_asked_for(call)) {
    const bool is_own = account == call.who.account;
    if (!reach.covers(account)) {
      outcome.failed.push_back(out_of_reach(reach, account));
      continue;
    }
    if (is_own && !reach.standing().member_of.empty()) {
      outcome.failed.push_back({account, "ACCESS_DENIED",
                                "Only the delegated administrator can disable scanning of a "
                                "member"});
      continue;
    }
    TRY(const auto members, store::count_members(*connection, account));
    TRY(const auto enabled, store::enabled_types(*connection, account));
    auto left = after_disabling(enabled, unwanted, account, members > 0);
    if (!left) {
      outcome.failed.push_back(std::move(left).error());
      continue;
    }
    TRY_VOID(store::disable_types(*connection, account, unwanted));
    outcome.accounts.emplace_back(account, *std::move(left));
  }
  TRY_VOID(transaction.commit());
  note_failures(call, outcome.accounts.size(), outcome.failed);
  return statuses(outcome);
}

// The model wants a code and a text beside every status, whatever it is.
void write_state(json::Writer& out, std::string_view what, bool enabled) {
  out.begin_object()
      .member("status", status_word(enabled))
      .member("errorCode", enabled ? "ALREADY_ENABLED" : "RESOURCE_NOT_FOUND")
      .member("errorMessage", fmt::format("{} is {}enabled", what, enabled ? "" : "not "))
      .end_object();
}

Answer batch_get_account_status(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto reach, Reach::of(*connection, call));
  json::Writer out;
  std::vector<FailedAccount> failed;
  out.begin_object().key("accounts").begin_array();
  for (const auto& account : accounts_asked_for(call)) {
    if (!reach.covers(account)) {
      failed.push_back(out_of_reach(reach, account));
      continue;
    }
    TRY(const auto enabled, store::enabled_types(*connection, account));
    out.begin_object().member("accountId", account).key("state");
    write_state(out, "Inspector", !enabled.empty());
    out.key("resourceState").begin_object();
    for (const auto& [type, member] : type_names) {
      out.key(member);
      write_state(out, type, enabled.contains(type));
    }
    out.end_object().end_object();
  }
  out.end_array();
  write_failures(out, failed);
  return out.end_object().take();
}

struct AccountPermission {
  std::string_view service;
  std::string_view operation;
  bool enables = false;  // permitted to members too
};
// In the order of service and operation, as pages want it.
constexpr std::array<AccountPermission, 8> account_permissions{{
    {"EC2", "DISABLE_SCANNING"},
    {"EC2", "ENABLE_SCANNING", true},
    {"ECR", "DISABLE_REPOSITORY"},
    {"ECR", "DISABLE_SCANNING"},
    {"ECR", "ENABLE_REPOSITORY", true},
    {"ECR", "ENABLE_SCANNING", true},
    {"LAMBDA", "DISABLE_SCANNING"},
    {"LAMBDA", "ENABLE_SCANNING", true},
}};

Answer list_account_permissions(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto standing, standing_of(*connection, call.who.account));
  const auto service = call.input.string("service");
  std::vector<AccountPermission> permitted;
  std::vector<std::string> keys;
  for (const auto& one : account_permissions) {
    if (!service.empty() && one.service != service) continue;
    if (!standing.member_of.empty() && !one.enables) continue;
    permitted.push_back(one);
    keys.push_back(fmt::format("{}/{}", one.service, one.operation));
  }
  TRY(const auto page, page_of(call, service, keys, keys.size()));
  json::Writer out;
  out.begin_object().key("permissions").begin_array();
  for (std::size_t i = page.begin; i < page.end; ++i)
    out.begin_object()
        .member("service", permitted[i].service)
        .member("operation", permitted[i].operation)
        .end_object();
  return out.end_array().member_if("nextToken", page.next_token).end_object().take();
}

using access::Permission;

constexpr std::array operations{
    HandledOperation{"BatchGetAccountStatus", Permission::read, batch_get_account_status},
    HandledOperation{"Disable", Permission::configure, disable, "accountIds"},
    HandledOperation{"Enable", Permission::configure, enable, "accountIds"},
    HandledOperation{"ListAccountPermissions", Permission::read, list_account_permissions},
};

}  // namespace
}  // namespace account_

extern constinit const Family account{.id = "account", .operations = account_::operations};

}  // namespace tenken::api
