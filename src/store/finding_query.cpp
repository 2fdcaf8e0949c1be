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
// Replaced by the rank of the branch's status; ACTIVE, CLOSED, SUPPRESSED.
constexpr KeyColumn by_status_rank{"{rank}"};

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
    Walk{FindingOrder::status,
         Driver::status_index,
         {by_status_rank, by_score, by_resource, by_vulnerability, by_episode},
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

class Compiler {
 public:
  Compiler(const FindingQuestion& question, const ColumnConditions& columns, const ArnAnswer& arns)
      : question_(question), columns_(columns), arns_(arns), walk_(walk_of(question.order)) {}

  SqlText compile() {
    const auto limit = sql_.bind(static_cast<std::int64_t>(question_.limit) + 1);
    sql_.add(fmt::format("SELECT {}, ", finding_columns)).add(outer_key("k."));
    sql_.add(" FROM (");
    if (walk_.driver == Driver::status_index) {
      for (std::size_t i = 0; i < columns_.statuses.size(); ++i) {
        if (i > 0) sql_.add(" UNION ALL ");
        sql_.add("SELECT * FROM (");
        add_branch(columns_.statuses[i], limit);
        sql_.add(") b");
      }
      sql_.add(fmt::format(" ORDER BY {} LIMIT {}", outer_key("", direction()), limit));
    } else {
      add_walk(limit);
    }
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

  void add_selected(std::int64_t rank) {
    sql_.add("SELECT f.resource_id AS f1, f.vulnerability_id AS f2, f.episode AS f3");
    for (std::size_t i = 0; i < walk_.size; ++i) {
      const auto column = walk_.columns[i].expression;
      sql_.add(fmt::format(
          ", {} AS k{}",
          column == by_status_rank.expression ? std::to_string(rank) : std::string(column), i + 1));
    }
  }

  // What of the key is left to compare and to sort by, from column `first` on.
  void add_place(std::size_t first) {
    if (question_.after.empty()) return;
    std::vector<std::string> columns;
    std::vector<std::string> values;
    for (std::size_t i = first; i < walk_.size; ++i) {
      columns.emplace_back(walk_.columns[i].expression);
      values.push_back(sql_.bind(question_.after[i]));
    }
    sql_.add(fmt::format(" AND ({}) {} ({})", fmt::join(columns, ", "),
                         question_.descending ? "<" : ">", fmt::join(values, ", ")));
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

  void add_branch(std::int64_t status, std::string_view limit) {
    const auto rank = rank_of(status);
    const bool by_status = question_.order == FindingOrder::status;
    bool place = !question_.after.empty();
    bool past = false;
    if (by_status && place) {
      const auto at = std::get<std::int64_t>(question_.after.front());
      past = question_.descending ? rank > at : rank < at;
      place = rank == at;
    }
    add_selected(rank);
    sql_.add(fmt::format(" FROM finding f WHERE f.account_id = {} AND f.status = {}",
                         sql_.bind(question_.account), sql_.bind(status)));
    if (past) sql_.add(" AND 1 = 0");
    if (place) add_place(by_status ? 1 : 0);
    const bool by_score = by_status || question_.order == FindingOrder::score;
    add_outer_scores(place && by_score);
    add_conditions(sql_, "f", question_.criteria, columns_, arns_);
    add_order(by_status ? 1 : 0, limit);
  }

  void add_walk(std::string_view limit) {
    add_selected(0);
    if (walk_.driver == Driver::resources)
      sql_.add(
          " FROM resource r CROSS JOIN finding f WHERE f.resource_id = r.resource_id AND "
          "r.account_id = " +
          sql_.bind(question_.account));
    else
      sql_.add(
          " FROM vulnerability v CROSS JOIN finding f "
          "WHERE f.vulnerability_id = v.vulnerability_id");
    sql_.add(fmt::format(" AND f.account_id = {}", sql_.bind(question_.account)));
    if (columns_.statuses.size() < 3)
      sql_.add(fmt::format(" AND f.status IN ({})", fmt::join(columns_.statuses, ", ")));
    add_place(0);
    add_outer_scores(false);
    add_conditions(sql_, "f", question_.criteria, columns_, arns_);
    add_order(0, limit);
  }

  const FindingQuestion& question_;
  const ColumnConditions& columns_;
  const ArnAnswer& arns_;
  const Walk& walk_;
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
  const auto columns = column_conditions(question.account, question.criteria);
  FindingPage out;
  if (columns.impossible) return out;
  TRY(const auto arns,
      resolve_arns(connection, question.account, question.arn_start, question.criteria));
  const auto statement = Compiler(question, columns, arns).compile();
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
