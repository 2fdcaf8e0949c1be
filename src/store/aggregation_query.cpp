#include "store/aggregation_query.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/conditions.h"

namespace tenken::store {
namespace {

std::string_view column_of(AggregationSort sort) {
  switch (sort) {
    case AggregationSort::all:
      return "total";
    case AggregationSort::critical:
      return "critical";
    case AggregationSort::high:
      return "high";
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

void require_tests(Conditions& conditions, const Aggregation& question, AggregationField field,
                   std::string_view expression) {
  for (const auto& [asked, tests] : question.texts) {
    if (asked == field) conditions.require_text(expression, tests);
  }
}

// Groups of a table whose rows are already sums: at most one for each group, type and slice.
struct GroupedTable {
  std::string_view table;
  std::string_view key;
  std::string_view vulnerability;  // '' where it has none
  std::string_view fixable;
  std::string_view exploitable;
};
constexpr GroupedTable accounts{
    "title_count c LEFT JOIN vulnerability v ON v.vulnerability_id = c.vulnerability_id", "''",
    "''", "SUM(c.fixable)", "SUM(CASE WHEN v.exploited_at > 0 THEN c.total ELSE 0 END)"};
constexpr GroupedTable titles{"title_count c", "c.title", "MIN(c.vulnerability_id)", "0", "0"};
constexpr GroupedTable packages{"package_count c", "c.name", "''", "0", "0"};

Result<std::vector<Aggregate>> aggregate_groups(sql::Connection& connection,
                                                const Aggregation& question,
                                                const AggregationPage& page,
                                                const GroupedTable& table) {
  Conditions conditions;
  conditions.require("c.total > 0");
  conditions.require_one_of("c.account_id", question.accounts);
  if (!question.resource_type.empty())
    conditions.require(fmt::format("c.type = {}", conditions.parameter(question.resource_type)));
  require_tests(conditions, question, AggregationField::title, "c.title");
  require_tests(conditions, question, AggregationField::vulnerability, "c.vulnerability_id");
  require_tests(conditions, question, AggregationField::package, "c.name");
  const auto value = column_of(page.sort);
  const auto rest = later(conditions, page, value, "group_key",
                          OwnedValue(page.after ? page.after->key : std::string()));
  const auto grouped = fmt::format(
      "SELECT c.account_id AS account_id, {} AS group_key, {} AS vulnerability, "
      "CAST(SUM(c.total) AS BIGINT) AS total, CAST(SUM(c.critical) AS BIGINT) AS critical, "
      "CAST(SUM(c.high) AS BIGINT) AS high, CAST(SUM(c.medium) AS BIGINT) AS medium, "
      "CAST({} AS BIGINT) AS fixable, CAST({} AS BIGINT) AS exploitable "
      "FROM {} WHERE {} GROUP BY c.account_id, {}",
      table.key, table.vulnerability, table.fixable, table.exploitable, table.table,
      conditions.sql(), table.key == "''" ? "c.account_id" : table.key);
  const auto most = conditions.parameter(page.limit);
  TRY(auto rows,
      connection.query(fmt::format("SELECT {}, account_id, group_key, total, critical, high, "
                                   "medium, vulnerability, fixable, exploitable FROM ({}) g "
                                   "WHERE {} ORDER BY 1 {}, 2, 3 LIMIT {}",
                                   value, grouped, rest, page.ascending ? "ASC" : "DESC", most),
                       conditions.values()));
  std::vector<Aggregate> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back(
        {.position = {.value = row->integer(0), .account = row->string(1), .key = row->string(2)},
         .counts = {.all = row->integer(3),
                    .critical = row->integer(4),
                    .high = row->integer(5),
                    .medium = row->integer(6)},
         .vulnerability = row->string(7),
         .fixable = row->integer(8),
         .exploitable = row->integer(9)});
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
  require_tests(conditions, question, AggregationField::resource_id, "r.external_id");
  require_tests(conditions, question, AggregationField::platform, "r.platform");
  require_tests(conditions, question, AggregationField::region, "r.region");
  conditions.require_tag("c.resource_id", question.tags);
  const auto value = column_of(page.sort);
  const auto key = page.after ? parse_uint(page.after->key) : std::optional<std::uint64_t>(0);
  CHECK(key.has_value());
  const auto rest =
      later(conditions, page, value, "resource_id", OwnedValue(static_cast<std::int64_t>(*key)));
  const auto direction = page.ascending ? "ASC" : "DESC";
  const auto chosen = fmt::format(
      "SELECT {} AS sort_value, account_id, resource_id, total, critical, high, medium "
      "FROM (SELECT c.account_id, c.resource_id, c.total, c.critical, c.high, c.medium "
      "FROM finding_count c{} WHERE {}) g WHERE {} ORDER BY 1 {}, 2, 3 LIMIT {}",
      value, looks_at_resources ? " JOIN resource r ON r.resource_id = c.resource_id" : "",
      conditions.sql(), rest, direction, conditions.parameter(page.limit));
  TRY(auto rows,
      connection.query(
          fmt::format("SELECT p.sort_value, p.account_id, p.resource_id, p.total, p.critical, "
                      "p.high, p.medium, r.external_id, r.platform, r.region, r.tags FROM ({}) p "
                      "JOIN resource r ON r.resource_id = p.resource_id ORDER BY 1 {}, 2, 3",
                      chosen, direction),
          conditions.values()));
  std::vector<Aggregate> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.position = {.value = row->integer(0),
                                .account = row->string(1),
                                .key = fmt::format("{}", row->integer(2))},
                   .counts = {.all = row->integer(3),
                              .critical = row->integer(4),
                              .high = row->integer(5),
                              .medium = row->integer(6)},
                   .external_id = row->string(7),
                   .platform = row->string(8),
                   .region = row->string(9),
                   .tags = row->string(10)});
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
  }
  return std::vector<Aggregate>();
}

}  // namespace tenken::store
