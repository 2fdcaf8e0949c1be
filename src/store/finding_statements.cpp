#include "store/finding_statements.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/dialect.h"
#include "store/finding_rows.h"

namespace tenken::store {
namespace {

using Kind = KeyColumn::Kind;

// What is walked in an order. Each has an index that brings findings in that order.
enum class Walk : std::uint8_t { scores, times, vulnerabilities, resources };

struct Order {
  FindingOrder order;
  Walk walk;
  std::array<KeyColumn, 7> columns;
  std::size_t size;
  std::size_t outer = 0;  // columns of vulnerability or resource, which lead
};

constexpr KeyColumn by_score{"f.score"};
constexpr KeyColumn by_status{"f.status"};
constexpr KeyColumn by_episode{"f.episode"};
constexpr KeyColumn by_last_observed{"f.last_observed_at"};
constexpr KeyColumn by_its_resource{"f.resource_id"};
constexpr KeyColumn by_account{"f.account_id", Kind::text};
constexpr KeyColumn by_its_vulnerability{"f.vulnerability_id", Kind::text};
constexpr KeyColumn by_walked_vulnerability{"v.vulnerability_id", Kind::text};
constexpr KeyColumn by_walked_resource{"r.resource_id"};
constexpr std::array orders{
    Order{FindingOrder::score,
          Walk::scores,
          {by_score, by_its_resource, by_its_vulnerability, by_episode},
          4},
    Order{FindingOrder::first_observed,
          Walk::times,
          {by_episode, by_its_resource, by_its_vulnerability},
          3},
    Order{FindingOrder::last_observed,
          Walk::times,
          {by_last_observed, by_its_resource, by_its_vulnerability, by_episode},
          4},
    Order{FindingOrder::account,
          Walk::scores,
          {by_account, by_score, by_its_resource, by_its_vulnerability, by_episode},
          5},
    Order{FindingOrder::resource_type,
          Walk::resources,
          {KeyColumn{"r.type", Kind::text}, by_walked_resource, by_its_vulnerability, by_episode},
          4,
          2},
    Order{FindingOrder::vulnerability,
          Walk::vulnerabilities,
          {by_walked_vulnerability, by_account, by_status, by_score, by_its_resource, by_episode},
          6,
          1},
    Order{FindingOrder::vulnerability_source,
          Walk::vulnerabilities,
          {KeyColumn{"v.source", Kind::text}, by_walked_vulnerability, by_account, by_status,
           by_score, by_its_resource, by_episode},
          7,
          2},
    Order{FindingOrder::epss,
          Walk::vulnerabilities,
          {KeyColumn{"v.epss", Kind::number}, by_walked_vulnerability, by_account, by_status,
           by_score, by_its_resource, by_episode},
          7,
          2},
};

const Order& find_order(FindingOrder order) {
  const auto* const found = std::ranges::find(orders, order, &Order::order);
  CHECK(found != orders.end());
  return *found;
}

// As SQLite calls it.
constexpr std::string_view primary_key = "sqlite_autoindex_finding_1";

constexpr std::size_t most_branches = 400;  // SQLite allows 500

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

std::span<const KeyColumn> key_of(FindingOrder order) {
  const auto& found = find_order(order);
  return std::span(found.columns).first(found.size);
}

// Writes one statement.
class FindingStatements::Writer {
 public:
  explicit Writer(const FindingStatements& statements)
      : resolved_(statements.question_),
        question_(resolved_.question),
        columns_(resolved_.columns),
        order_(find_order(question_.order)),
        walked_(statements.walked_) {}

  SqlText window(std::size_t rows, bool conditional) {
    begin_page();
    sql_.add(
        fmt::format("SELECT f.resource_id AS f1, f.vulnerability_id AS f2, f.episode AS f3, "
                    "{} FROM (",
                    key("f.")));
    add_walk();
    sql_.add(fmt::format(" ORDER BY {} LIMIT {}) f WHERE 1 = 1", key("", direction()),
                         bind(conditional ? rows : question_.limit + 1)));
    if (conditional) add_criteria();
    end_page();
    return std::move(sql_);
  }

  SqlText window_end(std::size_t rows) {
    sql_.add(fmt::format("SELECT {} FROM (", key("f.")));
    add_walk();
    sql_.add(
        fmt::format(" ORDER BY {} LIMIT 1 OFFSET {}) f", key("", direction()), bind(rows - 1)));
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
    add_criteria();
    end_page();
    return std::move(sql_);
  }

  SqlText driven(FindingDriver driver, std::size_t most) {
    sql_.add("SELECT COUNT(*) FROM (SELECT 1 AS one");
    add_driver(driver, false);
    sql_.add(fmt::format(" LIMIT {}) c", bind(most)));
    return std::move(sql_);
  }

