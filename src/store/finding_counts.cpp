#include "store/finding_counts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "model/finding.h"

namespace tenken::store {
namespace {

// Rows of one statement: enough to make the way to the server cheap, and of few sizes, so that the
// statements stay prepared.
constexpr std::size_t many_rows = 64;
constexpr std::size_t ids_at_once = 500;

// SQLite has one writer: nothing to split.
std::int64_t count_slice(sql::Engine engine, std::int64_t resource) {
  return engine == sql::Engine::sqlite ? 0 : slice_of({resource});
}

// In the order of SeverityLevel.
constexpr std::array<std::string_view, 6> severity_columns{
    "untriaged", "informational", "low", "medium", "high", "critical"};

struct Numbers {
  std::int64_t total = 0;
  std::array<std::int64_t, severity_columns.size()> by_level{};
  std::int64_t fixable = 0;
  friend bool operator==(const Numbers&, const Numbers&) = default;

  void add(std::int64_t score, std::int64_t fix, std::int64_t sign) {
    total += sign;
    by_level[static_cast<std::size_t>(level_of_score(score))] += sign;
    if (fix == static_cast<std::int64_t>(Fix::all)) fixable += sign;
  }
};

// What is added to one of the tables: key columns, then the numbers.
struct Target {
  std::string_view table;
  std::vector<std::string_view> key;
  std::vector<std::string_view> other;  // set anew
  bool fixable = false;
};
const Target by_resource{"finding_count", {"resource_id"}, {"account_id", "type"}, false};
const Target by_title{
    "title_count", {"account_id", "vulnerability_id", "title", "type", "slice"}, {}, true};
const Target by_package{"package_count", {"account_id", "name", "slice"}, {}, false};

struct CountRow {
  std::vector<OwnedValue> columns;  // key, then other
  Numbers numbers;
};

std::vector<std::string_view> numbers_of(const Target& target) {
  std::vector<std::string_view> out{"total"};
  out.insert(out.end(), severity_columns.begin(), severity_columns.end());
  if (target.fixable) out.emplace_back("fixable");
  return out;
}

void add_row(SqlText& sql, const Target& target, const CountRow& row) {
  std::vector<std::string> values;
  for (const auto& column : row.columns) values.push_back(sql.bind(column));
  values.push_back(sql.bind(row.numbers.total));
  for (const auto number : row.numbers.by_level) values.push_back(sql.bind(number));
  if (target.fixable) values.push_back(sql.bind(row.numbers.fixable));
  sql.add(fmt::format("({})", fmt::join(values, ", ")));
}

Result<> add_rows(sql::Connection& connection, const Target& target,
                  std::span<const CountRow> rows) {
  auto columns = target.key;
  columns.insert(columns.end(), target.other.begin(), target.other.end());
  const auto numbers = numbers_of(target);
  columns.insert(columns.end(), numbers.begin(), numbers.end());
  std::vector<std::string> updates;
  for (const auto other : target.other) updates.push_back(fmt::format("{0} = excluded.{0}", other));
  for (const auto number : numbers)
    updates.push_back(fmt::format("{1} = {0}.{1} + excluded.{1}", target.table, number));
  SqlText sql;
  sql.add(fmt::format("INSERT INTO {} ({}) VALUES ", target.table, fmt::join(columns, ", ")));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) sql.add(", ");
    add_row(sql, target, rows[i]);
  }
  sql.add(fmt::format(" ON CONFLICT ({}) DO UPDATE SET {}", fmt::join(target.key, ", "),
                      fmt::join(updates, ", ")));
  TRY(const auto written, connection.run(sql.text(), sql.values()));
  CHECK(written == static_cast<std::int64_t>(rows.size()));
  return {};
}

Result<> add_all_rows(sql::Connection& connection, const Target& target,
                      std::span<const CountRow> rows) {
  while (!rows.empty()) {
    const auto part = rows.size() >= many_rows ? many_rows : 1;
    TRY_VOID(add_rows(connection, target, rows.first(part)));
    rows = rows.subspan(part);
  }
  return {};
}

std::vector<std::int64_t> ids_of(std::string_view packages) {
  std::vector<std::int64_t> out;
  for (const auto id : split(packages, ',')) {
    if (const auto number = parse_uint(id)) out.push_back(static_cast<std::int64_t>(*number));
  }
  return out;
}

