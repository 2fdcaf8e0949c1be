// Whose a resource is: whose word about it counts. An agent, a target of collection, or whoever has
// put its inventory with a key. There is this one rule; who asks decides whether that is in its
// way.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; a decision is
// taken in the transaction that asks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/sql.h"
#include "store/agents.h"

namespace tenken::store {

struct ResourceOwner {
  // It is let in; or it was revoked, and its host is not collected since. One that was retired owns
  // nothing.
  std::optional<Agent> agent;
  std::string target;            // the host of a target of collection
  bool other_inventory = false;  // none of them, and yet something is known of it

  bool nobody() const { return !agent && target.empty() && !other_inventory; }
};

// One of these at most. A resource that is gone or was only expected is nobody's.
Result<ResourceOwner> owner_of(sql::Connection& connection, std::string_view account,
                               std::string_view resource);

// In the transaction that decides: of two that ask for one resource at once, the second looks when
// the first has written.
Result<> lock_owners(sql::Connection& connection);

// Who that is, for people: "agent 01… (db-1)".
std::string shown(const ResourceOwner& owner);

}  // namespace tenken::store
