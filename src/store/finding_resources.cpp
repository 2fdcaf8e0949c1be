// The conditions on a finding's resource.

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "store/finding_conditions.h"
#include "store/text_conditions.h"

namespace tenken::store {

using findings::Comparison;
using findings::Criteria;
using findings::TextField;

namespace {

struct ResourceColumn {
  TextField field;
  std::string_view expression;  // over the row r
  bool indexed = true;          // by account and itself
};
constexpr std::string_view name_of_function =
    "CASE WHEN r.type = 'AWS_LAMBDA_FUNCTION' THEN r.external_id ELSE '' END";
constexpr std::string_view name_of_project =
    "CASE WHEN r.type = 'CODE_REPOSITORY' THEN r.external_id ELSE '' END";
constexpr std::array resource_columns_asked{
    ResourceColumn{TextField::resource_type, "r.type"},
    ResourceColumn{TextField::resource_id, "r.external_id"},
    ResourceColumn{TextField::region, "r.region", false},
    ResourceColumn{TextField::image_repository, "r.repository"},
    ResourceColumn{TextField::image_registry, "r.registry"},
    ResourceColumn{TextField::image_hash, "r.image_hash"},
    ResourceColumn{TextField::image_architecture, "r.image_architecture", false},
    ResourceColumn{TextField::image_id, "r.image_id"},
    ResourceColumn{TextField::vpc, "r.vpc_id"},
    ResourceColumn{TextField::subnet, "r.subnet_id"},
    ResourceColumn{TextField::function_name, name_of_function, false},
    ResourceColumn{TextField::project_name, name_of_project, false},
};

// condition(column, tests) of each that the criteria ask for.
template <typename F>
void each_condition(const Criteria& criteria, F&& condition) {
  for (const auto& [field, tests] : criteria.texts) {
    const auto found = std::ranges::find(resource_columns_asked, field, &ResourceColumn::field);
    if (found != resource_columns_asked.end()) condition(*found, tests);
  }
}

// The same value, of which SQLite knows no index.
std::string hidden(const ResourceColumn& column) {
  return fmt::format("{}{}", column.expression, column.indexed ? " || ''" : "");
}

}  // namespace

void add_resource_conditions(SqlText& sql, std::string_view finding, const Criteria& criteria) {
  std::vector<std::string> all;
  each_condition(criteria, [&](const ResourceColumn& column, const findings::TextTests& tests) {
    all.push_back(column_holds(sql, column.expression, tests));
  });
  if (!all.empty())
    sql.add(
        fmt::format(" AND EXISTS (SELECT 1 FROM resource r WHERE r.resource_id = "
                    "{}.resource_id AND {})",
                    finding, fmt::join(all, " AND ")));
  if (criteria.tags.empty()) return;
  std::vector<std::string> any;
  for (const auto& tag : criteria.tags) any.push_back(tag_holds(sql, tag));
  sql.add(
      fmt::format(" AND EXISTS (SELECT 1 FROM resource_tag t WHERE t.resource_id = "
                  "{}.resource_id AND {})",
                  finding, any_of(any)));
}

bool names_resources(const Criteria& criteria) {
  return names(criteria, TextField::resource_id);
}

bool resources_choose(const Criteria& criteria, const ArnAnswer& arns) {
  return !arns.all || !criteria.tags.empty() || chooses(criteria, TextField::resource_id) ||
         std::ranges::any_of(resource_columns_asked, [&](const ResourceColumn& column) {
           return column.field != TextField::region && chooses(criteria, column.field);
         });
}

namespace {

void add_named_resources(SqlText& sql, const std::vector<std::string>& accounts,
                         const Criteria& criteria) {
  std::vector<std::string> ids;
  for (const auto& test : criteria.find(TextField::resource_id)->tests) {
    for (const auto& account : accounts)
      ids.push_back(sql.bind(resource_id(account, test.value).value));
  }
  sql.add(fmt::format("r.resource_id IN ({})", fmt::join(ids, ", ")));
}

void add_arn_resources(SqlText& sql, const ArnAnswer& arns) {
  std::vector<std::string> any{"1 = 0"};
  for (const auto& key : arns.wanted)
    any.push_back(fmt::format("r.resource_id = {}", sql.bind(key.resource.value)));
  for (const auto& range : arns.wanted_ranges)
    any.push_back(fmt::format("r.resource_id BETWEEN {} AND {}", sql.bind(range.first.value),
                              sql.bind(range.last.value)));
  sql.add(any_of(any));
}

}  // namespace

void add_walked_resource_conditions(SqlText& sql, const Criteria& criteria,
                                    std::string_view walked) {
  each_condition(criteria, [&](const ResourceColumn& column, const findings::TextTests& tests) {
    const bool one = tests.size() == 1 && tests.front().comparison == Comparison::equals;
    // A range keeps the order of the index where SQLite would take an equal value out of it.
    if (column.expression == walked && one)
      sql.add(fmt::format(" AND {0} BETWEEN {1} AND {1}", walked, sql.bind(tests.front().value)));
    else
      sql.add(" AND ").add(column_holds(sql, hidden(column), tests));
  });
  if (criteria.tags.empty()) return;
  std::vector<std::string> any;
  for (const auto& tag : criteria.tags) any.push_back(tag_holds(sql, tag));
  sql.add(
      fmt::format(" AND EXISTS (SELECT 1 FROM resource_tag t WHERE t.resource_id = r.resource_id "
                  "AND {})",
                  any_of(any)));
}

void add_resource_set(SqlText& sql, sql::Engine engine, const std::vector<std::string>& accounts,
                      const Criteria& criteria, const ArnAnswer& arns) {
  const bool by_key = names_resources(criteria) || !arns.all;
  const bool by_tag = !by_key && !criteria.tags.empty();
  // SQLite is not to take another index than that of the key.
  const bool hides = by_key || by_tag;
  const auto add_conditions = [&] {
    if (by_tag)
      sql.add("r.resource_id = t.resource_id");
    else if (names_resources(criteria))
      add_named_resources(sql, accounts, criteria);
    else if (!arns.all)
      add_arn_resources(sql, arns);
    else
      sql.add("1 = 1");
    std::vector<std::string> values;
    for (const auto& account : accounts) values.push_back(sql.bind(account));
    sql.add(
        fmt::format(" AND r.account_id{} IN ({})", hides ? " || ''" : "", fmt::join(values, ", ")));
    each_condition(criteria, [&](const ResourceColumn& column, const findings::TextTests& tests) {
      const auto expression = hides ? hidden(column) : std::string(column.expression);
      sql.add(" AND ").add(column_holds(sql, expression, tests));
    });
    // Of these there are few: the index by type finds them.
    if (chooses(criteria, TextField::image_architecture))
      sql.add(" AND r.type = 'AWS_ECR_CONTAINER_IMAGE'");
    if (chooses(criteria, TextField::function_name)) sql.add(" AND r.type = 'AWS_LAMBDA_FUNCTION'");
    if (chooses(criteria, TextField::project_name)) sql.add(" AND r.type = 'CODE_REPOSITORY'");
  };
  sql.add("SELECT r.resource_id, r.type, r.repository, r.registry FROM ");
  if (by_tag) {
    std::vector<std::string> any;
    for (const auto& tag : criteria.tags) any.push_back(tag_holds(sql, tag));
    sql.add(fmt::format("(SELECT{} t.resource_id FROM resource_tag t WHERE {}) t",
                        any.size() > 1 ? " DISTINCT" : "", any_of(any)));
    add_each(sql, engine, "resource r", no_end, add_conditions);
  } else {
    sql.add("resource r WHERE ");
    add_conditions();
  }
}

}  // namespace tenken::store
