#include "store/finding_changes.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "store/sql_text.h"

namespace tenken::store {
namespace {

constexpr std::int64_t active_status = static_cast<std::int64_t>(Lifecycle::active);

// From the column on.
Counted counted_of(const sql::Row& row, int column) {
  return {.account = row.string(column),
          .score = row.integer(column + 1),
          .fix = row.integer(column + 2),
          .packages = row.string(column + 3)};
}

}  // namespace

Result<OpenFindings> open_findings(sql::Connection& connection, const ChangeScope& scope) {
  SqlText sql;
  const auto first = sql.bind(scope.resources.first.value);
  const auto open = fmt::format("status <> 3 AND resource_id BETWEEN {} AND {}", first,
                                sql.bind(scope.resources.last.value));
  sql.add("SELECT resource_id, vulnerability_id, status, account_id, score, fix, packages FROM ");
  // By vulnerability the keys come from an index alone: SQLite would look up each row of an index
  // that lacks a column before it looks at the conditions.
  if (scope.vulnerability.empty())
    sql.add("finding WHERE ").add(open);
  else
    sql.add(
        fmt::format("(SELECT resource_id, vulnerability_id, episode FROM finding "
                    "WHERE vulnerability_id = {} AND {}) open "
                    "JOIN finding USING (resource_id, vulnerability_id, episode)",
                    sql.bind(std::string(scope.vulnerability)), open));
  TRY(auto rows, connection.query(sql.text(), sql.values()));
  OpenFindings out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.any = true;
    if (row->integer(2) == active_status)
      out.active.emplace(FindingName(row->integer(0), row->string(1)), counted_of(*row, 3));
  }
}

struct FindingChanges::Changed {
  FindingName name;
  std::int64_t status = 0;
  Counted counted;
};

template <typename F>
Result<std::int64_t> FindingChanges::each_changed(sql::Connection& connection, std::string_view sql,
                                                  std::span<const sql::Value> values,
                                                  const Evaluation& evaluation, F&& count) {
  TRY(auto rows,
      connection.query(fmt::format("{} RETURNING resource_id, vulnerability_id, episode, status, "
                                   "transition, account_id, score, fix, packages, opened_by",
                                   sql),
                       values));
  const auto cause = std::make_shared<const std::string>(evaluation.cause);
  std::int64_t changed = 0;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return changed;
    ++changed;
    Changed one{.name = {row->integer(0), row->string(1)},
                .status = row->integer(3),
                .counted = counted_of(*row, 5)};
    const bool is_opening = row->text(9).empty();  // the finding itself tells of it
    if (row->integer(4) == evaluation.transition && !is_opening)
      events_.push_back({.number = events_.size(),
                         .name = one.name,
                         .episode = row->integer(2),
                         .transition = evaluation.transition,
                         .happened = evaluation.now,
                         .status = one.status,
                         .cause = cause});
    count(std::move(one));
  }
}

Result<std::int64_t> FindingChanges::run(sql::Connection& connection, std::string_view sql,
                                         std::span<const sql::Value> values,
                                         const Evaluation& evaluation,
                                         std::map<FindingName, Counted>& before) {
  return each_changed(connection, sql, values, evaluation, [&](Changed one) {
    const auto was = before.find(one.name);
    const bool is_active = one.status == active_status;
    if (was != before.end()) {
      if (is_active && was->second == one.counted) return;
      counts_.take_away(one.name, std::move(was->second));
      before.erase(was);
    }
    if (!is_active) return;
    counts_.add(one.name, one.counted);
    before.emplace(std::move(one.name), std::move(one.counted));
  });
}

Result<std::int64_t> FindingChanges::run_switch(sql::Connection& connection, std::string_view sql,
                                                std::span<const sql::Value> values,
                                                const Evaluation& evaluation, bool gained) {
  return each_changed(connection, sql, values, evaluation, [&](Changed one) {
    if (gained)
      counts_.add(std::move(one.name), std::move(one.counted));
    else
      counts_.take_away(std::move(one.name), std::move(one.counted));
  });
}

void FindingChanges::retype(ResourceId resource, const std::map<FindingName, Counted>& active) {
  for (const auto& [name, counted] : active) counts_.take_away(name, counted);
  counts_.retype(resource);
  for (const auto& [name, counted] : active) counts_.add(name, counted);
}

Result<> FindingChanges::write_events(sql::Connection& connection) {
  if (events_.empty()) return {};
  const auto key = [](const Event& one) { return std::tie(one.name, one.episode, one.transition); };
  // What one rule lets go another may take in the same transition: the last of them is the event.
  std::ranges::sort(events_, {}, [&](const Event& one) {
    return std::tuple_cat(key(one), std::tie(one.number));
  });
  const auto kept = std::unique(events_.rbegin(), events_.rend(),
                                [&](const Event& a, const Event& b) { return key(a) == key(b); });
  events_.erase(events_.begin(), kept.base());
  TRY(auto bulk, connection.bulk({.table = "finding_event",
                                  .columns = {"resource_id", "vulnerability_id", "episode",
                                              "transition", "happened_at", "status", "cause"}}));
  for (const auto& one : events_) {
    const sql::Value row[] = {one.name.first,
                              std::string_view(one.name.second),
                              one.episode,
                              one.transition,
                              one.happened,
                              one.status,
                              std::string_view(*one.cause)};
    TRY_VOID(bulk->add(row));
  }
  TRY(const auto written, bulk->finish());
  CHECK(written == static_cast<std::int64_t>(events_.size()));
  events_.clear();
  return {};
}

Result<> FindingChanges::write(sql::Connection& connection) {
  TRY_VOID(write_events(connection));
  return counts_.write(connection);
}

}  // namespace tenken::store
