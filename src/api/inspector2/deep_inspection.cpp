// Deep inspection of hosts: whether an account wants it, and where agents look beside the usual
// places: at most five paths of the account's own and five of its organisation's.
#include <array>

#include <fmt/format.h>

#include "api/call.h"
#include "api/organisation.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "store/documents.h"
#include "store/organisation.h"

namespace tenken::api {
namespace deep_inspection_ {
namespace {

using Paths = std::vector<std::string>;

constexpr store::DocumentKind deep_inspection_of(std::string_view account) {
  return {.account = account, .kind = "deep_inspection"};
}
// A document for each, so that one change does not undo another.
constexpr std::string_view activation = "activation";
constexpr std::string_view own_paths = "paths";
constexpr std::string_view organisation_paths = "organisation_paths";

// Activated unless somebody said otherwise.
Result<std::string> status_of(sql::Connection& connection, std::string_view account) {
  TRY(auto found, store::find_document(connection, deep_inspection_of(account), activation));
  return found ? std::move(found->body) : std::string("ACTIVATED");
}

Result<> activate(sql::Connection& connection, std::string_view account, bool wanted, Seconds now) {
  return store::put_document(connection, deep_inspection_of(account), activation,
                             wanted ? "ACTIVATED" : "DEACTIVATED", now);
}

Result<Paths> read_paths(sql::Connection& connection, std::string_view account,
                         std::string_view id) {
  Paths out;
  TRY(const auto found, store::find_document(connection, deep_inspection_of(account), id));
  if (!found) return out;
  json::Parser parser;
  TRY(const auto stored, parser.parse(found->body));
  stored.for_each([&](json::Value path) { out.emplace_back(path.string()); });
  return out;
}

Result<> put_paths(sql::Connection& connection, const Call& call, std::string_view id,
                   const std::vector<std::string_view>& paths) {
  json::Writer out;
  out.begin_array();
  for (const auto path : paths) out.string(path);
  out.end_array();
  return store::put_document(connection, deep_inspection_of(call.who.account), id, out.text(),
                             call.services.clock());
}

Answer configuration(sql::Connection& connection, const Call& call) {
  const auto& account = call.who.account;
  TRY(auto administrator, store::administrator_of(connection, account));
  if (administrator.empty()) administrator = account;
  TRY(const auto status, status_of(connection, account));
  TRY(const auto own, read_paths(connection, account, own_paths));
  TRY(const auto common, read_paths(connection, administrator, organisation_paths));
  json::Writer out;
  out.begin_object().strings("packagePaths", own).strings("orgPackagePaths", common);
  return out.member("status", status).end_object().take();
}

Answer get_configuration(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  return configuration(*connection, call);
}

// A member may turn it on, and only its administrator off, as it is with scanning.
constexpr std::string_view administrators_choice =
    "Only the delegated administrator can deactivate deep inspection of a member";

ApiResult<> check_may_deactivate(sql::Connection& connection, std::string_view account) {
  TRY(const auto administrator, store::administrator_of(connection, account));
  if (administrator.empty()) return {};
  return access_denied(std::string(administrators_choice));
}

// What the request leaves out stays as it is.
Answer update_configuration(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  if (const auto wanted = call.input.boolean("activateDeepInspection")) {
    if (!*wanted) TRY_VOID(check_may_deactivate(*connection, call.who.account));
    TRY_VOID(activate(*connection, call.who.account, *wanted, call.services.clock()));
  }
  if (call.input.has("packagePaths"))
    TRY_VOID(put_paths(*connection, call, own_paths, call.input.strings("packagePaths")));
  TRY(auto answer, configuration(*connection, call));
  TRY_VOID(transaction.commit());
  return answer;
}

Answer update_organisation(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto administrator, store::delegated_administrator(*connection));
  if (administrator != call.who.account)
    return access_denied("Only the delegated administrator can set paths for its organization");
  TRY_VOID(put_paths(*connection, call, organisation_paths, call.input.strings("orgPackagePaths")));
  TRY_VOID(transaction.commit());
  return std::string("{}");
}

// The answer of the operations on members: their states, then those that could not be had.
class MemberStates {
 public:
  MemberStates() { out_.begin_object().key("accountIds").begin_array(); }
  void add(std::string_view account, std::string_view status) {
    out_.begin_object().member("accountId", account).member("status", status).end_object();
    ++done_;
  }
  void out_of_reach(std::string_view account, std::string_view code) {
    fail(account, code,
         code == "ACCESS_DENIED" ? fmt::format("No access to {}", account)
                                 : fmt::format("There is no account {}", account));
  }
  void fail(std::string_view account, std::string_view code, std::string message) {
    failed_.push_back({std::string(account), code, std::move(message)});
  }
  std::string take() {
    out_.end_array().key("failedAccountIds").begin_array();
    for (const auto& one : failed_)
      out_.begin_object()
          .member("accountId", one.account)
          .member("errorMessage", one.message)
          .end_object();
    return out_.end_array().end_object().take();
  }
  void note(const Call& call) const { note_failures(call, done_, failed_); }

 private:
  json::Writer out_;
  std::size_t done_ = 0;
  std::vector<FailedAccount> failed_;
};

// All accounts that the caller sees, where it names none.
Answer batch_get_members(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto reach, Reach::of(*connection, call));
  TRY(auto accounts, visible_accounts(*connection, call));
  if (call.input["accountIds"].size() > 0) accounts = accounts_asked_for(call);
  MemberStates out;
  for (const auto& account : accounts) {
    if (!reach.covers(account)) {
      out.out_of_reach(account, reach.refusal(account));
      continue;
    }
    TRY(const auto status, status_of(*connection, account));
    out.add(account, status);
  }
  return out.take();
}

Answer batch_update_members(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto reach, Reach::of(*connection, call));
  std::vector<std::pair<std::string_view, bool>> wanted;
  call.input["accountIds"].for_each([&](json::Value one) {
    wanted.emplace_back(one["accountId"].string(),
                        one["activateDeepInspection"].boolean().value_or(false));
  });
  MemberStates out;
  for (const auto& [account, active] : wanted) {
    if (!reach.covers(account)) {
      out.out_of_reach(account, reach.refusal(account));
      continue;
    }
    if (!active && account == call.who.account && !reach.standing().member_of.empty()) {
      out.fail(account, "ACCESS_DENIED", std::string(administrators_choice));
      continue;
    }
    TRY_VOID(activate(*connection, account, active, call.services.clock()));
    TRY(const auto status, status_of(*connection, account));
    out.add(account, status);
  }
  TRY_VOID(transaction.commit());
  out.note(call);
  return out.take();
}

using access::Permission;

constexpr std::array operations{
    HandledOperation{"BatchGetMemberEc2DeepInspectionStatus", Permission::read, batch_get_members},
    HandledOperation{"BatchUpdateMemberEc2DeepInspectionStatus", Permission::configure,
                     batch_update_members, "accountIds.accountId"},
    HandledOperation{"GetEc2DeepInspectionConfiguration", Permission::read, get_configuration},
    HandledOperation{"UpdateEc2DeepInspectionConfiguration", Permission::configure,
                     update_configuration, callers_account},
    HandledOperation{"UpdateOrgEc2DeepInspectionConfiguration", Permission::configure,
                     update_organisation, callers_account},
};

}  // namespace
}  // namespace deep_inspection_

extern constinit const Family deep_inspection{.id = "deep_inspection",
                                              .operations = deep_inspection_::operations};

}  // namespace tenken::api
