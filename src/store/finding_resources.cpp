// The conditions on a finding's resource.

#include <algorithm>

#include <fmt/ranges.h>

#include "store/finding_conditions.h"
#include "store/text_conditions.h"

namespace tenken::store {

using findings::Comparison;
using findings::Criteria;
using findings::TextField;

void add_resource_conditions(SqlText& sql, std::string_view finding, const Criteria& criteria) {
  std::vector<std::string> all;
  for (const auto& [field, tests] : criteria.texts) {
    if (field == TextField::resource_type) all.push_back(column_holds(sql, "r.type", tests));
    if (field == TextField::resource_id) all.push_back(column_holds(sql, "r.external_id", tests));
    if (field == TextField::region) all.push_back(column_holds(sql, "r.region", tests));
  }
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
         chooses(criteria, TextField::resource_type);
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

void add_walked_resource_conditions(SqlText& sql, const Criteria& criteria) {
  for (const auto& [field, tests] : criteria.texts) {
    const bool one = tests.size() == 1 && tests.front().comparison == Comparison::equals;
    // A range keeps the order of the index where SQLite would take an equal type out of it.
    if (field == TextField::resource_type && one)
      sql.add(fmt::format(" AND r.type BETWEEN {0} AND {0}", sql.bind(tests.front().value)));
    else if (field == TextField::resource_type)
      sql.add(" AND ").add(column_holds(sql, "r.type || ''", tests));
    if (field == TextField::resource_id)
      sql.add(" AND ").add(column_holds(sql, "r.external_id || ''", tests));
    if (field == TextField::region) sql.add(" AND ").add(column_holds(sql, "r.region", tests));
  }
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
  const auto hidden = [&](std::string_view column) {
    return fmt::format("r.{}{}", column, by_key || by_tag ? " || ''" : "");
  };
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
    sql.add(fmt::format(" AND {} IN ({})", hidden("account_id"), fmt::join(values, ", ")));
    for (const auto& [field, tests] : criteria.texts) {
      if (field == TextField::resource_type)
        sql.add(" AND ").add(column_holds(sql, hidden("type"), tests));
      if (field == TextField::resource_id)
        sql.add(" AND ").add(column_holds(sql, hidden("external_id"), tests));
      if (field == TextField::region) sql.add(" AND ").add(column_holds(sql, "r.region", tests));
    }
  };
  sql.add("SELECT r.resource_id, r.type FROM ");
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
