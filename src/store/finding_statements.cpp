#include "store/finding_statements.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/dialect.h"
#include "store/finding_orders.h"
#include "store/finding_rows.h"

namespace tenken::store {
namespace {

// As SQLite calls it.
constexpr std::string_view primary_key = "sqlite_autoindex_finding_1";

// SQLite allows 500; PostgreSQL plans more for longer than it reads them.
constexpr std::size_t most_branches(sql::Engine engine) {
  return engine == sql::Engine::sqlite ? 400 : 200;
}

// A part of a walk in which these are the same; it comes in order by itself.
struct Branch {
  std::string account;
  std::int64_t status = 0;
  std::int64_t fix = 0;
  std::string vulnerability;
};

bool limits_scores(const ColumnConditions& columns) {
  return columns.scores.front().first > -1 || columns.scores.back().last < 100;
}

// From the first to the last second of some ranges.
std::pair<double, double> span_of(const findings::NumberCondition& condition) {
  std::pair<double, double> out{9e15, -9e15};
  for (const auto& range : condition.ranges) {
    out.first = std::min(out.first, range.first.value_or(-9e15));
    out.second = std::max(out.second, range.last.value_or(9e15));
  }
  return out;
}

}  // namespace

// Writes one statement.
class FindingStatements::Writer {
 public:
  explicit Writer(const FindingStatements& statements)
      : resolved_(statements.question_),
        question_(resolved_.question),
        columns_(resolved_.columns),
        order_(find_order(question_.order)),
        walked_(statements.walked_),
        by_driver_(statements.by_driver_) {}

  SqlText window(std::size_t rows, bool conditional) {
    window_rows_ = conditional ? rows : question_.limit + 1;
    begin_page();
    sql_.add(
        fmt::format("SELECT f.resource_id AS f1, f.vulnerability_id AS f2, f.episode AS f3, "
                    "{} FROM (",
                    key("f.")));
    add_walk();
    sql_.add(
        fmt::format(" ORDER BY {} LIMIT {}) f WHERE 1 = 1", key("", direction()), window_rows_));
    if (conditional) add_criteria(false);
    end_page();
    return std::move(sql_);
  }

  SqlText window_end(std::size_t rows) {
    window_rows_ = rows;
    sql_.add(fmt::format("SELECT {} FROM (", key("f.")));
    add_walk();
    sql_.add(fmt::format(" ORDER BY {} LIMIT 1 OFFSET {}) f", key("", direction()), rows - 1));
    return std::move(sql_);
  }

  SqlText gathered(FindingDriver driver) {
    begin_page();
    sql_.add("WITH f AS MATERIALIZED (");
    add_selected();
    add_driver(driver, true);
    sql_.add(
        fmt::format(") SELECT f.resource_id AS f1, f.vulnerability_id AS f2, "
                    "f.episode AS f3, {} FROM f WHERE 1 = 1",
                    key("f.")));
    if (!question_.after.empty()) {
      std::vector<std::string> values;
      for (const auto& value : question_.after) values.push_back(sql_.bind(value));
      sql_.add(fmt::format(" AND ({}) {} ({})", key("f."), beyond(), fmt::join(values, ", ")));
    }
    add_criteria(driver == FindingDriver::vulnerabilities);
    end_page();
    return std::move(sql_);
  }

  SqlText driven(FindingDriver driver, std::size_t most) {
    sql_.add("SELECT COUNT(*) FROM (SELECT 1 AS one");
    add_driver(driver, false);
    sql_.add(fmt::format(" LIMIT {}) c", most));
    return std::move(sql_);
  }

  SqlText chosen_vulnerabilities(std::size_t most) {
    sql_.add("SELECT v.vulnerability_id FROM vulnerability v WHERE 1 = 1");
    add_vulnerability_conditions(sql_, question_.criteria, VulnerabilityIndex::any,
                                 resolved_.by_packages);
    sql_.add(fmt::format(" LIMIT {}", most));
    return std::move(sql_);
  }

