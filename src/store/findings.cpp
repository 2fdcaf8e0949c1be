#include "store/findings.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "sql/dialect.h"
#include "store/finding_changes.h"
#include "store/holders.h"
#include "store/settings.h"
#include "store/suppression.h"

namespace tenken::store {
namespace {

// Parameters of every statement here: ?1 now, ?2 transition, ?3 cause, ?4 and ?5 what it is about:
// a resource and the same again, or the first and the last resource of a slice; then ?6 the
// vulnerability where it is about one.
struct Scope {
  std::string_view packages;  // condition on resource_package rp and match m
  std::string_view findings;  // condition on finding
};
constexpr Scope one_resource{
    .packages = "rp.resource_id BETWEEN ?4 AND ?5",
    .findings = "finding.resource_id BETWEEN ?4 AND ?5",
};
constexpr Scope one_vulnerability{
    .packages =
        "m.vulnerability_id = ?6 AND rp.package_version_id = m.package_version_id "
        "AND rp.resource_id BETWEEN ?4 AND ?5",
    .findings = "finding.vulnerability_id = ?6 AND finding.resource_id BETWEEN ?4 AND ?5",
};

// Every (resource, vulnerability) that holds now, its packages brought together.
constexpr std::string_view holding = R"sql(
SELECT resource_id, vulnerability_id, MAX(score) AS score, MIN(stale) AS stale,
       substr(MAX(CAST(2000 + score AS TEXT) || vendor_severity), 5) AS vendor_severity,
       CASE WHEN MIN(CASE WHEN fixed_version <> '' THEN 1 ELSE 0 END) = 1 THEN 2
            WHEN MAX(CASE WHEN fixed_version <> '' THEN 1 ELSE 0 END) = 1 THEN 1
            ELSE 0 END AS fix,
       {joined} AS packages
FROM (SELECT rp.resource_id, rp.package_version_id, m.vulnerability_id, m.score, m.stale,
             m.fixed_version, m.vendor_severity
      FROM {from}
      WHERE m.live = 1 AND {packages}
      ORDER BY rp.resource_id, m.vulnerability_id, rp.package_version_id) one
GROUP BY resource_id, vulnerability_id
)sql";

// An episode that is open, or was closed so recently that it opens again, is written on, of several
// (by a clock that is behind) the newest; else a new one begins. What did not change is not written, but a sign of life now and then. Whether its
// data is stale says nothing new of the finding: updated_at stays. What an earlier generation said
// keeps a finding open, as stale, and opens none; nor is it observed. But what was closed for
// another reason than its packages (a tag, a host that was retired) opens again when that ends.
constexpr std::string_view open_statement = R"sql(
INSERT INTO finding (resource_id, vulnerability_id, episode, account_id, status, score, fix, stale,
                     packages, last_observed_at, updated_at, closed_at, cause, transition,
                     vendor_severity)
SELECT n.resource_id, n.vulnerability_id, COALESCE(f.episode, ?1), r.account_id, 1, n.score,
       n.fix, n.stale, n.packages,
       CASE WHEN r.seen_at > COALESCE(f.episode, ?1) THEN r.seen_at ELSE COALESCE(f.episode, ?1) END,
       ?1, 0, ?3, ?2, n.vendor_severity
FROM ({holding}) n
JOIN resource r ON r.resource_id = n.resource_id
LEFT JOIN finding f ON f.resource_id = n.resource_id AND f.vulnerability_id = n.vulnerability_id
     AND (f.status <> 3 OR f.closed_at >= ?1 - {reopen})
WHERE r.coverage_reason NOT IN ('RESOURCE_TERMINATED', 'EXCLUDED_BY_TAG')
  AND (n.stale = 0 OR f.status <> 3
       OR NOT (f.cause LIKE 'inventory %' OR f.cause LIKE 'advisories %'))
  AND (f.status <> 3
       OR NOT EXISTS (SELECT 1 FROM finding g
                      WHERE g.resource_id = f.resource_id
                        AND g.vulnerability_id = f.vulnerability_id AND g.episode > f.episode
                        AND (g.status <> 3 OR g.closed_at >= ?1 - {reopen})))
ON CONFLICT (resource_id, vulnerability_id, episode) DO UPDATE SET
  status = CASE WHEN finding.status = 3 THEN 1 ELSE finding.status END,
  transition = CASE WHEN finding.status = 3 THEN excluded.transition ELSE finding.transition END,
  cause = CASE WHEN finding.status = 3 THEN excluded.cause ELSE finding.cause END,
  updated_at = CASE WHEN finding.status = 3 OR finding.score <> excluded.score
                      OR finding.fix <> excluded.fix OR finding.packages <> excluded.packages
                    THEN excluded.updated_at ELSE finding.updated_at END,
  score = excluded.score, fix = excluded.fix, stale = excluded.stale, packages = excluded.packages,
  last_observed_at = CASE WHEN excluded.stale = 0
                            AND finding.last_observed_at < excluded.last_observed_at
                     THEN excluded.last_observed_at ELSE finding.last_observed_at END,
  closed_at = 0, vendor_severity = excluded.vendor_severity
WHERE finding.status = 3 OR finding.score <> excluded.score OR finding.fix <> excluded.fix
   OR finding.packages <> excluded.packages OR finding.stale <> excluded.stale
   OR finding.vendor_severity <> excluded.vendor_severity
   OR (excluded.stale = 0
       AND finding.last_observed_at < excluded.last_observed_at - {sign_of_life})
)sql";

