// Hosts whose inventory the server fetches over SSH: the table collect_target. A target is leased
// by the node that asks it, tried again after a failure with growing pauses, and waits its interval
// after a success; one that fails keeps no other from its turn.
//
// Errors: conflict (there is one of this host, or another has its resource), and those of the
// engine. Thread rule: functions over the caller's connection; those that write run inside the
// caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

struct CollectTarget {
  std::string account;
  std::string host;  // "user@host"
  std::int64_t port = 22;
  Seconds interval = 0;
  std::string tags = "{}";  // JSON: those of its resource
  std::string resource;     // its external id; empty: not known yet
  Seconds created = 0;
  Seconds next = 0;
  Seconds attempted = 0;      // 0: never
  Seconds succeeded = 0;      // 0: never
  std::int64_t failures = 0;  // since the last success
  std::string last_error;     // of the last try; empty: none
};

Result<> add_collect_target(sql::Connection& connection, const CollectTarget& target);
// False: there is none.
Result<bool> remove_collect_target(sql::Connection& connection, std::string_view account,
                                   std::string_view host);
// By account and host; account empty: of all.
Result<std::vector<CollectTarget>> collect_targets(sql::Connection& connection,
                                                   std::string_view account);

// The one that is due for longest and nobody has, for this node until then. In a transaction of its
// own, which begins only where one is due.
Result<std::optional<CollectTarget>> lease_collect_target(sql::Connection& connection,
                                                          std::string_view node, Seconds now,
                                                          Seconds lease);
// Whether any is due and nobody has it.
Result<bool> is_collection_due(sql::Connection& connection, Seconds now);

// What the host calls itself, which anybody can send, becomes the target's resource: only where it
// is the one that it had, a revoked agent's, or nobody's (store/owners.h) but for what was fetched
// over SSH before. In a transaction of its own. Errors: conflict, which says how to mend it; also
// where the node's lease has ended.
Result<> claim_resource(sql::Connection& connection, CollectTarget& target, std::string_view node,
                        std::string_view resource);

// What came of it: the columns resource, attempted, succeeded, failures and last_error, and its
// next turn. One that was removed meanwhile stays removed, one that another node has stays as it
// is.
Result<> finish_collect_target(sql::Connection& connection, const CollectTarget& target,
                               std::string_view node);

// When a target that has failed so often in a row is asked again: after a minute, two, four, …, and
// after its interval at most.
Seconds retry_after(Seconds interval, std::int64_t failures);

}  // namespace tenken::store