 private:
  std::string finding(std::string_view index) const {
    return "finding f" + sql::read_by(resolved_.engine, index);
  }
  template <typename F>
  void add_each(std::string_view table, std::string_view end, F&& add_conditions,
                bool or_none = false) {
    store::add_each(sql_, resolved_.engine, table, end, std::forward<F>(add_conditions), or_none);
  }
  // No row of the table before needs more than the window.
  std::string end_of_each() const {
    std::vector<std::string> terms;
    for (auto i = order_.outer; i < order_.size; ++i)
      terms.push_back(fmt::format("{}{}", order_.columns[i].expression, direction()));
    return fmt::format(" ORDER BY {} LIMIT {}", fmt::join(terms, ", "), window_rows_);
  }
  std::string_view direction() const { return question_.descending ? " DESC" : ""; }
  std::string_view beyond() const { return question_.descending ? "<" : ">"; }
  std::span<const KeyColumn> columns() const {
    return std::span(order_.columns).first(order_.size);
  }

  // "k.k1 DESC, k.k2 DESC"
  std::string key(std::string_view prefix, std::string_view suffix = "") const {
    std::string out;
    for (std::size_t i = 1; i <= order_.size; ++i)
      out += fmt::format("{}{}k{}{}", i == 1 ? "" : ", ", prefix, i, suffix);
    return out;
  }

  void begin_page() { sql_.add(fmt::format("SELECT {}, {} FROM (", finding_columns, key("k."))); }
  void end_page() {
    sql_.add(fmt::format(" ORDER BY {} LIMIT {}) k", key("f.", direction()), question_.limit + 1));
    constexpr std::pair<std::string_view, std::string_view> rows[] = {
        {"finding f", "f.resource_id = k.f1 AND f.vulnerability_id = k.f2 AND f.episode = k.f3"},
        {"resource r", "r.resource_id = k.f1"},
        {"vulnerability v", "v.vulnerability_id = k.f2"}};
    for (const auto& [table, is_meant] : rows) add_each(table, no_end, [&] { sql_.add(is_meant); });
    sql_.add(fmt::format(" ORDER BY {}", key("k.", direction())));
  }
  // What the conditions read, and the key.
  void add_selected() {
    sql_.add("SELECT f.resource_id, f.vulnerability_id, f.episode");
    for (const auto column : read_columns()) sql_.add(fmt::format(", f.{}", column));
    for (std::size_t i = 0; i < order_.size; ++i)
      sql_.add(fmt::format(", {} AS k{}", order_.columns[i].expression, i + 1));
  }
  std::vector<std::string_view> read_columns() const {
    auto out = columns_read(question_.criteria, columns_);
    if (limits_scores()) out.emplace_back("score");
    if (checks_status()) out.emplace_back("status");
    std::ranges::sort(out);
    const auto doubles = std::ranges::unique(out);
    out.erase(doubles.begin(), doubles.end());
    return out;
  }
  bool limits_scores() const { return store::limits_scores(columns_); }
  bool checks_status() const {
    return columns_.statuses.size() < 3 &&
           (order_.walk == Walk::resources || order_.walk == Walk::vulnerabilities);
  }

  // All that the criteria say, of a finding of which the key and read_columns() are at hand.
  void add_criteria(bool says_packages) {
    if (limits_scores()) add_outer_scores(false);
    if (checks_status())
      sql_.add(fmt::format(" AND f.status IN ({})", fmt::join(columns_.statuses, ", ")));
    if (resolved_.by_packages && !says_packages) {
      sql_.add(" AND f.vulnerability_id IN (");
      add_package_matches(sql_, question_.criteria);
      sql_.add(")");
    }
    add_conditions(sql_, "f", question_.criteria, columns_, resolved_.arns);
  }

  // The outermost scores; the end from which the walk comes is not said again where the place says
  // more, so that the index is entered at the place.
  void add_outer_scores(bool place_says_score) {
    const auto first = columns_.scores.front().first;
    const auto last = columns_.scores.back().last;
    if (first > -1 && !(place_says_score && !question_.descending))
      sql_.add(fmt::format(" AND f.score >= {}", sql_.bind(first)));
    if (last < 100 && !(place_says_score && question_.descending))
      sql_.add(fmt::format(" AND f.score <= {}", sql_.bind(last)));
  }