constexpr std::string_view no_match = R"sql(
NOT EXISTS (SELECT 1 FROM resource_package rp JOIN match m
            ON m.package_version_id = rp.package_version_id AND m.live = 1
            WHERE rp.resource_id = finding.resource_id
              AND m.vulnerability_id = finding.vulnerability_id))sql";

// What no package matches is marked (Staleness::undecided), and so is what stays open of it. Only
// what is marked is looked at to be closed; what opens it again takes the mark away.
constexpr std::string_view mark_statement = R"sql(
UPDATE finding SET stale = 2
WHERE {findings} AND status <> 3 AND stale <> 2 AND {no_match}
)sql";

// Closed only where it is known that no package matches: the inventory was complete, and no
// package of a name that the vulnerability concerns is undecided, not looked at yet, of a
// distribution that cannot be told, or there by its name alone: of one without a version the name
// of its source, by which advisories speak of it, is not known either.
constexpr std::string_view close_statement = R"sql(
UPDATE finding SET status = 3, stale = 0, closed_at = ?1, updated_at = ?1, transition = ?2,
                   cause = ?3, suppressed_by = '', opened_by = {opening_cause}
WHERE {findings} AND status <> 3 AND stale = 2 AND {no_match}
  AND NOT EXISTS (SELECT 1 FROM resource_package rp
                  JOIN package_version u ON u.package_version_id = rp.package_version_id
                  JOIN package_version p ON p.ecosystem = u.ecosystem
                       AND p.advisory_name = u.advisory_name
                  JOIN match m ON m.package_version_id = p.package_version_id
                  WHERE rp.resource_id = finding.resource_id
                    AND (u.undecided IN (1, 2) OR u.matched = 0)
                    AND m.vulnerability_id = finding.vulnerability_id)
  AND NOT EXISTS (SELECT 1 FROM resource_package rp
                  JOIN package_version u ON u.package_version_id = rp.package_version_id
                  JOIN package_version p ON p.name = u.name AND (p.kind = u.kind OR u.kind = '')
                  JOIN match m ON m.package_version_id = p.package_version_id
                  WHERE rp.resource_id = finding.resource_id
                    AND (u.ecosystem = '' OR u.version = '')
                    AND m.vulnerability_id = finding.vulnerability_id)
)sql";

struct Statements {
  std::string open;
  std::string mark;
  std::string close;
};

std::string fill(std::string_view sql, const Scope& scope, std::string_view from,
                 sql::Engine engine) {
  const auto inner = fmt::format(
      fmt::runtime(holding), fmt::arg("from", from), fmt::arg("packages", scope.packages),
      fmt::arg("joined",
               sql::joined(engine, "CAST(package_version_id AS TEXT)", ",", "package_version_id")));
  return fmt::format(fmt::runtime(sql), fmt::arg("holding", inner),
                     fmt::arg("findings", scope.findings), fmt::arg("no_match", no_match),
                     fmt::arg("reopen", reopen_window), fmt::arg("sign_of_life", sign_of_life),
                     fmt::arg("opening_cause", opening_cause));
}

Statements statements(const Scope& scope, std::string_view from, sql::Engine engine) {
  return {.open = fill(open_statement, scope, from, engine),
          .mark = fill(mark_statement, scope, from, engine),
          .close = fill(close_statement, scope, from, engine)};
}

// A resource's packages first, or a vulnerability's matches first: SQLite keeps the order of a
// CROSS JOIN, and does not know how few matches there are.
Statements resource_statements(sql::Engine engine) {
  return statements(one_resource,
                    "resource_package rp JOIN match m "
                    "ON m.package_version_id = rp.package_version_id",
                    engine);
}
Statements vulnerability_statements(sql::Engine engine) {
  return statements(one_vulnerability, fmt::format("match m CROSS JOIN {} rp", holders(engine)),
                    engine);
}

