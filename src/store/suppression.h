// Suppression: a finding is SUPPRESSED while a rule matches it, of its account or of the delegated
// administrator that its account is a member of: then the account's own rules rest, since only the
// administrator suppresses (spec: inspector B.2). Rules are applied to what an evaluation looked at
// in the same transaction, and to everything of their accounts by jobs of the kind "suppress": when
// a rule changes or ends, when accounts become or cease to be members, and when another advisory
// generation may have changed what the rule reads of vulnerabilities.
//
// What a rule lets go when it expires has the cause "filter <id> expired"; every other change by a
// rule "filter <id>".
//
// A rule is judged as if the finding were ACTIVE: its condition on findingStatus does not undo what
// the rule does.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection, inside the
// caller's transaction, under lock_slice.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/filters.h"
#include "store/ids.h"

namespace tenken::store {

class FindingChanges;

struct SuppressionScope {
  ResourceRange resources;
  std::string_view vulnerability;  // empty: any
};
struct SuppressionMoment {
  Seconds now = 0;
  std::int64_t transition = 0;  // names the changes
};

// Brings the findings of each scope in line with all rules, and notes what that changes. Returns
// how many changed.
struct SuppressionTask {
  SuppressionScope scope;
  SuppressionMoment moment;
};
Result<std::int64_t> apply_rules(sql::Connection& connection,
                                 std::span<const SuppressionTask> tasks, FindingChanges& changes);

// One filter of the account changed, ended or is gone: the same for what it suppressed or will.
Result<std::int64_t> apply_changed_filter(sql::Connection& connection, std::string_view account,
                                          std::string_view filter_id, const SuppressionScope& scope,
                                          const SuppressionMoment& moment);

// Leaves the job that brings findings in line with the filter, at once or when it ends.
Result<> enqueue_suppression(sql::Connection& connection, std::string_view account,
                             std::string_view filter_id, Seconds run_after);
// The same for all rules of an account: it has other members now.
Result<> enqueue_rules_of(sql::Connection& connection, std::string_view account, Seconds now);
// The same for all rules, of whichever account, that read what a generation says of a vulnerability
// beside its matches: EPSS, exploits, source, aliases.
Result<> enqueue_rules_on_facts(sql::Connection& connection, Seconds now);

}  // namespace tenken::store