  void add_walk() {
    if (by_driver_)
      add_driver_walk();
    else if (order_.walk == Walk::vulnerabilities)
      add_vulnerability_walk();
    else if (order_.walk == Walk::resources)
      add_resource_walk();
    else
      add_index_walk();
  }

  void add_driver_walk() {
    add_selected();
    add_driver(FindingDriver::vulnerabilities, true);
    if (!question_.after.empty()) add_place(0, order_.size, beyond());
  }

  // Each part of a walk is sorted by itself, so that the parts are merged as they are read.
  // PostgreSQL plans many parts several times as long if each is a table of a SELECT, which SQLite
  // needs; and each for all of it if no limit is said, while SQLite merges only what has none.
  template <typename F>
  void add_part(F&& add_rows) {
    const bool is_sqlite = resolved_.engine == sql::Engine::sqlite;
    const bool is_table = is_sqlite || !begun_;
    if (begun_) sql_.add(" UNION ALL ");
    begun_ = true;
    sql_.add(is_table ? "SELECT * FROM (" : "(");
    add_selected();
    add_rows();
    sql_.add(fmt::format(" ORDER BY {}", key("", direction())));
    if (!is_sqlite) sql_.add(fmt::format(" LIMIT {}", window_rows_));
    sql_.add(is_table ? ") b" : ")");
  }

  // "(a, b) < (?1, ?2)" of columns of the key, from first up to end.
  void add_place(std::size_t first, std::size_t end, std::string_view comparison) {
    std::vector<std::string_view> names;
    std::vector<std::string> values;
    for (auto i = first; i < end; ++i) {
      names.push_back(order_.columns[i].expression);
      values.push_back(sql_.bind(question_.after[i]));
    }
    sql_.add(fmt::format(" AND ({}) {} ({})", fmt::join(names, ", "), comparison,
                         fmt::join(values, ", ")));
  }

  // One account stands before the rest of an index; several are told apart behind it, if hidden.
  void add_accounts(std::string_view column, bool hidden = false) {
    std::vector<std::string> values;
    for (const auto& account : resolved_.accounts) values.push_back(sql_.bind(account));
    if (values.size() == 1)
      sql_.add(fmt::format("{} = {}", column, values.front()));
    else
      sql_.add(
          fmt::format("{}{} IN ({})", column, hidden ? " || ''" : "", fmt::join(values, ", ")));
  }

  // Branches of one index: of accounts and statuses, and of what else stands before the order in
  // it.
  std::vector<Branch> branches() const {
    std::vector<Branch> out;
    for (const auto& account : resolved_.accounts) {
      for (const auto status : columns_.statuses) {
        if (order_.walk == Walk::times) {
          out.push_back({.account = account, .status = status});
        } else if (walked_.empty()) {
          for (const auto fix : columns_.fixes)
            out.push_back({.account = account, .status = status, .fix = fix});
        } else {
          for (const auto& id : walked_)
            out.push_back({.account = account, .status = status, .vulnerability = id});
        }
      }
    }
    return out;
  }

  void add_index_walk() {
    for (const auto& branch : branches()) add_part([&] { add_branch(branch); });
  }

  std::string_view index_of(const Branch& branch) const {
    if (!branch.vulnerability.empty()) return "finding_by_vulnerability";
    if (order_.walk == Walk::scores) return "finding_by_score";
    return question_.order == FindingOrder::first_observed ? "finding_by_first" : "finding_by_last";
  }

  void add_branch(const Branch& branch) {
    const bool place = !question_.after.empty();
    sql_.add(fmt::format(" FROM {} WHERE f.account_id = {} AND f.status = {}",
                         finding(index_of(branch)), sql_.bind(branch.account),
                         sql_.bind(branch.status)));
    if (!branch.vulnerability.empty())
      sql_.add(fmt::format(" AND f.vulnerability_id = {}", sql_.bind(branch.vulnerability)));
    else if (order_.walk == Walk::scores)
      sql_.add(fmt::format(" AND f.fix = {}", sql_.bind(branch.fix)));
    if (order_.walk == Walk::scores) add_outer_scores(place);
    if (question_.order == FindingOrder::first_observed)
      add_seconds(findings::NumberField::first_observed, "episode", place);
    if (question_.order == FindingOrder::last_observed)
      add_seconds(findings::NumberField::last_observed, "last_observed_at", place);
    if (place) add_place(0, order_.size, beyond());
  }