// The next number names what is opened: what is closed first need not be looked at after it was
// opened. On PostgreSQL each statement sees what was committed before it: what one closes, the
// other may open. Each change has its number, so that both are in the history.
Result<Changes> apply(sql::Connection& connection, const Statements& statements,
                      std::span<const sql::Value> values, const Evaluation& evaluation,
                      OpenFindings open, FindingChanges& changes) {
  Changes out;
  if (open.any) {
    TRY(out.written, changes.run(connection, statements.mark, values, evaluation, open.active));
    TRY(out.closed, changes.run(connection, statements.close, values, evaluation, open.active));
  }
  auto opening = evaluation;
  ++opening.transition;
  std::vector<sql::Value> opening_values(values.begin(), values.end());
  opening_values[1] = opening.transition;
  TRY(const auto opened,
      changes.run(connection, statements.open, opening_values, opening, open.active));
  out.written += opened;
  return out;
}

// Of a resource that is gone, or that nobody wants to be looked at.
Result<Changes> close_all(sql::Connection& connection, ResourceId resource,
                          const Evaluation& evaluation, OpenFindings open,
                          FindingChanges& changes) {
  Changes out;
  if (!open.any) return out;
  const sql::Value values[] = {resource.value, evaluation.now, evaluation.transition,
                               std::string_view(evaluation.cause)};
  TRY(out.closed,
      changes.run(connection,
                  fmt::format("UPDATE finding SET status = 3, stale = 0, closed_at = ?2, "
                              "updated_at = ?2, transition = ?3, cause = ?4, "
                              "suppressed_by = '', opened_by = {} "
                              "WHERE resource_id = ?1 AND status <> 3",
                              opening_cause),
                  values, evaluation, open.active));
  return out;
}

Result<bool> is_excluded(sql::Connection& connection, ResourceId resource) {
  TRY(const auto is, connection.one_integer("SELECT 1 FROM resource WHERE resource_id = ?1 "
                                            "AND coverage_reason = 'EXCLUDED_BY_TAG'",
                                            resource.value));
  return is.has_value();
}

Result<Changes> apply_to_resource(sql::Connection& connection, const Statements& statements,
                                  const ResourceEvaluation& one, FindingChanges& changes) {
  const auto& [resource, evaluation] = one;
  TRY(auto open, open_findings(connection, {.resources = {resource, resource}}));
  TRY(const auto is_retyped, is_counted_as_another(connection, resource));
  if (is_retyped) changes.retype(resource, open.active);
  TRY(const auto excluded, is_excluded(connection, resource));
  if (excluded) {
    auto ending = evaluation;
    ending.cause = "the tag InspectorEc2Exclusion";
    return close_all(connection, resource, ending, std::move(open), changes);
  }
  const sql::Value values[] = {evaluation.now, evaluation.transition,
                               std::string_view(evaluation.cause), resource.value, resource.value};
  return apply(connection, statements, values, evaluation, std::move(open), changes);
}

Result<Changes> apply_to_vulnerability(sql::Connection& connection, const Statements& statements,
                                       const std::string& vulnerability, const ResourceRange& range,
                                       const Evaluation& evaluation, FindingChanges& changes) {
  TRY(auto open, open_findings(connection, {.resources = range, .vulnerability = vulnerability}));
  const sql::Value values[] = {
      evaluation.now,    evaluation.transition, std::string_view(evaluation.cause),
      range.first.value, range.last.value,      std::string_view(vulnerability)};
  return apply(connection, statements, values, evaluation, std::move(open), changes);
}

// The rules see what was written, and what they read beside findings: tags, types. What they do is
// a change of its own, with the number that next_transition leaves free.
SuppressionTask rules_on(const SuppressionScope& scope, const Evaluation& evaluation) {
  return {scope, {.now = evaluation.now, .transition = evaluation.transition + 2}};
}

void add(Changes& sum, const Changes& one) {
  sum.written += one.written;
  sum.closed += one.closed;
}

}  // namespace

ResourceRange slice_range(std::int64_t slice) {
  constexpr std::int64_t width = (std::int64_t{1} << 59);  // 2^63 in 16 parts
  static_assert(slices == 16);
  return {{slice * width}, {slice * width + (width - 1)}};
}

std::int64_t slice_of(ResourceId resource) {
  return resource.value >> 59;
}

Result<> lock_slice(sql::Connection& connection, std::int64_t slice) {
  if (connection.engine() == sql::Engine::sqlite) return {};  // has one writer
  TRY(const auto locked,
      connection.one_text("SELECT pg_advisory_xact_lock(7465, CAST(?1 AS INTEGER))", slice));
  CHECK(!locked || locked->empty());
  return {};
}

// Near the time of the system's clock, so that it tells something to people.
Result<std::int64_t> next_transition(sql::Connection& connection, std::int64_t slice, Seconds now) {
  constexpr std::int64_t second = 1'000'000;
  constexpr std::int64_t numbers_of_one = 3;  // see Evaluation
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto by_clock =
      now * second +
      std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count() % second;
  const auto name = fmt::format("last_transition_{}", slice);
  TRY(const auto last, number_setting(connection, name));
  const auto next = std::max(by_clock, last + numbers_of_one);
  TRY_VOID(put_setting(connection, name, next));
  return next;
}

