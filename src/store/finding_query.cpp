#include "store/finding_query.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace tenken::store {
namespace {

constexpr std::size_t most_rows = 1000;

enum class Driver : std::uint8_t { status_index, vulnerabilities, resources };
enum class Kind : char { integer = 'i', number = 'd', text = 's' };

struct KeyColumn {
  std::string_view expression;
  Kind kind = Kind::integer;
};

// An order: what is walked, and the columns of its key, each walked in the same direction.
struct Walk {
  FindingOrder order;
  Driver driver;
  std::array<KeyColumn, 6> columns;
  std::size_t size;
  std::span<const KeyColumn> key() const { return std::span(columns).first(size); }
};

constexpr KeyColumn by_score{"f.score"};
constexpr KeyColumn by_status{"f.status"};
constexpr KeyColumn by_episode{"f.episode"};
constexpr KeyColumn by_last_observed{"f.last_observed_at"};
constexpr KeyColumn by_resource{"f.resource_id"};
constexpr KeyColumn by_vulnerability{"f.vulnerability_id", Kind::text};
constexpr KeyColumn by_walked_vulnerability{"v.vulnerability_id", Kind::text};
constexpr KeyColumn by_walked_resource{"r.resource_id"};
// Constant within a branch: its account, or the place of its status in ACTIVE, CLOSED, SUPPRESSED.
constexpr KeyColumn by_branch_account{"f.account_id", Kind::text};
constexpr KeyColumn by_branch_status{"CASE f.status WHEN 1 THEN 0 WHEN 3 THEN 1 ELSE 2 END",
                                     Kind::integer};

constexpr std::array walks{
    Walk{FindingOrder::score,
         Driver::status_index,
         {by_score, by_resource, by_vulnerability, by_episode},
         4},
    Walk{FindingOrder::first_observed,
         Driver::status_index,
         {by_episode, by_resource, by_vulnerability},
         3},
    Walk{FindingOrder::last_observed,
         Driver::status_index,
         {by_last_observed, by_resource, by_vulnerability, by_episode},
         4},
    Walk{FindingOrder::account,
         Driver::status_index,
         {by_branch_account, by_score, by_resource, by_vulnerability, by_episode},
         5},
    Walk{FindingOrder::status,
         Driver::status_index,
         {by_branch_status, by_score, by_resource, by_vulnerability, by_episode},
         5},
    Walk{FindingOrder::resource_type,
         Driver::resources,
         {KeyColumn{"r.type", Kind::text}, by_walked_resource, by_vulnerability, by_episode},
         4},
    Walk{FindingOrder::vulnerability,
         Driver::vulnerabilities,
         {by_walked_vulnerability, by_status, by_score, by_resource, by_episode},
         5},
    Walk{FindingOrder::vulnerability_source,
         Driver::vulnerabilities,
         {KeyColumn{"v.source", Kind::text}, by_walked_vulnerability, by_status, by_score,
          by_resource, by_episode},
         6},
    Walk{FindingOrder::epss,
         Driver::vulnerabilities,
         {KeyColumn{"v.epss", Kind::number}, by_walked_vulnerability, by_status, by_score,
          by_resource, by_episode},
         6},
};

const Walk& walk_of(FindingOrder order) {
  const auto* found = std::ranges::find(walks, order, &Walk::order);
  CHECK(found != walks.end());
  return *found;
}

std::int64_t rank_of(std::int64_t status) {
  return status == 1 ? 0 : status == 3 ? 1 : 2;
}

// More accounts than this are one branch, which the engine has to sort.
constexpr std::size_t most_account_branches = 100;

struct Branch {
  std::vector<std::string> accounts;
  std::int64_t status = 0;
};

std::vector<Branch> branches_of(const std::vector<std::string>& accounts,
                                const std::vector<std::int64_t>& statuses) {
  std::vector<Branch> out;
  for (const auto status : statuses) {
    if (accounts.size() > most_account_branches) {
      out.push_back({accounts, status});
      continue;
    }
    for (const auto& account : accounts) out.push_back({{account}, status});
  }
  return out;
}

bool names_resources(const findings::Criteria& criteria) {
  const auto* const condition = criteria.find(findings::TextField::resource_id);
  return condition != nullptr &&
         std::ranges::all_of(condition->tests, [](const findings::TextTest& test) {
           return test.comparison == findings::Comparison::equals;
         });
}

class Compiler {
 public:
  Compiler(const FindingQuestion& question, std::vector<std::string> accounts,
           const ColumnConditions& columns, const ArnAnswer& arns)
      : question_(question),
        accounts_(std::move(accounts)),
        columns_(columns),
        arns_(arns),
        walk_(walk_of(question.order)) {}

