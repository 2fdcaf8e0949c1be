#include "store/suppression.h"

#include <algorithm>
#include <map>
#include <set>

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
  std::string owner;    // account
  Seconds expires = 0;  // 0: never
  std::vector<std::string> accounts;  // whose findings it is about
  Criteria criteria;
  ColumnConditions columns;
  ArnAnswer arns;
  bool matches_nothing = false;
  bool expired = false;
};

constexpr std::string_view job_kind = "suppress";

std::string subject_of(std::string_view account, std::string_view filter_id) {
  return fmt::format("{} {}", account, filter_id);
}

// What all rules of an account have in common.
struct Standing {
  bool is_member = false;  // its rules rest
  std::vector<std::string> visible;
};

Result<Standing> standing_of(sql::Connection& connection, std::string_view account) {
  Standing out;
  TRY(const auto administrator, administrator_of(connection, account));
  out.is_member = !administrator.empty();
  TRY(out.visible, visible_accounts(connection, account));
  return out;
}

Result<Rule> make_rule(sql::Connection& connection, const Filter& filter, Criteria criteria,
                       const Standing& standing) {
  Rule out{.id = filter.id,
           .owner = filter.account,
           .expires = filter.expires,
           .criteria = std::move(criteria)};
  out.columns = column_conditions(out.criteria);
  out.accounts = accounts_meant(standing.visible, out.criteria);
  TRY(out.arns, resolve_arns(connection, out.accounts, out.criteria));
  out.matches_nothing = standing.is_member || out.columns.impossible || out.accounts.empty() ||
                        std::ranges::find(out.columns.statuses, 1) == out.columns.statuses.end();
  return out;
}

Result<Rule> read_rule(sql::Connection& connection, const Filter& filter) {
  auto criteria = findings::read_criteria(filter.criteria);
  if (!criteria) return std::move(criteria).error().within("filter " + filter.id);
  TRY(const auto standing, standing_of(connection, filter.account));
  return make_rule(connection, filter, *std::move(criteria), standing);
}

// Those in force, of all accounts.
Result<std::vector<Rule>> read_rules(sql::Connection& connection, Seconds now) {
  TRY(const auto filters, rules_in_force(connection, "", now));
  std::map<std::string, Standing> standings;
  std::vector<Rule> out;
  for (const auto& filter : filters) {
    // What a rule that cannot be read has suppressed stays so; its own job says what is wrong.
    auto criteria = findings::read_criteria(filter.criteria);
    if (!criteria) continue;
    const auto [standing, is_new] = standings.try_emplace(filter.account);
    if (is_new) {
      TRY(standing->second, standing_of(connection, filter.account));
    }
    TRY(auto rule, make_rule(connection, filter, *std::move(criteria), standing->second));
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

// Where this clock is behind another, the rule may have ended already, and what it holds was let go.
Result<std::int64_t> suppress(sql::Connection& connection, const Rule& rule,
                              const SuppressionTask& task, FindingChanges& changes) {
  if (rule.matches_nothing) return std::int64_t{0};
  const auto evaluation = evaluation_of(rule, task.moment);
  auto sql = update_to({.status = 2, .suppressed_by = rule.id, .evaluation = evaluation});
  add_scope(sql, task.scope, 1);
  sql.add(" AND ");
  add_rule(sql, rule);
  TRY(const auto changed,
      changes.run_switch(connection, sql.text(), sql.values(), evaluation, false));
  if (changed > 0 && rule.expires != 0)
    TRY_VOID(enqueue_at_latest(connection, job_kind, subject_of(rule.owner, rule.id), rule.expires));
  return changed;
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

// What the findings of the scope that have the status have in that column.
Result<std::set<std::string>> texts_in(sql::Connection& connection, std::string_view column,
                                       const SuppressionScope& scope, int status) {
  SqlText sql;
  sql.add(fmt::format("SELECT DISTINCT finding.{} FROM finding", column));
  add_scope(sql, scope, status);
  TRY(auto rows, connection.query(sql.text(), sql.values()));
  std::set<std::string> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.insert(row->string(0));
  }
}

// Whether the rule is about findings of one of the accounts, and of the vulnerability where the
// scope is about one.
bool concerns(const Rule& rule, const SuppressionScope& scope,
              const std::set<std::string>& accounts) {
  const auto* const named = rule.criteria.find(findings::TextField::vulnerability_id);
  if (named != nullptr && !scope.vulnerability.empty() &&
      !findings::passes(named->tests, scope.vulnerability))
    return false;
  return std::ranges::any_of(rule.accounts,
                             [&](const auto& account) { return accounts.contains(account); });
}

// By those of the rules that can: other accounts may have many.
Result<std::int64_t> suppress_active(sql::Connection& connection, std::span<const Rule> rules,
                                     const SuppressionTask& task, FindingChanges& changes) {
  TRY(const auto accounts, texts_in(connection, "account_id", task.scope, 1));
  std::int64_t changed = 0;
  for (const auto& rule : rules) {
    if (!concerns(rule, task.scope, accounts)) continue;
    TRY(const auto suppressed, suppress(connection, rule, task, changes));
    changed += suppressed;
  }
  return changed;
}

// First those that hold something let go what they no longer match, which others may take.
Result<std::int64_t> apply(sql::Connection& connection, std::span<const Rule> rules,
                           const SuppressionTask& task, FindingChanges& changes) {
  TRY(const auto holding, texts_in(connection, "suppressed_by", task.scope, 2));
  std::int64_t changed = 0;
  for (const auto& rule : rules) {
    if (!holding.contains(rule.id)) continue;
    TRY(const auto released, release(connection, rule, task, changes));
    changed += released;
  }
  TRY(const auto suppressed, suppress_active(connection, rules, task, changes));
  return changed + suppressed;
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
  TRY(const auto rules, read_rules(connection, tasks.front().moment.now));
  if (rules.empty()) return changed;
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
  const SuppressionTask task{scope, moment};
  FindingChanges changes;
  TRY(const auto released, release(connection, rule, task, changes));
  TRY(auto changed, suppress(connection, rule, task, changes));
  changed += released;
  if (released > 0) {
    TRY(auto others, read_rules(connection, moment.now));
    std::erase_if(others, [&](const Rule& one) { return one.id == rule.id; });
    TRY(const auto taken, suppress_active(connection, others, task, changes));
    changed += taken;
  }
  TRY_VOID(changes.write(connection));
  return changed;
}

Result<> enqueue_suppression(sql::Connection& connection, std::string_view account,
                             std::string_view filter_id, Seconds run_after) {
  return enqueue(connection, job_kind, subject_of(account, filter_id), "", run_after);
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
