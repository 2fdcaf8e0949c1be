#include "store/suppression.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "findings/criteria.h"
#include "sql/dialect.h"
#include "store/finding_changes.h"
#include "store/finding_conditions.h"
#include "store/jobs.h"
#include "store/organisation.h"
#include "store/sql_text.h"

namespace tenken::store {
namespace {

using findings::Criteria;

// A rule as SQL is made from it.
struct Rule {
  std::string id;
  std::vector<std::string> accounts;  // whose findings it is about
  Criteria criteria;
  ColumnConditions columns;
  ArnAnswer arns;
  bool matches_nothing = false;
  bool expired = false;
};

Result<Rule> read_rule(sql::Connection& connection, const Filter& filter) {
  Rule out{.id = filter.id};
  auto criteria = findings::read_criteria(filter.criteria);
  if (!criteria) return std::move(criteria).error().within("filter " + filter.id);
  out.criteria = *std::move(criteria);
  out.columns = column_conditions(out.criteria);
  TRY(const auto administrator, administrator_of(connection, filter.account));
  TRY(const auto visible, visible_accounts(connection, filter.account));
  out.accounts = accounts_meant(visible, out.criteria);
  TRY(out.arns, resolve_arns(connection, out.accounts, out.criteria));
  out.matches_nothing = !administrator.empty() || out.columns.impossible || out.accounts.empty() ||
                        std::ranges::find(out.columns.statuses, 1) == out.columns.statuses.end();
  return out;
}

Result<std::vector<Rule>> read_rules(sql::Connection& connection, std::string_view account,
                                     Seconds now) {
  TRY(const auto filters, rules_in_force(connection, account, now));
  std::vector<Rule> out;
  for (const auto& filter : filters) {
    // What a rule that cannot be read has suppressed stays so; its own job says what is wrong.
    if (!findings::read_criteria(filter.criteria)) continue;
    TRY(auto rule, read_rule(connection, filter));
    out.push_back(std::move(rule));
  }
  return out;
}

void add_rule(SqlText& sql, const Rule& rule) {
  if (rule.matches_nothing) {
    sql.add("1 = 0");
    return;
  }
  std::vector<std::string> accounts;
  for (const auto& account : rule.accounts) accounts.push_back(sql.bind(account));
  sql.add(fmt::format("finding.account_id || '' IN ({}) AND finding.score BETWEEN {} AND {}",
                      fmt::join(accounts, ", "), sql.bind(rule.columns.scores.front().first),
                      sql.bind(rule.columns.scores.back().last)));
  add_conditions(sql, "finding", rule.criteria, rule.columns, rule.arns);
}

// The arithmetic keeps SQLite to the key of the table, which the scope limits: an index by account
// and status would be walked whole for every slice. So does the concatenation in add_rule.
void add_scope(SqlText& sql, const SuppressionScope& scope, int status) {
  sql.add(fmt::format(" WHERE finding.resource_id BETWEEN {} AND {}",
                      sql.bind(scope.resources.first.value), sql.bind(scope.resources.last.value)));
  if (!scope.vulnerability.empty())
    sql.add(fmt::format(" AND finding.vulnerability_id = {}",
                        sql.bind(std::string(scope.vulnerability))));
  sql.add(fmt::format(" AND finding.status + 0 = {}", status));
}

struct Change {
  int status = 0;
  std::string suppressed_by;
  Evaluation evaluation;
};

SqlText update_to(const Change& change) {
  SqlText sql;
  sql.add(fmt::format(
      "UPDATE finding SET status = {}, suppressed_by = {}, cause = {}, "
      "transition = {}, updated_at = {}, opened_by = {}",
      change.status, sql.bind(change.suppressed_by), sql.bind(change.evaluation.cause),
      sql.bind(change.evaluation.transition), sql.bind(change.evaluation.now), opening_cause));
  return sql;
}

Evaluation evaluation_of(const Rule& rule, const SuppressionMoment& moment) {
  return {.now = moment.now,
          .transition = moment.transition,
          .cause = fmt::format("filter {}{}", rule.id, rule.expired ? " expired" : "")};
}

Result<std::int64_t> suppress(sql::Connection& connection, const Rule& rule,
                              const SuppressionTask& task, FindingChanges& changes) {
  if (rule.matches_nothing) return std::int64_t{0};
  const auto evaluation = evaluation_of(rule, task.moment);
  auto sql = update_to({.status = 2, .suppressed_by = rule.id, .evaluation = evaluation});
  add_scope(sql, task.scope, 1);
  sql.add(" AND ");
  add_rule(sql, rule);
  return changes.run_switch(connection, sql.text(), sql.values(), evaluation, false);
}

// What the rule suppressed and no longer matches.
Result<std::int64_t> release(sql::Connection& connection, const Rule& rule,
                             const SuppressionTask& task, FindingChanges& changes) {
  const auto evaluation = evaluation_of(rule, task.moment);
  auto sql = update_to({.status = 1, .suppressed_by = "", .evaluation = evaluation});
  add_scope(sql, task.scope, 2);
  sql.add(fmt::format(" AND finding.suppressed_by = {} AND NOT (", sql.bind(rule.id)));
  // That the change itself moves updatedAt shall not undo it.
  auto criteria = rule;
  std::erase_if(criteria.criteria.numbers, [](const findings::NumberCondition& one) {
    return one.field == findings::NumberField::updated;
  });
  add_rule(sql, criteria);
  sql.add(")");
  return changes.run_switch(connection, sql.text(), sql.values(), evaluation, true);
}

struct RulesToApply {
  std::vector<Rule> released;  // first these let go what they no longer match
  std::vector<Rule> others;    // that may hold what was let go
  std::vector<Rule> applied;
};

Result<std::int64_t> apply(sql::Connection& connection, const RulesToApply& rules,
                           const SuppressionTask& task, FindingChanges& changes) {
  std::int64_t changed = 0;
  for (const auto& rule : rules.released) {
    TRY(const auto released, release(connection, rule, task, changes));
    changed += released;
  }
  auto holding = rules.applied;
  if (changed > 0) holding.insert(holding.end(), rules.others.begin(), rules.others.end());
  for (const auto& rule : holding) {
    TRY(const auto suppressed, suppress(connection, rule, task, changes));
    changed += suppressed;
  }
  return changed;
}

bool reads_facts(const Criteria& criteria) {
  using findings::NumberField;
  using findings::TextField;
  return std::ranges::any_of(criteria.numbers,
                             [](const auto& one) { return one.field == NumberField::epss; }) ||
         std::ranges::any_of(criteria.texts, [](const auto& one) {
           return one.field == TextField::exploit_available ||
                  one.field == TextField::vulnerability_source ||
                  one.field == TextField::related_vulnerability;
         });
}

}  // namespace

Result<std::int64_t> apply_rules(sql::Connection& connection,
                                 std::span<const SuppressionTask> tasks, FindingChanges& changes) {
  std::int64_t changed = 0;
  if (tasks.empty()) return changed;
  TRY(const auto in_force, read_rules(connection, "", tasks.front().moment.now));
  const RulesToApply rules{.released = in_force, .applied = in_force};
  for (const auto& task : tasks) {
    TRY(const auto count, apply(connection, rules, task, changes));
    changed += count;
  }
  return changed;
}

Result<std::int64_t> apply_changed_filter(sql::Connection& connection, std::string_view account,
                                          std::string_view filter_id, const SuppressionScope& scope,
                                          const SuppressionMoment& moment) {
  TRY(const auto filter, find_filter(connection, account, filter_id));
  Rule rule{.id = std::string(filter_id),
            .matches_nothing = true,
            .expired = filter && filter->has_expired(moment.now)};
  if (filter && filter->in_force(moment.now)) {
    TRY(rule, read_rule(connection, *filter));
  }
  TRY(auto others, read_rules(connection, "", moment.now));
  std::erase_if(others, [&](const Rule& one) { return one.id == rule.id; });
  FindingChanges changes;
  TRY(const auto changed,
      apply(connection, {.released = {rule}, .others = std::move(others), .applied = {rule}},
            {scope, moment}, changes));
  TRY_VOID(changes.write(connection));
  return changed;
}

Result<> enqueue_suppression(sql::Connection& connection, std::string_view account,
                             std::string_view filter_id, Seconds run_after) {
  return enqueue(connection, "suppress", fmt::format("{} {}", account, filter_id), "", run_after);
}

Result<> enqueue_rules_of(sql::Connection& connection, std::string_view account, Seconds now) {
  TRY(const auto rules, rules_in_force(connection, account, now));
  for (const auto& rule : rules)
    TRY_VOID(enqueue_suppression(connection, rule.account, rule.id, now));
  return {};
}

Result<> enqueue_rules_on_facts(sql::Connection& connection, Seconds now) {
  TRY(const auto rules, rules_in_force(connection, "", now));
  for (const auto& rule : rules) {
    const auto criteria = findings::read_criteria(rule.criteria);
    if (!criteria || reads_facts(*criteria))  // the job of one that cannot be read says so
      TRY_VOID(enqueue_suppression(connection, rule.account, rule.id, now));
  }
  return {};
}

}  // namespace tenken::store