  SqlText compile() {
    const auto limit = sql_.bind(static_cast<std::int64_t>(question_.limit) + 1);
    sql_.add(fmt::format("SELECT {}, {} FROM (", finding_columns, outer_key("k.")));
    if (walk_.driver == Driver::status_index)
      add_branches(limit);
    else
      add_walk(limit);
    sql_.add(
        ") k CROSS JOIN finding f CROSS JOIN resource r CROSS JOIN vulnerability v "
        "WHERE f.resource_id = k.f1 AND f.vulnerability_id = k.f2 AND f.episode = k.f3 "
        "AND r.resource_id = k.f1 AND v.vulnerability_id = k.f2 ORDER BY ");
    sql_.add(outer_key("k.", direction()));
    return std::move(sql_);
  }

 private:
  std::string_view direction() const { return question_.descending ? " DESC" : ""; }

  // "k.k1 DESC, k.k2 DESC"
  std::string outer_key(std::string_view prefix, std::string_view suffix = "") const {
    std::string out;
    for (std::size_t i = 1; i <= walk_.size; ++i)
      out += fmt::format("{}{}k{}{}", i == 1 ? "" : ", ", prefix, i, suffix);
    return out;
  }

  void add_selected() {
    sql_.add("SELECT f.resource_id AS f1, f.vulnerability_id AS f2, f.episode AS f3");
    for (std::size_t i = 0; i < walk_.size; ++i)
      sql_.add(fmt::format(", {} AS k{}", walk_.columns[i].expression, i + 1));
  }

  // After the place, by the columns of the key from `first` on.
  void add_place(std::size_t first) {
    std::vector<std::string_view> columns;
    std::vector<std::string> values;
    for (std::size_t i = first; i < walk_.size; ++i) {
      columns.push_back(walk_.columns[i].expression);
      values.push_back(sql_.bind(question_.after[i]));
    }
    sql_.add(fmt::format(" AND ({}) {} ({})", fmt::join(columns, ", "),
                         question_.descending ? "<" : ">", fmt::join(values, ", ")));
  }

  // The same said of the walked table alone, so that its index is entered at the place.
  void add_outer_place() {
    std::vector<std::string_view> columns;
    std::vector<std::string> values;
    for (std::size_t i = 0; !walk_.columns[i].expression.starts_with("f."); ++i) {
      columns.push_back(walk_.columns[i].expression);
      values.push_back(sql_.bind(question_.after[i]));
    }
    sql_.add(fmt::format(" AND ({}) {} ({})", fmt::join(columns, ", "),
                         question_.descending ? "<=" : ">=", fmt::join(values, ", ")));
  }