  void add_seconds(findings::NumberField field, std::string_view column, bool place_says) {
    const auto found =
        std::ranges::find(question_.criteria.numbers, field, &findings::NumberCondition::field);
    if (found == question_.criteria.numbers.end()) return;
    const auto [first, last] = span_of(*found);
    if (!(place_says && !question_.descending))
      sql_.add(fmt::format(" AND f.{} >= {}", column, sql_.bind(static_cast<std::int64_t>(first))));
    if (!(place_says && question_.descending))
      sql_.add(fmt::format(" AND f.{} <= {}", column, sql_.bind(static_cast<std::int64_t>(last))));
  }

  // A walk over another table, of which add_rows(whether at the place) writes what is walked: first
  // what is left of the row at the place, then the rows after it. PostgreSQL judges by the first
  // column how many these are: not to miss those that share it with the place, it must be told that
  // they may be equal.
  template <typename F>
  void add_outer_walk(F&& add_rows) {
    if (!question_.after.empty()) {
      add_part([&] {
        add_rows(true);
        add_place(0, order_.outer, "=");
      });
    }
    add_part([&] {
      add_rows(false);
      if (question_.after.empty()) return;
      add_place(0, order_.outer, question_.descending ? "<=" : ">=");
      add_place(order_.outer - 1, order_.outer, "<>");
    });
  }

  // PostgreSQL enters the index at the place where the status is a constant.
  void add_vulnerability_walk() {
    const bool apart = resolved_.engine == sql::Engine::postgresql || columns_.statuses.size() == 1;
    const std::vector<std::int64_t> any{0};
    for (const auto status : apart ? columns_.statuses : any)
      add_outer_walk([&](bool at_place) { add_vulnerabilities(status, at_place); });
  }

  // Of a status; 0: of any.
  void add_vulnerabilities(std::int64_t status, bool at_place) {
    sql_.add(" FROM vulnerability v");
    add_each(finding("finding_by_vulnerability"), end_of_each(), [&] {
      sql_.add("f.vulnerability_id = v.vulnerability_id AND ");
      add_accounts("f.account_id", true);
      if (status != 0) sql_.add(fmt::format(" AND f.status = {}", sql_.bind(status)));
      if (at_place) add_rest_of_place(status);
    });
    sql_.add(" WHERE 1 = 1");
    const auto index =
        question_.order == FindingOrder::epss ? VulnerabilityIndex::epss : VulnerabilityIndex::key;
    add_vulnerability_conditions(sql_, question_.criteria, index, resolved_.by_packages);
  }

  // One account and one status are constants, which stand in the index before the rest.
  void add_rest_of_place(std::int64_t status) {
    const auto account = order_.outer;
    const bool one_account =
        resolved_.accounts.size() == 1 &&
        std::get<std::string>(question_.after[account]) == resolved_.accounts.front();
    const auto at = std::get<std::int64_t>(question_.after[account + 1]);
    if (!one_account || status == 0)
      add_place(account + (one_account ? 1 : 0), order_.size, beyond());
    else if (status == at)
      add_place(account + 2, order_.size, beyond());
    else if (question_.descending ? status > at : status < at)
      sql_.add(" AND 1 = 0");
  }

  void add_resource_walk() {
    for (const auto& account : resolved_.accounts)
      add_outer_walk([&](bool at_place) { add_resources(account, at_place); });
  }
  void add_resources(const std::string& account, bool at_place) {
    sql_.add(" FROM resource r" + sql::read_by(resolved_.engine, order_.outer_index));
    add_each(finding(primary_key), end_of_each(), [&] {
      sql_.add("f.resource_id = r.resource_id");
      if (at_place) add_place(order_.outer, order_.size, beyond());
    });
    sql_.add(fmt::format(" WHERE r.account_id = {}", sql_.bind(account)));
    add_walked_resource_conditions(sql_, question_.criteria, order_.columns.front().expression);
  }

