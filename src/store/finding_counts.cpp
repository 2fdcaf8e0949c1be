#include "store/finding_counts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

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

// A row's key and what is set anew with it, of which a table has up to five; the numbers are added.
struct CountRow {
  std::array<sql::Value, 5> columns;
  const Numbers* numbers = nullptr;
};

std::vector<std::string_view> numbers_of(const Target& target) {
  std::vector<std::string_view> out{"total"};
  out.insert(out.end(), severity_columns.begin(), severity_columns.end());
  if (target.fixable) out.emplace_back("fixable");
  return out;
}

std::string statement(const Target& target, std::size_t rows) {
  auto columns = target.key;
  columns.insert(columns.end(), target.other.begin(), target.other.end());
  const auto numbers = numbers_of(target);
  columns.insert(columns.end(), numbers.begin(), numbers.end());
  std::vector<std::string> updates;
  for (const auto other : target.other) updates.push_back(fmt::format("{0} = excluded.{0}", other));
  for (const auto number : numbers)
    updates.push_back(fmt::format("{1} = {0}.{1} + excluded.{1}", target.table, number));
  std::vector<std::string> values;
  for (std::size_t i = 0; i < rows * columns.size(); ++i)
    values.push_back(fmt::format("{}?{}{}", i % columns.size() == 0 ? "(" : "", i + 1,
                                 (i + 1) % columns.size() == 0 ? ")" : ""));
  return fmt::format("INSERT INTO {} ({}) VALUES {} ON CONFLICT ({}) DO UPDATE SET {}",
                     target.table, fmt::join(columns, ", "), fmt::join(values, ", "),
                     fmt::join(target.key, ", "), fmt::join(updates, ", "));
}

void add_values(std::vector<sql::Value>& values, const Target& target, const CountRow& row) {
  const auto columns = target.key.size() + target.other.size();
  values.insert(values.end(), row.columns.begin(),
                row.columns.begin() + static_cast<std::ptrdiff_t>(columns));
  values.emplace_back(row.numbers->total);
  values.insert(values.end(), row.numbers->by_level.begin(), row.numbers->by_level.end());
  if (target.fixable) values.emplace_back(row.numbers->fixable);
}

Result<> add_rows(sql::Connection& connection, const Target& target,
                  std::span<const CountRow> rows) {
  const auto many = rows.size() >= many_rows ? statement(target, many_rows) : "";
  const auto one = statement(target, 1);
  std::vector<sql::Value> values;
  while (!rows.empty()) {
    const auto part = rows.size() >= many_rows ? many_rows : 1;
    values.clear();
    for (const auto& row : rows.first(part)) add_values(values, target, row);
    TRY(const auto written, connection.run(part == 1 ? one : many, values));
    CHECK(written == static_cast<std::int64_t>(part));
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
    const auto part = ids.first(std::min(ids_at_once, ids.size()));
    std::string parameters;
    for (std::size_t i = 1; i <= part.size(); ++i)
      fmt::format_to(std::back_inserter(parameters), "{}?{}", i == 1 ? "" : ", ", i);
    const std::vector<sql::Value> values(part.begin(), part.end());
    TRY(auto rows, connection.query(fmt::format(fmt::runtime(statement), parameters), values));
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      take(*row);
    }
    ids = ids.subspan(part.size());
  }
  return {};
}

using Names = std::unordered_map<std::int64_t, std::string>;

Result<Names> read_names(sql::Connection& connection, std::span<const std::int64_t> versions) {
  Names out;
  TRY_VOID(read_by_id(
      connection,
      "SELECT package_version_id, name FROM package_version WHERE package_version_id IN ({})",
      versions, [&](const sql::Row& row) { out.emplace(row.integer(0), row.string(1)); }));
  return out;
}

// Under which type the findings of a resource are counted, and of what is counted anew its own.
struct ResourceTypes {
  std::string account;
  std::string counted;
  std::string present;
};
using Types = std::unordered_map<std::int64_t, ResourceTypes>;

// In two statements: joined, PostgreSQL reads the whole of finding_count for a few hundred ids.
Result<Types> read_types(sql::Connection& connection, std::span<const std::int64_t> resources,
                         const std::set<std::int64_t>& retyped) {
  Types out;
  out.reserve(resources.size());
  TRY_VOID(read_by_id(connection,
                      "SELECT resource_id, type FROM finding_count WHERE resource_id IN ({})",
                      resources, [&](const sql::Row& row) {
                        out[row.integer(0)].counted = row.string(1);
                      }));
  std::vector<std::int64_t> others;
  std::ranges::copy_if(resources, std::back_inserter(others), [&](std::int64_t id) {
    return !out.contains(id) || retyped.contains(id);
  });
  TRY_VOID(read_by_id(
      connection, "SELECT resource_id, account_id, type FROM resource WHERE resource_id IN ({})",
      others, [&](const sql::Row& row) {
        const auto [known, is_new] = out.try_emplace(row.integer(0));
        auto& types = known->second;
        types.account = row.string(1);
        types.present = row.string(2);
        if (is_new) types.counted = types.present;
      }));
  return out;
}