  void add_order(std::size_t first, std::string_view limit) {
    std::vector<std::string> terms;
    for (std::size_t i = first; i < walk_.size; ++i)
      terms.push_back(fmt::format("{}{}", walk_.columns[i].expression, direction()));
    sql_.add(fmt::format(" ORDER BY {} LIMIT {}", fmt::join(terms, ", "), limit));
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

  // How a branch lies to the place, where its constant leads the key: before it in the order
  // (passed), at it, or after it.
  std::strong_ordering to_place(const Branch& branch) const {
    const auto order =
        question_.order == FindingOrder::account
            ? branch.accounts.front() <=> std::get<std::string>(question_.after.front())
            : rank_of(branch.status) <=> std::get<std::int64_t>(question_.after.front());
    return question_.descending ? 0 <=> order : order;
  }

  void add_branches(std::string_view limit) {
    bool first = true;
    for (const auto& branch : branches_of(accounts_, columns_.statuses)) {
      sql_.add(first ? "SELECT * FROM (" : " UNION ALL SELECT * FROM (");
      first = false;
      add_branch(branch, limit);
      sql_.add(") b");
    }
    sql_.add(fmt::format(" ORDER BY {} LIMIT {}", outer_key("", direction()), limit));
  }

  void add_branch(const Branch& branch, std::string_view limit) {
    const bool leads = (question_.order == FindingOrder::account && branch.accounts.size() == 1) ||
                       question_.order == FindingOrder::status;
    const std::size_t first = leads ? 1 : 0;
    bool place = !question_.after.empty();
    add_selected();
    sql_.add(" FROM finding f WHERE ");
    add_accounts("f", branch.accounts, names_resources_);
    sql_.add(fmt::format(" AND f.status{} = {}", names_resources_ ? " + 0" : "",
                         sql_.bind(branch.status)));
    if (names_resources_) add_named_resources(branch.accounts);
    if (place && leads) {
      const auto order = to_place(branch);
      if (order < 0) sql_.add(" AND 1 = 0");
      place = order == 0;
    }
    if (place) add_place(first);
    const bool says_score = walk_.columns[first].expression == "f.score";
    add_outer_scores(place && says_score);
    add_conditions(sql_, "f", question_.criteria, columns_, arns_);
    add_order(first, limit);
  }

  // Resources that the question names one by one have few findings: these are gathered by the key
  // of the table and sorted. What hides account and status keeps SQLite from their indexes.
  void add_named_resources(const std::vector<std::string>& accounts) {
    const auto* const condition = question_.criteria.find(findings::TextField::resource_id);
    std::vector<std::string> ids;
    for (const auto& test : condition->tests) {
      for (const auto& account : accounts)
        ids.push_back(sql_.bind(resource_id(account, test.value).value));
    }
    sql_.add(fmt::format(" AND f.resource_id IN ({})", fmt::join(ids, ", ")));
  }

  void add_accounts(std::string_view table, const std::vector<std::string>& accounts,
                    bool hidden = false) {
    std::vector<std::string> values;
    for (const auto& account : accounts) values.push_back(sql_.bind(account));
    if (hidden) {
      sql_.add(fmt::format("{}.account_id || '' IN ({})", table, fmt::join(values, ", ")));
      return;
    }
    if (values.size() == 1)
      sql_.add(fmt::format("{}.account_id = {}", table, values.front()));
    else
      sql_.add(fmt::format("{}.account_id IN ({})", table, fmt::join(values, ", ")));
  }

  void add_walk(std::string_view limit) {
    add_selected();
    if (walk_.driver == Driver::resources) {
      sql_.add(" FROM resource r CROSS JOIN finding f WHERE f.resource_id = r.resource_id AND ");
      add_accounts("r", accounts_);
    } else {
      sql_.add(
          " FROM vulnerability v CROSS JOIN finding f "
          "WHERE f.vulnerability_id = v.vulnerability_id");
    }
    sql_.add(" AND ");
    add_accounts("f", accounts_, names_resources_ || walk_.driver == Driver::resources);
    if (names_resources_) add_named_resources(accounts_);
    if (columns_.statuses.size() < 3)
      sql_.add(fmt::format(" AND f.status IN ({})", fmt::join(columns_.statuses, ", ")));
    if (!question_.after.empty()) {
      add_outer_place();
      add_place(0);
    }
    add_outer_scores(false);
    add_conditions(sql_, "f", question_.criteria, columns_, arns_);
    add_order(0, limit);
  }

  const FindingQuestion& question_;
  std::vector<std::string> accounts_;
  const ColumnConditions& columns_;
  const ArnAnswer& arns_;
  const Walk& walk_;
  bool names_resources_ = names_resources(question_.criteria);
  SqlText sql_;
};

Position read_position(const sql::Row& row, const Walk& walk) {
  Position out;
  int column = finding_column_count;
  for (const auto& key : walk.key()) {
    switch (key.kind) {
      case Kind::integer:
        out.emplace_back(row.integer(column));
        break;
      case Kind::number:
        out.emplace_back(row.number(column));
        break;
      case Kind::text:
        out.emplace_back(row.string(column));
        break;
    }
    ++column;
  }
  return out;
}

}  // namespace

Result<FindingPage> list_findings(sql::Connection& connection, const FindingQuestion& question) {
  CHECK(question.limit > 0 && question.limit <= most_rows);
  const auto columns = column_conditions(question.criteria);
  auto accounts = accounts_meant(question.accounts, question.criteria);
  FindingPage out;
  if (columns.impossible || accounts.empty()) return out;
  TRY(const auto arns, resolve_arns(connection, accounts, question.criteria));
  const auto statement = Compiler(question, std::move(accounts), columns, arns).compile();
  {
    TRY(auto rows, connection.query(statement.text(), statement.values()));
    Position last;
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      if (out.findings.size() == question.limit) {
        out.next = std::move(last);
        break;
      }
      out.findings.push_back(read_finding(*row));
      last = read_position(*row, walk_of(question.order));
    }
  }
  TRY_VOID(read_packages(connection, out.findings));
  return out;
}

std::vector<std::string> to_texts(const Position& position) {
  struct Text {
    std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(const std::string& value) const { return value; }
  };
  std::vector<std::string> out;
  for (const auto& value : position) out.push_back(std::visit(Text{}, value));
  return out;
}

Result<Position> to_position(const std::vector<std::string>& texts, FindingOrder order) {
  const auto key = walk_of(order).key();
  if (texts.size() != key.size()) return invalid("a place of another order");
  Position out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto& text = texts[i];
    if (key[i].kind == Kind::text) {
      out.emplace_back(text);
    } else if (key[i].kind == Kind::number) {
      double value = 0;
      std::from_chars(text.data(), text.data() + text.size(), value);
      out.emplace_back(value);
    } else {
      std::int64_t value = 0;
      std::from_chars(text.data(), text.data() + text.size(), value);
      out.emplace_back(value);
    }
  }
  return out;
}

}  // namespace tenken::store
