#include "store/aggregation_query.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "store/conditions.h"

namespace tenken::store {
namespace {

// The members of SeverityCounts, in their order.
constexpr std::array<std::string_view, 7> counted{"total", "critical",      "high",     "medium",
                                                  "low",   "informational", "untriaged"};

// A list of them, each as `form` has it.
std::string counts(fmt::format_string<const std::string_view&> form) {
  std::string out;
  for (const auto& column : counted) {
    if (!out.empty()) out += ", ";
    out += fmt::format(form, column);
  }
  return out;
}

// From the column on.
SeverityCounts read_counts(const sql::Row& row, int column) {
  return {.all = row.integer(column),
          .critical = row.integer(column + 1),
          .high = row.integer(column + 2),
          .medium = row.integer(column + 3),
          .low = row.integer(column + 4),
          .informational = row.integer(column + 5),
          .untriaged = row.integer(column + 6)};
}

std::string_view column_of(AggregationSort sort) {
  switch (sort) {
    case AggregationSort::all:
      return "total";
    case AggregationSort::critical:
      return "critical";
    case AggregationSort::high:
      return "high";
    case AggregationSort::affected:
      return "affected";
    case AggregationSort::unsorted:
      return "CAST(0 AS BIGINT)";
  }
  return "total";
}

// What comes after the page before, by value, then account and key upwards.
std::string later(Conditions& conditions, const AggregationPage& page, std::string_view value,
                  std::string_view key, const OwnedValue& key_value) {
  if (!page.after) return "1 = 1";
  const auto at = conditions.parameter(page.after->value);
  return fmt::format("{0} {1} {2} OR ({0} = {2} AND (account_id, {3}) > ({4}, {5}))", value,
                     page.ascending ? ">" : "<", at, key, conditions.parameter(page.after->account),
                     conditions.parameter(key_value));
}

// Over the counts c and the row r of resource.
std::string_view column_of(AggregationField field) {
  switch (field) {
    case AggregationField::title:
      return "c.title";
    case AggregationField::vulnerability:
      return "c.vulnerability_id";
    case AggregationField::package:
      return "c.name";
    case AggregationField::resource_id:
      return "r.external_id";
    case AggregationField::platform:
      return "r.platform";
    case AggregationField::region:
      return "r.region";
    case AggregationField::repository:
      return "r.repository";
    case AggregationField::registry:
      return "r.registry";
    case AggregationField::image_hash:
      return "r.image_hash";
    case AggregationField::image_architecture:
      return "r.image_architecture";
    case AggregationField::image_id:
      return "r.image_id";
  }
  return "''";
}

void require_tests(Conditions& conditions, const Aggregation& question) {
  for (const auto& [field, tests] : question.texts)
    conditions.require_text(column_of(field), tests);
}

// Groups of a table whose rows are already sums: at most one for each group, type and slice; or for
// each resource, where the key is something of it that some lack.
struct GroupedTable {
  std::string_view table;
  std::string_view key;
  std::string_view vulnerability;  // '' where it has none
  std::string_view fixable;
  std::string_view exploitable;
  std::string_view affected = "0";
};
constexpr GroupedTable accounts{
    "title_count c LEFT JOIN vulnerability v ON v.vulnerability_id = c.vulnerability_id", "''",
    "''", "SUM(c.fixable)", "SUM(CASE WHEN v.exploited_at > 0 THEN c.total ELSE 0 END)"};
constexpr GroupedTable titles{"title_count c", "c.title", "MIN(c.vulnerability_id)", "0", "0"};
constexpr GroupedTable packages{"package_count c", "c.name", "''", "0", "0"};
constexpr std::string_view counted_resources =
    "finding_count c JOIN resource r ON r.resource_id = c.resource_id";
constexpr GroupedTable repositories{counted_resources, "r.repository", "''", "0", "0", "COUNT(*)"};
constexpr GroupedTable machine_images{counted_resources, "r.image_id", "''", "0", "0", "COUNT(*)"};

Result<std::vector<Aggregate>> aggregate_groups(sql::Connection& connection,
                                                const Aggregation& question,
                                                const AggregationPage& page,
                                                const GroupedTable& table) {
  Conditions conditions;
  conditions.require("c.total > 0");
  conditions.require_one_of("c.account_id", question.accounts);
  if (!question.resource_type.empty())
    conditions.require(fmt::format("c.type = {}", conditions.parameter(question.resource_type)));
  if (table.affected != "0") conditions.require(fmt::format("{} <> ''", table.key));
  require_tests(conditions, question);
  const auto value = column_of(page.sort);
  const auto rest = later(conditions, page, value, "group_key",
                          OwnedValue(page.after ? page.after->key : std::string()));
  const auto grouped = fmt::format(
      "SELECT c.account_id AS account_id, {} AS group_key, {} AS vulnerability, "
      "{}, CAST({} AS BIGINT) AS fixable, CAST({} AS BIGINT) AS exploitable, "
      "CAST({} AS BIGINT) AS affected "
      "FROM {} WHERE {} GROUP BY c.account_id, {}",
      table.key, table.vulnerability, counts("CAST(SUM(c.{0}) AS BIGINT) AS {0}"), table.fixable,
      table.exploitable, table.affected, table.table, conditions.sql(),
      table.key == "''" ? "c.account_id" : table.key);
  const auto most = conditions.parameter(page.limit);
  TRY(auto rows,
      connection.query(
          fmt::format("SELECT {}, account_id, group_key, vulnerability, fixable, exploitable, "
                      "affected, {} FROM ({}) g WHERE {} ORDER BY 1 {}, 2, 3 LIMIT {}",
                      value, counts("{}"), grouped, rest, page.ascending ? "ASC" : "DESC", most),
          conditions.values()));
  std::vector<Aggregate> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back(
        {.position = {.value = row->integer(0), .account = row->string(1), .key = row->string(2)},
         .counts = read_counts(*row, 7),
         .vulnerability = row->string(3),
         .fixable = row->integer(4),
         .exploitable = row->integer(5),
         .affected = row->integer(6)});
  }
}

// The page is chosen by the counts alone; what is shown of the resources is read for the page.
Result<std::vector<Aggregate>> aggregate_resources(sql::Connection& connection,
                                                   const Aggregation& question,
                                                   const AggregationPage& page) {
  Conditions conditions;
  conditions.require("c.total > 0");
  conditions.require_one_of("c.account_id", question.accounts);
  conditions.require(fmt::format("c.type = {}", conditions.parameter(question.resource_type)));
  const bool looks_at_resources = !question.texts.empty();
  require_tests(conditions, question);
  conditions.require_tag("c.resource_id", question.tags);
  const auto value = column_of(page.sort);
  const auto key = page.after ? parse_uint(page.after->key) : std::optional<std::uint64_t>(0);
  CHECK(key.has_value());
  const auto rest =
      later(conditions, page, value, "resource_id", OwnedValue(static_cast<std::int64_t>(*key)));
  const auto direction = page.ascending ? "ASC" : "DESC";
  const auto chosen = fmt::format(
      "SELECT {} AS sort_value, account_id, resource_id, {} "
      "FROM (SELECT c.account_id, c.resource_id, {} "
      "FROM finding_count c{} WHERE {}) g WHERE {} ORDER BY 1 {}, 2, 3 LIMIT {}",
      value, counts("{}"), counts("c.{}"),
      looks_at_resources ? " JOIN resource r ON r.resource_id = c.resource_id" : "",
      conditions.sql(), rest, direction, conditions.parameter(page.limit));
  TRY(auto rows,
      connection.query(
          fmt::format("SELECT p.sort_value, p.account_id, p.resource_id, {}, r.external_id, "
                      "r.platform, r.region, r.tags, r.repository, r.registry, r.image_hash, "
                      "r.image_architecture, r.image_id, r.vpc_id, r.subnet_id FROM ({}) p "
                      "JOIN resource r ON r.resource_id = p.resource_id ORDER BY 1 {}, 2, 3",
                      counts("p.{}"), chosen, direction),
          conditions.values()));
  std::vector<Aggregate> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.position = {.value = row->integer(0),
                                .account = row->string(1),
                                .key = fmt::format("{}", row->integer(2))},
                   .counts = read_counts(*row, 3),
                   .external_id = row->string(10),
                   .platform = row->string(11),
                   .region = row->string(12),
                   .tags = row->string(13),
                   .facts = read_facts(*row, 14)});
  }
}

}  // namespace

Result<std::vector<Aggregate>> aggregate(sql::Connection& connection, const Aggregation& question,
                                         const AggregationPage& page) {
  switch (question.group) {
    case AggregationGroup::account:
      return aggregate_groups(connection, question, page, accounts);
    case AggregationGroup::title:
      return aggregate_groups(connection, question, page, titles);
    case AggregationGroup::package:
      return aggregate_groups(connection, question, page, packages);
    case AggregationGroup::resource:
      return aggregate_resources(connection, question, page);
    case AggregationGroup::repository:
      return aggregate_groups(connection, question, page, repositories);
    case AggregationGroup::machine_image:
      return aggregate_groups(connection, question, page, machine_images);
  }
  return std::vector<Aggregate>();
}

}  // namespace tenken::store
