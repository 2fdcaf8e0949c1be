#include "store/finding_query.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "store/finding_orders.h"
#include "store/finding_statements.h"

namespace tenken::store {
namespace {

using Kind = KeyColumn::Kind;

constexpr std::size_t most_rows = 1000;

// A question is first tried on so many findings: criteria that most findings meet need no more.
constexpr std::size_t first_window = 256;
// How far a page looks, by what a row costs on each engine.
struct Limits {
  // What a driver brings at most to be gathered. What is not gathered is, where conditions do not
  // depend on the order, at least one in so many: of five million findings one in 250.
  std::size_t most_gathered;
  std::size_t most_rows_gathered;  // where each row is looked at
  // Then the order is walked so far. A page that is not full by then is shown as it is, and the
  // next one goes on behind the window.
  std::size_t last_window;
  // Where each finding of the window costs another look at the tables, and where it costs many.
  std::size_t last_costly_window;
  std::size_t last_very_costly_window;
  // Findings that are sorted by what stands in the driver's index, which takes less than to gather
  // them.
  std::size_t most_sorted;
};
constexpr Limits sqlite_limits{20'000, 6'000, 16'384, 4'096, 2'048, 150'000};
constexpr Limits postgresql_limits{12'000, 2'500, 10'240, 2'560, 1'024, 20'000};
// Matches of the packages meant, up to which their vulnerabilities are worth looking for.
constexpr std::size_t most_package_matches = 20'000;

// In the order of scores.
Position position_of(const FindingRow& finding) {
  return {finding.score, finding.key.resource.value, finding.key.vulnerability,
          finding.key.episode};
}

// By account, status and vendor severity is by score, within each.
bool is_in_parts(FindingOrder order) {
  return order == FindingOrder::account || order == FindingOrder::status ||
         order == FindingOrder::vendor_severity;
}

std::vector<KeyColumn> whole_key(FindingOrder order) {
  if (!is_in_parts(order)) {
    const auto key = key_of(order);
    return {key.begin(), key.end()};
  }
  const auto key = key_of(FindingOrder::score);
  std::vector<KeyColumn> out;
  if (order == FindingOrder::account)
    out.push_back({"f.account_id", Kind::text});
  else
    out.push_back({"f.status"});  // or what the vendor's word means: a number too
  out.insert(out.end(), key.begin(), key.end());
  return out;
}

Position read_position(const sql::Row& row, FindingOrder order, int column) {
  Position out;
  for (const auto& key : key_of(order)) {
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

// One page, by whichever way costs least.
class Lister {
 public:
  Lister(sql::Connection& connection, ResolvedQuestion resolved)
      : connection_(connection),
        resolved_(std::move(resolved)),
        question_(resolved_.question),
        statements_(resolved_),
        limits_(connection.engine() == sql::Engine::sqlite ? sqlite_limits : postgresql_limits) {}
  Lister(const Lister&) = delete;
  Lister& operator=(const Lister&) = delete;

  Result<FindingPage> list() {
    // Resources that are named one by one have few findings.
    if (names_resources(question_.criteria))
      return read(statements_.gathered(FindingDriver::resources));
    // Resources are walked over where none of the findings is wanted: better not by few at a time.
    const auto drivers = statements_.drivers();
    const bool by_resources = find_order(question_.order).walk == Walk::resources &&
                              drivers.front() == FindingDriver::resources;
    if (by_resources) {
      TRY(const auto few, brings_few(FindingDriver::resources));
      if (few) return read(statements_.gathered(FindingDriver::resources));
    }
    TRY(auto page, walk(first_window));
    if (is_complete_) return page;
    // What is not rare needs a little more.
    if (const auto hits = page.findings.size(); hits >= 3 && !is_very_costly()) {
      TRY(page, walk(std::bit_ceil(first_window * 2 * (question_.limit + 1) / hits)));
      if (is_complete_) return page;
    }
    for (const auto driver : drivers) {
      TRY(const auto few, brings_few(driver));
      if (few) return read(statements_.gathered(driver));
    }
    // A vulnerability appears everywhere at once, when it becomes known: far from the place,
    // perhaps.
    if (question_.order == FindingOrder::first_observed && have_vulnerabilities()) {
      TRY(const auto brings,
          count(statements_.driven(FindingDriver::vulnerabilities, limits_.most_sorted + 1)));
      if (brings <= limits_.most_sorted) {
        statements_.walk_driver();
        return walk(limits_.last_very_costly_window);
      }
    }
    TRY(const auto chosen, choose_vulnerabilities());
    if (chosen) {  // most of their findings are meant
      TRY(page, walk(first_window));
      if (is_complete_) return page;
    }
    return walk(is_very_costly()           ? limits_.last_very_costly_window
                : statements_.reads_rows() ? limits_.last_costly_window
                                           : limits_.last_window);
  }

 private:
  Result<bool> brings_few(FindingDriver driver) {
    const auto most = is_very_costly() || statements_.reads_rows(driver)
                          ? limits_.most_rows_gathered
                          : limits_.most_gathered;
    TRY(const auto brings, count(statements_.driven(driver, most + 1)));
    return brings <= most;
  }
  bool is_very_costly() const {
    return !question_.criteria.packages.empty() ||
           question_.criteria.find(findings::TextField::title) != nullptr;
  }

  Result<FindingPage> walk(std::size_t rows) {
    TRY(auto page, read(statements_.window(rows)));
    is_complete_ = statements_.unconditional() || !page.next.empty();
    if (is_complete_) return page;
    const auto end = statements_.window_end(rows);
    TRY(auto found, connection_.query(end.text(), end.values()));
    TRY(const auto* row, found->next());
    is_complete_ = row == nullptr;
    if (row != nullptr) page.next = read_position(*row, question_.order, 0);
    return page;
  }

  Result<FindingPage> read(const SqlText& statement) {
    FindingPage out;
    TRY(auto rows, connection_.query(statement.text(), statement.values()));
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      if (out.findings.size() == question_.limit) {
        out.next = out.places.back();
        break;
      }
      out.findings.push_back(read_finding(*row));
      out.places.push_back(read_position(*row, question_.order, finding_column_count));
    }
    return out;
  }

  Result<std::size_t> count(const SqlText& statement) {
    TRY(const auto number, connection_.one_integer(statement.text(), statement.values()));
    return static_cast<std::size_t>(number.value_or(0));
  }

  bool have_vulnerabilities() const {
    const auto drivers = statements_.drivers();
    return std::ranges::find(drivers, FindingDriver::vulnerabilities) != drivers.end();
  }

  // Findings of few vulnerabilities may be many, and stand anywhere in the order of scores. Whether
  // these are walked now.
  Result<bool> choose_vulnerabilities() {
    const auto most = statements_.most_walked_vulnerabilities();
    if (most == 0 || !have_vulnerabilities()) return false;
    const auto statement = statements_.chosen_vulnerabilities(most + 1);
    std::vector<std::string> ids;
    TRY(auto rows, connection_.query(statement.text(), statement.values()));
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      ids.push_back(row->string(0));
    }
    if (ids.size() > most) return false;
    statements_.walk_vulnerabilities(std::move(ids));
    return true;
  }

  sql::Connection& connection_;
  ResolvedQuestion resolved_;
  FindingQuestion& question_;
  FindingStatements statements_;
  const Limits& limits_;
  bool is_complete_ = false;
};

// While one lives, PostgreSQL plans each statement for its values. Else, after some times, it takes
// a plan for any values, in which the vulnerabilities walked over seem so few that all their
// findings are sorted. Other walks have parts for each account, whose plan takes longer.
class PlansForValues {
 public:
  static Result<PlansForValues> begin(sql::Connection& connection, FindingOrder order) {
    if (connection.engine() == sql::Engine::sqlite ||
        find_order(order).walk != Walk::vulnerabilities)
      return PlansForValues(nullptr);
    TRY_VOID(connection.script("SET plan_cache_mode = force_custom_plan"));
    return PlansForValues(&connection);
  }
  PlansForValues(PlansForValues&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  PlansForValues& operator=(PlansForValues&&) = delete;
  ~PlansForValues() {
    if (connection_ != nullptr) (void)connection_->script("RESET plan_cache_mode");
  }

 private:
  explicit PlansForValues(sql::Connection* connection) : connection_(connection) {}
  sql::Connection* connection_;
};

Result<bool> match_few(sql::Connection& connection, const findings::Criteria& criteria) {
  if (!packages_choose(criteria)) return false;
  SqlText sql;
  sql.add("SELECT COUNT(*) FROM (");
  add_package_matches(sql, criteria);
  sql.add(fmt::format(" LIMIT {}) m", most_package_matches + 1));
  TRY(const auto found, connection.one_integer(sql.text(), sql.values()));
  return found.value_or(0) <= static_cast<std::int64_t>(most_package_matches);
}

// Pages of accounts, brought together. Of each account everything is known up to where its page
// ends, so that the page of all ends where the first of them does.
FindingPage merged(const std::vector<FindingPage>& pages, const FindingQuestion& question) {
  const auto before = [&](const Position& a, const Position& b) {
    return question.descending ? b < a : a < b;
  };
  const Position* end = nullptr;
  std::vector<std::pair<const Position*, const FindingRow*>> all;
  for (const auto& page : pages) {
    if (!page.next.empty() && (end == nullptr || before(page.next, *end))) end = &page.next;
    for (std::size_t i = 0; i < page.findings.size(); ++i)
      all.emplace_back(&page.places[i], &page.findings[i]);
  }
  std::ranges::sort(all, [&](const auto& a, const auto& b) { return before(*a.first, *b.first); });
  if (end != nullptr) std::erase_if(all, [&](const auto& one) { return before(*end, *one.first); });
  FindingPage out;
  for (const auto& [place, finding] : all) {
    if (out.findings.size() == question.limit) {
      out.next = out.places.back();
      return out;
    }
    out.findings.push_back(*finding);
    out.places.push_back(*place);
  }
  if (end != nullptr) out.next = *end;
  return out;
}

Result<FindingPage> list_by_accounts(sql::Connection& connection,
                                     const ResolvedQuestion& resolved) {
  TRY(const auto plans, PlansForValues::begin(connection, resolved.question.order));
  const auto at_once = most_accounts_at_once(resolved);
  if (resolved.accounts.size() <= at_once) return Lister(connection, resolved).list();
  std::vector<FindingPage> pages;
  std::span<const std::string> rest(resolved.accounts);
  while (!rest.empty()) {
    const auto part = rest.first(std::min(at_once, rest.size()));
    auto one = resolved;
    one.accounts.assign(part.begin(), part.end());
    TRY(auto page, Lister(connection, std::move(one)).list());
    pages.push_back(std::move(page));
    rest = rest.subspan(part.size());
  }
  return merged(pages, resolved.question);
}

// The place of a status' name in ACTIVE, CLOSED, SUPPRESSED.
std::int64_t rank_of(std::int64_t status) {
  return status == 1 ? 0 : status == 3 ? 1 : 2;
}

// A part of the list in which the first column of the key is the same; the rest is by score.
struct Part {
  OwnedValue key;
  std::vector<std::string> accounts;
  std::vector<std::int64_t> statuses;
  findings::TextTests vendor_words = {};  // empty: any
};

// The words of vendors as they write them, the weakest first; those of a group mean the same.
constexpr std::array<std::array<std::string_view, 3>, 5> vendor_words{
    {{"none"},
     {"low", "negligible", "unimportant"},
     {"medium", "moderate"},
     {"high", "important"},
     {"critical"}}};

void add_spellings(findings::TextTests& out, std::string_view word, findings::Comparison test) {
  if (word.empty()) return;
  const auto upper = [](char c) { return static_cast<char>(c - 'a' + 'A'); };
  std::string all(word);
  std::ranges::transform(all, all.begin(), upper);
  out.push_back({test, std::string(word)});
  out.push_back({test, upper(word.front()) + std::string(word.substr(1))});
  out.push_back({test, all});
}

// What is written in no known way is in the first, with what no vendor has rated.
std::vector<Part> parts_by_vendor(const ResolvedQuestion& resolved) {
  std::vector<Part> out{{std::int64_t{0}, resolved.accounts, resolved.columns.statuses}};
  for (const auto& group : vendor_words) {
    auto& part =
        out.emplace_back(std::int64_t(out.size()), resolved.accounts, resolved.columns.statuses);
    for (const auto word : group) {
      add_spellings(part.vendor_words, word, findings::Comparison::equals);
      add_spellings(out.front().vendor_words, word, findings::Comparison::not_equals);
    }
  }
  return out;
}

std::vector<Part> parts_of(const ResolvedQuestion& resolved) {
  std::vector<Part> out;
  if (resolved.question.order == FindingOrder::account) {
    for (const auto& account : resolved.accounts)
      out.push_back({account, {account}, resolved.columns.statuses});
  } else if (resolved.question.order == FindingOrder::vendor_severity) {
    out = parts_by_vendor(resolved);
  } else {
    for (const auto status : resolved.columns.statuses)
      out.push_back({rank_of(status), resolved.accounts, {status}});
  }
  std::ranges::sort(out, {}, &Part::key);
  if (resolved.question.descending) std::ranges::reverse(out);
  return out;
}

// One part after the other.
Result<FindingPage> list_in_parts(sql::Connection& connection, const ResolvedQuestion& resolved) {
  const auto& asked = resolved.question;
  const auto parts = parts_of(resolved);
  FindingPage out;
  for (const auto& part : parts) {
    const bool begun = !asked.after.empty();
    if (begun && (asked.descending ? part.key > asked.after[0] : part.key < asked.after[0]))
      continue;
    auto one = resolved;
    one.question.order = FindingOrder::score;
    one.question.limit = asked.limit - out.findings.size();
    one.question.after.clear();
    if (begun && part.key == asked.after[0])
      one.question.after.assign(asked.after.begin() + 1, asked.after.end());
    one.accounts = part.accounts;
    one.columns.statuses = part.statuses;
    if (!part.vendor_words.empty())
      one.question.criteria.texts.push_back(
          {findings::TextField::vendor_severity, part.vendor_words});
    TRY(auto page, list_by_accounts(connection, one));
    out.findings.insert(out.findings.end(), std::make_move_iterator(page.findings.begin()),
                        std::make_move_iterator(page.findings.end()));
    const bool is_full = out.findings.size() == asked.limit;
    if (page.next.empty() && !is_full) continue;
    if (page.next.empty() && &part == &parts.back()) break;
    out.next = page.next.empty() ? position_of(out.findings.back()) : std::move(page.next);
    out.next.insert(out.next.begin(), part.key);
    break;
  }
  return out;
}

}  // namespace

Result<FindingPage> list_findings(sql::Connection& connection, const FindingQuestion& question) {
  CHECK(question.limit > 0 && question.limit <= most_rows);
  ResolvedQuestion resolved{.question = question,
                            .accounts = accounts_meant(question.accounts, question.criteria),
                            .columns = column_conditions(question.criteria),
                            .engine = connection.engine()};
  if (resolved.columns.impossible || resolved.accounts.empty()) return FindingPage();
  TRY(resolved.arns, resolve_arns(connection, resolved.accounts, question.criteria));
  TRY(resolved.by_packages, match_few(connection, question.criteria));
  TRY(auto page, is_in_parts(question.order) ? list_in_parts(connection, resolved)
                                             : list_by_accounts(connection, resolved));
  TRY_VOID(read_packages(connection, page.findings));
  return page;
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

namespace {

template <typename Number>
Result<Number> read_whole(std::string_view text) {
  Number out{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (fault != std::errc() || end != text.data() + text.size())
    return invalid("a place that is no number");
  return out;
}

}  // namespace

Result<Position> to_position(const std::vector<std::string>& texts, FindingOrder order) {
  const auto key = whole_key(order);
  if (texts.size() != key.size()) return invalid("a place of another order");
  Position out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i].kind == Kind::text) {
      out.emplace_back(texts[i]);
    } else if (key[i].kind == Kind::number) {
      TRY(const auto value, read_whole<double>(texts[i]));
      out.emplace_back(value);
    } else {
      TRY(const auto value, read_whole<std::int64_t>(texts[i]));
      out.emplace_back(value);
    }
  }
  return out;
}

}  // namespace tenken::store