  static std::string_view index_of(FindingDriver driver) {
    switch (driver) {
      case FindingDriver::resources:
        return primary_key;
      case FindingDriver::vulnerabilities:
        return "finding_by_vulnerability";
      case FindingDriver::first_observed:
        return "finding_by_first";
      case FindingDriver::last_observed:
        return "finding_by_last";
      case FindingDriver::updated:
        return "finding_by_update";
      case FindingDriver::status_and_score:
        return "finding_by_score";
    }
    return "";
  }

  // " FROM … WHERE …", with all that the key needs where there is one.
  void add_driver(FindingDriver driver, bool with_key) {
    const bool by_vulnerability = driver == FindingDriver::vulnerabilities;
    const bool by_resource = driver == FindingDriver::resources;
    const auto of_finding = [&] { add_driven(driver, with_key); };
    sql_.add(" FROM ");
    if (by_vulnerability) {
      sql_.add("vulnerability v");
      add_each(finding(index_of(driver)), no_end, of_finding);
    } else if (by_resource) {
      sql_.add("(");
      add_resource_set(sql_, resolved_.engine, resolved_.accounts, question_.criteria,
                       resolved_.arns);
      sql_.add(") r");
      // A resource that is looked at counts, even if it has none of the findings.
      add_each(finding(index_of(driver)), no_end, of_finding, !with_key);
    } else {
      sql_.add(finding(index_of(driver)));
    }
    if (with_key && order_.walk == Walk::vulnerabilities && !by_vulnerability)
      add_each("vulnerability v", no_end,
               [&] { sql_.add("v.vulnerability_id = f.vulnerability_id"); });
    if (with_key && order_.walk == Walk::resources && !by_resource)
      add_each("resource r", no_end, [&] { sql_.add("r.resource_id = f.resource_id"); });
    sql_.add(" WHERE ");
    if (by_vulnerability || by_resource)
      sql_.add("1 = 1");
    else
      add_driven(driver, with_key);
    if (by_vulnerability)
      add_vulnerability_conditions(sql_, question_.criteria, VulnerabilityIndex::any,
                                   resolved_.by_packages);
  }

  // Which findings the driver brings. To learn the status of a resource's findings each would be
  // fetched: all of them are counted.
  void add_driven(FindingDriver driver, bool with_key) {
    if (driver == FindingDriver::resources) {
      sql_.add("f.resource_id = r.resource_id");
      add_named_vulnerabilities(sql_, question_.criteria);
      if (!with_key || columns_.statuses.size() == 3) return;
    } else {
      add_accounts("f.account_id");
    }
    sql_.add(fmt::format(" AND f.status IN ({})", fmt::join(columns_.statuses, ", ")));
    switch (driver) {
      case FindingDriver::resources:
        break;
      case FindingDriver::vulnerabilities:
        sql_.add(" AND f.vulnerability_id = v.vulnerability_id");
        add_outer_scores(false);
        break;
      case FindingDriver::first_observed:
        add_seconds(findings::NumberField::first_observed, "episode", false);
        break;
      case FindingDriver::last_observed:
        add_seconds(findings::NumberField::last_observed, "last_observed_at", false);
        break;
      case FindingDriver::updated:
        add_seconds(findings::NumberField::updated, "updated_at", false);
        break;
      case FindingDriver::status_and_score:
        sql_.add(fmt::format(" AND f.fix IN ({})", fmt::join(columns_.fixes, ", ")));
        add_outer_scores(false);
        break;
    }
  }