// One row for each id, as the statement reads it: "… IN ({})".
template <typename F>
Result<> read_by_id(sql::Connection& connection, std::string_view statement,
                    std::span<const std::int64_t> ids, F&& take) {
  while (!ids.empty()) {
    SqlText sql;
    std::vector<std::string> parameters;
    const auto part = std::min(ids_at_once, ids.size());
    for (const auto id : ids.first(part)) parameters.push_back(sql.bind(id));
    sql.add(fmt::format(fmt::runtime(statement), fmt::join(parameters, ", ")));
    TRY(auto rows, connection.query(sql.text(), sql.values()));
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      take(*row);
    }
    ids = ids.subspan(part);
  }
  return {};
}

using Names = std::map<std::int64_t, std::string>;

Result<Names> read_names(sql::Connection& connection, const std::set<std::int64_t>& versions) {
  Names out;
  TRY_VOID(read_by_id(
      connection,
      "SELECT package_version_id, name FROM package_version WHERE package_version_id IN ({})",
      std::vector(versions.begin(), versions.end()),
      [&](const sql::Row& row) { out.emplace(row.integer(0), row.string(1)); }));
  return out;
}

// Under which type the findings of a resource are counted, and its own.
struct ResourceTypes {
  std::string account;
  std::string counted;
  std::string present;
};
using Types = std::map<std::int64_t, ResourceTypes>;

// In two statements: joined, PostgreSQL reads the whole of finding_count for a few hundred ids.
Result<Types> read_types(sql::Connection& connection, const std::set<std::int64_t>& resources) {
  const std::vector ids(resources.begin(), resources.end());
  Types out;
  TRY_VOID(read_by_id(
      connection, "SELECT resource_id, account_id, type FROM resource WHERE resource_id IN ({})",
      ids, [&](const sql::Row& row) {
        out.emplace(row.integer(0), ResourceTypes{row.string(1), row.string(2), row.string(2)});
      }));
  TRY_VOID(read_by_id(connection,
                      "SELECT resource_id, type FROM finding_count WHERE resource_id IN ({})", ids,
                      [&](const sql::Row& row) {
                        if (const auto known = out.find(row.integer(0)); known != out.end())
                          known->second.counted = row.string(1);
                      }));
  return out;
}

}  // namespace

std::string title_of(std::string_view vulnerability, const std::vector<std::string>& names) {
  auto out = std::string(vulnerability);
  if (!names.empty()) out += fmt::format(" - {}", names[0]);
  if (names.size() > 1) out += fmt::format(", {}", names[1]);
  if (names.size() > 2) out += fmt::format(" and {} more", names.size() - 2);
  return out;
}

namespace {

// A tally by the rows that it changes.
class CountRows {
 public:
  CountRows(sql::Engine engine, const Names& names) : engine_(engine), names_(names) {}

  // The present type of a resource that has changed it, be it that no finding is counted.
  void retype(std::int64_t resource, const ResourceTypes& types) {
    auto& of_resource = resources_[resource];
    of_resource.account = types.account;
    of_resource.type = types.present;
  }
  void add(const FindingName& name, const Counted& one, const std::string& type,
           std::int64_t sign) {
    const auto& [resource, vulnerability] = name;
    const auto& names = names_of_packages(one.packages);
    const auto slice = count_slice(engine_, resource);
    auto& of_resource = resources_.try_emplace(resources_.end(), resource)->second;
    of_resource.account = one.account;
    // What is counted anew comes after what is taken away: the last type is the present one.
    of_resource.type = type;
    of_resource.numbers.add(one.score, one.fix, sign);
    const auto title = title_of(vulnerability, names);
    row_of(titles_, std::tie(one.account, vulnerability, title, type, slice))
        .add(one.score, one.fix, sign);
    for (const auto& package : names)
      row_of(packages_, std::tie(one.account, package, slice)).add(one.score, one.fix, sign);
  }

  Result<> write(sql::Connection& connection) const {
    TRY_VOID(write_resources(connection));
    TRY_VOID(write_titles(connection));
    return write_packages(connection);
  }

 private:
  struct OfResource {
    std::string account;
    std::string type;
    Numbers numbers;
  };
  using TitleKey = std::tuple<std::string, std::string, std::string, std::string, std::int64_t>;
  using PackageKey = std::tuple<std::string, std::string, std::int64_t>;