  SqlText next_first_observed(std::size_t most) {
    sql_.add(fmt::format("SELECT COUNT(*), {}(c.episode) FROM (SELECT f.episode",
                         question_.descending ? "MAX" : "MIN"));
    add_driver(FindingDriver::vulnerabilities, false);
    if (!question_.after.empty())
      sql_.add(fmt::format(" AND f.episode {}= {}", beyond(), sql_.bind(question_.after.front())));
    sql_.add(fmt::format(" LIMIT {}) c", bind(most)));
    return std::move(sql_);
  }

  SqlText chosen_vulnerabilities(std::size_t most) {
    sql_.add("SELECT v.vulnerability_id FROM vulnerability v WHERE 1 = 1");
    add_vulnerability_conditions(sql_, question_.criteria, VulnerabilityIndex::any,
                                 resolved_.by_packages);
    sql_.add(fmt::format(" LIMIT {}", bind(most)));
    return std::move(sql_);
  }

 private:
  std::string finding(std::string_view index) const {
    return "finding f" + sql::read_by(resolved_.engine, index);
  }
  std::string bind(std::size_t number) { return sql_.bind(static_cast<std::int64_t>(number)); }
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
    sql_.add(
        fmt::format(" ORDER BY {} LIMIT {}", key("f.", direction()), bind(question_.limit + 1)));
    sql_.add(
        ") k CROSS JOIN finding f CROSS JOIN resource r CROSS JOIN vulnerability v "
        "WHERE f.resource_id = k.f1 AND f.vulnerability_id = k.f2 AND f.episode = k.f3 "
        "AND r.resource_id = k.f1 AND v.vulnerability_id = k.f2 ORDER BY ");
    sql_.add(key("k.", direction()));
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
  void add_criteria() {
    if (limits_scores()) add_outer_scores(false);
    if (checks_status())
      sql_.add(fmt::format(" AND f.status IN ({})", fmt::join(columns_.statuses, ", ")));
    if (resolved_.by_packages) {
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
    if (order_.walk == Walk::vulnerabilities)
      add_vulnerability_walk();
    else if (order_.walk == Walk::resources)
      add_resource_walk();
    else
      add_index_walk();
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
    bool first = true;
    for (const auto& branch : branches()) {
      if (!first) sql_.add(" UNION ALL ");
      first = false;
      add_branch(branch);
    }
  }

  // How the account of a branch lies to the place, where it leads the key: before it in the order
  // (passed), at it, or after it.
  std::strong_ordering to_place(const Branch& branch) const {
    const auto order = branch.account <=> std::get<std::string>(question_.after.front());
    return question_.descending ? 0 <=> order : order;
  }

  std::string_view index_of(const Branch& branch) const {
    if (!branch.vulnerability.empty()) return "finding_by_vulnerability";
    if (order_.walk == Walk::scores) return "finding_by_score";
    return question_.order == FindingOrder::first_observed ? "finding_by_first" : "finding_by_last";
  }

  void add_branch(const Branch& branch) {
    const bool leads = question_.order == FindingOrder::account;
    const std::size_t first = leads ? 1 : 0;
    bool place = !question_.after.empty();
    add_selected();
    sql_.add(fmt::format(" FROM {} WHERE f.account_id = {} AND f.status = {}",
                         finding(index_of(branch)), sql_.bind(branch.account),
                         sql_.bind(branch.status)));
    if (!branch.vulnerability.empty())
      sql_.add(fmt::format(" AND f.vulnerability_id = {}", sql_.bind(branch.vulnerability)));
    else if (order_.walk == Walk::scores)
      sql_.add(fmt::format(" AND f.fix = {}", sql_.bind(branch.fix)));
    if (place && leads) {
      const auto order = to_place(branch);
      if (order < 0) sql_.add(" AND 1 = 0");
      place = order == 0;
    }
    if (order_.walk == Walk::scores) add_outer_scores(place);
    if (question_.order == FindingOrder::first_observed)
      add_seconds(findings::NumberField::first_observed, "episode", place);
    if (question_.order == FindingOrder::last_observed)
      add_seconds(findings::NumberField::last_observed, "last_observed_at", place);
    if (place) add_place(first, order_.size, beyond());
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

  // First what is left of the vulnerability at the place, then those after it.
  void add_vulnerability_walk() {
    if (!question_.after.empty()) {
      add_selected();
      sql_.add(fmt::format(" FROM vulnerability v CROSS JOIN {} WHERE f.vulnerability_id = ",
                           finding("finding_by_vulnerability")));
      sql_.add(sql_.bind(question_.after[order_.outer - 1]));
      sql_.add(" AND v.vulnerability_id = f.vulnerability_id AND ");
      add_accounts("f.account_id", true);
      add_vulnerability_status();
      add_place(0, order_.outer, "=");
      add_walked_vulnerability_conditions();
      add_place(order_.outer + constant_columns(), order_.size, beyond());
      sql_.add(" UNION ALL ");
    }
    add_selected();
    sql_.add(
        fmt::format(" FROM vulnerability v CROSS JOIN {} "
                    "WHERE f.vulnerability_id = v.vulnerability_id AND ",
                    finding("finding_by_vulnerability")));
    add_accounts("f.account_id", true);
    add_vulnerability_status();
    add_walked_vulnerability_conditions();
    if (!question_.after.empty()) add_place(0, order_.outer, beyond());
  }

  // One account and one status are constants of the walk, which stand in the index before the rest.
  bool has_one_account() const { return resolved_.accounts.size() == 1; }
  void add_vulnerability_status() {
    if (columns_.statuses.size() == 1)
      sql_.add(fmt::format(" AND f.status = {}", sql_.bind(columns_.statuses.front())));
  }
  // How many columns of the place after those of the vulnerability are such constants.
  std::size_t constant_columns() const {
    const auto at = order_.outer;
    if (!has_one_account() ||
        std::get<std::string>(question_.after[at]) != resolved_.accounts.front())
      return 0;
    const bool one_status =
        columns_.statuses.size() == 1 &&
        std::get<std::int64_t>(question_.after[at + 1]) == columns_.statuses.front();
    return one_status ? 2 : 1;
  }

  void add_walked_vulnerability_conditions() {
    const auto index = question_.order == FindingOrder::epss ? VulnerabilityIndex::epss
                       : question_.order == FindingOrder::vulnerability_source
                           ? VulnerabilityIndex::source
                           : VulnerabilityIndex::key;
    add_vulnerability_conditions(sql_, question_.criteria, index, resolved_.by_packages);
  }

  void add_resource_walk() {
    bool first = true;
    for (const auto& account : resolved_.accounts) {
      if (!first) sql_.add(" UNION ALL ");
      first = false;
      if (!question_.after.empty()) {
        begin_resource_walk(account);
        add_place(0, order_.outer, "=");
        add_place(order_.outer, order_.size, beyond());
        sql_.add(" UNION ALL ");
      }
      begin_resource_walk(account);
      if (!question_.after.empty()) add_place(0, order_.outer, beyond());
    }
  }
  void begin_resource_walk(const std::string& account) {
    add_selected();
    sql_.add(
        fmt::format(" FROM resource r CROSS JOIN finding f "
                    "WHERE f.resource_id = r.resource_id AND r.account_id = {}",
                    sql_.bind(account)));
    add_resource_type();
  }
  void add_resource_type() {
    const auto* const condition = question_.criteria.find(findings::TextField::resource_type);
    if (condition == nullptr) return;
    const bool one = condition->tests.size() == 1;
    if (one && condition->tests.front().comparison == findings::Comparison::equals)
      sql_.add(fmt::format(" AND r.type = {}", sql_.bind(condition->tests.front().value)));
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
    sql_.add(" FROM ");
    if (by_vulnerability) sql_.add("vulnerability v CROSS JOIN ");
    if (by_resource) {
      sql_.add("(");
      add_resource_set(sql_, resolved_.accounts, question_.criteria, resolved_.arns);
      sql_.add(") r CROSS JOIN ");
    }
    sql_.add(finding(index_of(driver)));
    const bool joins_vulnerability =
        with_key && order_.walk == Walk::vulnerabilities && !by_vulnerability;
    const bool joins_resource = with_key && order_.walk == Walk::resources && !by_resource;
    if (joins_vulnerability) sql_.add(" CROSS JOIN vulnerability v");
    if (joins_resource) sql_.add(" CROSS JOIN resource r");
    sql_.add(" WHERE ");
    add_accounts("f.account_id");
    sql_.add(fmt::format(" AND f.status IN ({})", fmt::join(columns_.statuses, ", ")));
    if (by_vulnerability || joins_vulnerability)
      sql_.add(" AND v.vulnerability_id = f.vulnerability_id");
    if (by_resource || joins_resource) sql_.add(" AND r.resource_id = f.resource_id");
    add_driver_conditions(driver);
  }

  void add_driver_conditions(FindingDriver driver) {
    switch (driver) {
      case FindingDriver::resources:
        break;
      case FindingDriver::vulnerabilities:
        add_vulnerability_conditions(sql_, question_.criteria, VulnerabilityIndex::any,
                                     resolved_.by_packages);
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

std::size_t FindingStatements::most_walked_vulnerabilities() const {
  if (find_order(question_.question.order).walk != Walk::scores) return 0;
  return most_branches / (question_.accounts.size() * question_.columns.statuses.size());
}
SqlText FindingStatements::next_first_observed(std::size_t most) const {
  return Writer(*this).next_first_observed(most);
}
SqlText FindingStatements::chosen_vulnerabilities(std::size_t most) const {
  return Writer(*this).chosen_vulnerabilities(most);
}

}  // namespace tenken::store