  const ResolvedQuestion& resolved_;
  const FindingQuestion& question_;
  const ColumnConditions& columns_;
  const Order& order_;
  const std::vector<std::string>& walked_;
  bool by_driver_;
  std::size_t window_rows_ = 0;
  bool begun_ = false;  // the parts of a walk
  SqlText sql_;
};

FindingStatements::FindingStatements(const ResolvedQuestion& question) : question_(question) {}

bool FindingStatements::unconditional() const {
  const auto& criteria = question_.question.criteria;
  const auto alone = [](const findings::TextCondition& one) {
    return one.field == findings::TextField::account ||
           one.field == findings::TextField::finding_type;
  };
  return std::ranges::all_of(criteria.texts, alone) && criteria.numbers.empty() &&
         criteria.tags.empty() && criteria.packages.empty();
}

bool FindingStatements::reads_rows(FindingDriver driver) const {
  if (driver == FindingDriver::resources) return names_vulnerabilities(question_.question.criteria);
  if (driver == FindingDriver::updated) return true;
  const auto order = question_.question.order;
  const bool has_scores =
      driver == FindingDriver::vulnerabilities || driver == FindingDriver::status_and_score;
  const auto& walk = find_order(order).walk;
  const bool wants_scores =
      walk == Walk::scores || walk == Walk::vulnerabilities || limits_scores(question_.columns);
  if (wants_scores && !has_scores) return true;
  if (order == FindingOrder::last_observed && driver != FindingDriver::last_observed) return true;
  const auto read = columns_read(question_.question.criteria, question_.columns);
  return std::ranges::any_of(read, [&](std::string_view column) {
    return column == "updated_at" || column == "vendor_severity" ||
           (column == "last_observed_at" && driver != FindingDriver::last_observed) ||
           (column == "fix" && driver != FindingDriver::status_and_score) ||
           (column == "score" && !has_scores);
  });
}

std::vector<FindingDriver> FindingStatements::drivers() const {
  const auto& criteria = question_.question.criteria;
  const auto limits = [&](findings::NumberField field) {
    return std::ranges::find(criteria.numbers, field, &findings::NumberCondition::field) !=
           criteria.numbers.end();
  };
  std::vector<FindingDriver> out;
  if (resources_choose(criteria, question_.arns)) out.push_back(FindingDriver::resources);
  if (vulnerabilities_choose(criteria) || question_.by_packages)
    out.push_back(FindingDriver::vulnerabilities);
  if (limits(findings::NumberField::first_observed)) out.push_back(FindingDriver::first_observed);
  if (limits(findings::NumberField::last_observed)) out.push_back(FindingDriver::last_observed);
  if (limits(findings::NumberField::updated)) out.push_back(FindingDriver::updated);
  out.push_back(FindingDriver::status_and_score);
  return out;
}

SqlText FindingStatements::window(std::size_t rows) const {
  return Writer(*this).window(rows, !unconditional());
}
SqlText FindingStatements::window_end(std::size_t rows) const {
  return Writer(*this).window_end(rows);
}
SqlText FindingStatements::gathered(FindingDriver driver) const {
  return Writer(*this).gathered(driver);
}
SqlText FindingStatements::driven(FindingDriver driver, std::size_t most) const {
  return Writer(*this).driven(driver, most);
}

bool FindingStatements::reads_rows() const {
  const auto& columns = question_.columns;
  const auto read = columns_read(question_.question.criteria, columns);
  const auto order = question_.question.order;
  const auto not_in_index = [&](std::string_view column) {
    return column != "score" &&
           (column != "last_observed_at" || order != FindingOrder::last_observed);
  };
  if (find_order(order).walk == Walk::times && limits_scores(columns)) return true;
  return std::ranges::any_of(read, not_in_index);
}

std::size_t most_accounts_at_once(const ResolvedQuestion& question) {
  const auto& columns = question.columns;
  // Of resources two: what is left at the place, and what comes after it.
  return most_branches(question.engine) /
         std::max<std::size_t>(2, columns.statuses.size() * columns.fixes.size());
}

std::size_t FindingStatements::most_walked_vulnerabilities() const {
  if (find_order(question_.question.order).walk != Walk::scores) return 0;
  return most_branches(question_.engine) /
         (question_.accounts.size() * question_.columns.statuses.size());
}
SqlText FindingStatements::chosen_vulnerabilities(std::size_t most) const {
  return Writer(*this).chosen_vulnerabilities(most);
}

}  // namespace tenken::store