Result<Changes> evaluate_resources(sql::Connection& connection,
                                   std::span<const ResourceEvaluation> resources) {
  const auto texts = resource_statements(connection.engine());
  FindingChanges changes;
  Changes out;
  std::vector<SuppressionTask> tasks;
  for (const auto& one : resources) {
    TRY(const auto done, apply_to_resource(connection, texts, one, changes));
    add(out, done);
    tasks.push_back(rules_on({.resources = {one.resource, one.resource}}, one.evaluation));
  }
  TRY(out.suppressed, apply_rules(connection, tasks, changes));
  TRY_VOID(changes.write(connection));
  return out;
}

Result<Changes> evaluate_vulnerabilities(sql::Connection& connection,
                                         const std::vector<std::string>& vulnerabilities,
                                         std::int64_t slice, const Evaluation& evaluation) {
  const auto texts = vulnerability_statements(connection.engine());
  const auto range = slice_range(slice);
  FindingChanges changes;
  Changes out;
  std::vector<SuppressionTask> tasks;
  for (const auto& vulnerability : vulnerabilities) {
    TRY(const auto done,
        apply_to_vulnerability(connection, texts, vulnerability, range, evaluation, changes));
    add(out, done);
    tasks.push_back(rules_on({range, vulnerability}, evaluation));
  }
  TRY(out.suppressed, apply_rules(connection, tasks, changes));
  TRY_VOID(changes.write(connection));
  return out;
}

Result<Changes> close_resource(sql::Connection& connection, ResourceId resource,
                               const Evaluation& evaluation) {
  TRY(auto open, open_findings(connection, {.resources = {resource, resource}}));
  FindingChanges changes;
  TRY(const auto out, close_all(connection, resource, evaluation, std::move(open), changes));
  TRY_VOID(changes.write(connection));
  return out;
}

Result<std::int64_t> prune(sql::Connection& connection, std::int64_t slice,
                           const PruneLimits& limits) {
  const auto range = slice_range(slice);
  constexpr std::string_view ended =
      "FROM finding WHERE resource_id BETWEEN ?1 AND ?2 AND closed_at > 0 "
      "AND (closed_at < ?3 OR (closed_at < ?4 AND NOT EXISTS (SELECT 1 "
      "FROM resource r WHERE r.resource_id = finding.resource_id "
      "AND r.coverage_reason NOT IN ('RESOURCE_TERMINATED', 'EXCLUDED_BY_TAG'))))";
  // Their history remains, and how they were opened is part of it.
  TRY(const auto openings,
      connection.run(fmt::format("INSERT INTO finding_event (resource_id, vulnerability_id, "
                                 "episode, transition, happened_at, status, cause) "
                                 "SELECT resource_id, vulnerability_id, episode, 0, episode, 1, "
                                 "{} {} ON CONFLICT (resource_id, vulnerability_id, episode, "
                                 "transition) DO NOTHING",
                                 opening_cause, ended),
                     range.first.value, range.last.value, limits.closed_before,
                     limits.gone_before));
  CHECK(openings >= 0);
  TRY(const auto findings,
      connection.run(fmt::format("DELETE {}", ended), range.first.value, range.last.value,
                     limits.closed_before, limits.gone_before));
  TRY(const auto events,
      connection.run("DELETE FROM finding_event WHERE resource_id BETWEEN ?1 AND ?2 "
                     "AND happened_at < ?3 AND NOT EXISTS "
                     "(SELECT 1 FROM finding f WHERE f.resource_id = finding_event.resource_id "
                     "AND f.vulnerability_id = finding_event.vulnerability_id "
                     "AND f.episode = finding_event.episode)",
                     range.first.value, range.last.value, limits.history_before));
  CHECK(events >= 0);
  return findings;
}

Result<std::vector<FindingEvent>> history(sql::Connection& connection, ResourceId resource,
                                          std::string_view vulnerability) {
  TRY(auto rows,
      connection.query(fmt::format("SELECT transition, happened_at, status, cause, episode "
                                   "FROM finding_event "
                                   "WHERE resource_id = ?1 AND vulnerability_id = ?2 "
                                   "UNION ALL SELECT 0, episode, 1, {}, episode FROM finding "
                                   "WHERE resource_id = ?1 AND vulnerability_id = ?2 "
                                   "ORDER BY 5, 1",
                                   opening_cause),
                       resource.value, vulnerability));
  std::vector<FindingEvent> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.transition = row->integer(0),
                   .happened = row->integer(1),
                   .status = static_cast<Lifecycle>(row->integer(2)),
                   .cause = row->string(3)});
  }
}

}  // namespace tenken::store
