// How operations are written: a family is one file of inspector2/ with the rows of its operations,
// each with its name, the permission it needs and its handler. The front door has checked the
// signature, the permission and the request against the model before a handler is called; what a
// handler answers is the body of a 200.
//
// Every statement of a handler names call.who.account: no handler sees another tenant's rows,
// but those of an organisation's members for its administrator (visible_accounts).
//
// Thread rule: handlers run on many threads at once; Services is shared by all.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/principal.h"
#include "access/role.h"
#include "advisories/database.h"
#include "api/errors.h"
#include "api/exports/policy.h"
#include "api/input.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "pipeline/ingest.h"
#include "sql/sql.h"

namespace tenken::api {

struct Services {
  sql::Pool* pool = nullptr;  // connections that read and write
  pipeline::Ingest* ingest = nullptr;
  // The advisory generation in use; nullptr: none yet.
  std::function<std::shared_ptr<const advisories::Database>()> generation = [] {
    return std::shared_ptr<const advisories::Database>();
  };
  // Why there is none, or why a newer one is not taken in; empty: all is well.
  std::function<std::string()> generation_problem;
  std::function<void()> wake;  // work was left for the background: it begins at once
  std::function<Seconds()> clock;
  std::string region;        // the home region, of every ARN
  crypto::Secret token_key;  // signs page tokens; the same on every node
  exports::Policy exports;   // where accounts may have exports written
};

// What the audit log is to say of a call.
struct AuditNote {
  std::string target;                 // what it was done to
  std::string outcome;                // empty: success, or the code of the error that was answered
  std::vector<std::string> accounts;  // those that it was done to, whose audit logs say so too
};

struct Call {
  const access::Principal& who;
  const Input& input;
  Services& services;
  AuditNote* note = nullptr;  // nullptr: nobody asks

  // It made this: no member of its input names it.
  void done_to(std::string_view arn) const {
    if (note != nullptr) note->target = arn;
  }
  void done_to_account(std::string_view account) const {
    if (note != nullptr) note->accounts.emplace_back(account);
  }
  // The answer is a 200, but not everything was done.
  void ended(std::string outcome) const {
    if (note != nullptr) note->outcome = std::move(outcome);
  }
};

// The answer's JSON document.
using Answer = ApiResult<std::string>;

// The target of an operation that is about the caller's own account and nothing else.
inline constexpr std::string_view callers_account = "(own account)";

struct HandledOperation {
  std::string_view name;  // as the model has it: "ListFindings"
  access::Permission needs = access::Permission::nobody;
  Answer (*handle)(const Call& call) = nullptr;
  // What the audit log says that it is done to: members of its input (Input::texts), separated by a
  // space. A request that has none of them is about the caller's own account. Empty for what only
  // reads, which is not noted.
  std::string_view target = {};
};

struct Family {
  std::string_view id;  // the file's stem
  std::span<const HandledOperation> operations;
};

}  // namespace tenken::api