  // The key is copied for a new row alone: most changes are of few rows.
  template <typename Rows, typename Key>
  static Numbers& row_of(Rows& rows, const Key& key) {
    const auto known = rows.find(key);
    return known != rows.end() ? known->second : rows.emplace(key, Numbers()).first->second;
  }

  // Without doubles, in order. Many findings have the same packages.
  const std::vector<std::string>& names_of_packages(const std::string& packages) {
    const auto [known, is_new] = names_of_.try_emplace(packages);
    if (!is_new) return known->second;
    std::set<std::string> sorted;
    for (const auto id : ids_of(packages)) {
      if (const auto name = names_.find(id); name != names_.end()) sorted.insert(name->second);
    }
    known->second.assign(sorted.begin(), sorted.end());
    return known->second;
  }

  Result<> write_resources(sql::Connection& connection) const {
    std::vector<CountRow> rows;
    for (const auto& [id, one] : resources_)
      rows.push_back({{id, one.account, one.type}, one.numbers});
    return add_all_rows(connection, by_resource, rows);
  }
  Result<> write_titles(sql::Connection& connection) const {
    std::vector<CountRow> rows;
    for (const auto& [key, numbers] : titles_) {
      const auto& [account, vulnerability, title, type, slice] = key;
      if (numbers != Numbers{})
        rows.push_back({{account, vulnerability, title, type, slice}, numbers});
    }
    return add_all_rows(connection, by_title, rows);
  }
  Result<> write_packages(sql::Connection& connection) const {
    std::vector<CountRow> rows;
    for (const auto& [key, numbers] : packages_) {
      const auto& [account, name, slice] = key;
      if (numbers != Numbers{}) rows.push_back({{account, name, slice}, numbers});
    }
    return add_all_rows(connection, by_package, rows);
  }

  sql::Engine engine_;
  const Names& names_;
  std::unordered_map<std::string, std::vector<std::string>> names_of_;  // by ids of versions
  std::map<std::int64_t, OfResource> resources_;
  std::map<TitleKey, Numbers, std::less<>> titles_;
  std::map<PackageKey, Numbers, std::less<>> packages_;
};

}  // namespace

void CountTally::note(FindingName name, Counted counted, std::int64_t sign) {
  const bool is_retyped = retyped_.contains(name.first);
  changes_.push_back({std::move(name), std::move(counted), sign, is_retyped});
}

void CountTally::add(FindingName name, Counted counted) {
  note(std::move(name), std::move(counted), 1);
}

void CountTally::take_away(FindingName name, Counted counted) {
  note(std::move(name), std::move(counted), -1);
}

void CountTally::retype(ResourceId resource) {
  retyped_.insert(resource.value);
}

Result<> CountTally::write(sql::Connection& connection) const {
  std::set<std::string_view> packages;
  auto resources = retyped_;
  for (const auto& change : changes_) {
    packages.insert(change.counted.packages);
    resources.insert(resources.end(), change.name.first);
  }
  std::set<std::int64_t> versions;
  for (const auto one : packages) {
    for (const auto id : ids_of(one)) versions.insert(id);
  }
  if (resources.empty()) return {};
  TRY(const auto names, read_names(connection, versions));
  TRY(const auto types, read_types(connection, resources));
  const ResourceTypes none;  // of a resource that is forgotten
  CountRows rows(connection.engine(), names);
  for (const auto& change : changes_) {
    const auto known = types.find(change.name.first);
    const auto& [account, counted, present] = known == types.end() ? none : known->second;
    rows.add(change.name, change.counted, change.is_retyped ? present : counted, change.sign);
  }
  for (const auto resource : retyped_) {
    if (const auto known = types.find(resource); known != types.end())
      rows.retype(resource, known->second);
  }
  return rows.write(connection);
}

Result<bool> is_counted_as_another(sql::Connection& connection, ResourceId resource) {
  TRY(const auto differs, connection.one_integer("SELECT 1 FROM finding_count c JOIN resource r "
                                                 "ON r.resource_id = c.resource_id "
                                                 "WHERE c.resource_id = ?1 AND c.type <> r.type",
                                                 resource.value));
  return differs.has_value();
}

Result<std::int64_t> prune_counts(sql::Connection& connection) {
  std::int64_t out = 0;
  for (const auto table : {"finding_count", "title_count", "package_count"}) {
    TRY(const auto removed, connection.run(fmt::format("DELETE FROM {} WHERE total = 0", table)));
    out += removed;
  }
  return out;
}

}  // namespace tenken::store