// " - a, b and 3 more"
std::string title_ending(const std::vector<std::string>& names) {
  std::string out;
  if (!names.empty()) out += fmt::format(" - {}", names[0]);
  if (names.size() > 1) out += fmt::format(", {}", names[1]);
  if (names.size() > 2) out += fmt::format(" and {} more", names.size() - 2);
  return out;
}

}  // namespace

std::string title_of(std::string_view vulnerability, const std::vector<std::string>& names) {
  return std::string(vulnerability) + title_ending(names);
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
    const auto& packages = named(one.packages);
    const auto slice = count_slice(engine_, resource);
    auto& of_resource = resources_.try_emplace(resources_.end(), resource)->second;
    of_resource.account = one.account;
    // What is counted anew comes after what is taken away: the last type is the present one.
    of_resource.type = type;
    of_resource.numbers.add(one.score, one.fix, sign);
    row_of(titles_, std::tie(one.account, vulnerability, packages.ending, type, slice))
        .add(one.score, one.fix, sign);
    for (const auto& package : packages.names)
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
  // What a finding's packages are called: without doubles, in order, and as its title says it.
  struct Named {
    std::vector<std::string> names;
    std::string ending;
  };
  // Account, vulnerability, the ending of its title, type, slice.
  using TitleKey = std::tuple<std::string, std::string, std::string, std::string, std::int64_t>;
  using PackageKey = std::tuple<std::string, std::string, std::int64_t>;

  // The key is copied for a new row alone: most changes are of few rows.
  template <typename Rows, typename Key>
  static Numbers& row_of(Rows& rows, const Key& key) {
    const auto known = rows.find(key);
    return known != rows.end() ? known->second : rows.emplace(key, Numbers()).first->second;
  }

  // Many findings have the same packages.
  const Named& named(const std::string& packages) {
    const auto [known, is_new] = named_.try_emplace(packages);
    auto& [names, ending] = known->second;
    if (!is_new) return known->second;
    for (const auto id : ids_of(packages)) {
      if (const auto name = names_.find(id); name != names_.end()) names.push_back(name->second);
    }
    std::ranges::sort(names);
    const auto doubles = std::ranges::unique(names);
    names.erase(doubles.begin(), doubles.end());
    ending = title_ending(names);
    return known->second;
  }

  Result<> write_resources(sql::Connection& connection) const {
    std::vector<CountRow> rows;
    rows.reserve(resources_.size());
    for (const auto& [id, one] : resources_)
      rows.push_back({{id, std::string_view(one.account), std::string_view(one.type)},
                      &one.numbers});
    return add_rows(connection, by_resource, rows);
  }
  Result<> write_titles(sql::Connection& connection) const {
    std::vector<std::string> titles;
    titles.reserve(titles_.size());  // rows borrow from it
    std::vector<CountRow> rows;
    for (const auto& [key, numbers] : titles_) {
      const auto& [account, vulnerability, ending, type, slice] = key;
      if (numbers == Numbers{}) continue;
      const std::string_view title = titles.emplace_back(vulnerability + ending);
      rows.push_back({{std::string_view(account), std::string_view(vulnerability), title,
                       std::string_view(type), slice},
                      &numbers});
    }
    return add_rows(connection, by_title, rows);
  }
  Result<> write_packages(sql::Connection& connection) const {
    std::vector<CountRow> rows;
    for (const auto& [key, numbers] : packages_) {
      const auto& [account, name, slice] = key;
      if (numbers != Numbers{})
        rows.push_back({{std::string_view(account), std::string_view(name), slice}, &numbers});
    }
    return add_rows(connection, by_package, rows);
  }

  sql::Engine engine_;
  const Names& names_;
  std::unordered_map<std::string, Named> named_;  // by ids of versions
  std::map<std::int64_t, OfResource> resources_;
  std::map<TitleKey, Numbers, std::less<>> titles_;
  std::map<PackageKey, Numbers, std::less<>> packages_;
};

// Without doubles, in order.
std::vector<std::int64_t> sorted(std::vector<std::int64_t> ids) {
  std::ranges::sort(ids);
  const auto doubles = std::ranges::unique(ids);
  ids.erase(doubles.begin(), doubles.end());
  return ids;
}

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
  if (changes_.empty() && retyped_.empty()) return {};
  std::unordered_set<std::string_view> packages;
  std::vector<std::int64_t> resources(retyped_.begin(), retyped_.end());
  for (const auto& change : changes_) {
    packages.insert(change.counted.packages);
    resources.push_back(change.name.first);
  }
  std::vector<std::int64_t> versions;
  for (const auto one : packages) std::ranges::copy(ids_of(one), std::back_inserter(versions));
  TRY(const auto names, read_names(connection, sorted(std::move(versions))));
  TRY(const auto types, read_types(connection, sorted(std::move(resources)), retyped_));
  const ResourceTypes none;  // of a resource that is forgotten
  CountRows rows(connection.engine(), names);
  for (const auto& change : changes_) {
    const auto known = types.find(change.name.first);
    const auto& [account, counted, present] = known == types.end() ? none : known->second;
    rows.add(change.name, change.counted, change.is_retyped ? present : counted, change.sign);
  }
  for (const auto resource : retyped_) {
    const auto known = types.find(resource);
    const bool is_there = known != types.end() && !known->second.present.empty();
    if (is_there) rows.retype(resource, known->second);
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
