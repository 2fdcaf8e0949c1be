#include "store/coverage_query.h"

#include <fmt/format.h>

#include "store/coverage.h"
#include "store/coverage_now.h"

namespace tenken::store {
namespace {

constexpr std::string_view scan_mode =
    "CASE WHEN type <> 'AWS_EC2_INSTANCE' THEN '' WHEN EXISTS (SELECT 1 FROM agent_report a "
    "WHERE a.resource_id = resource.resource_id) THEN 'EC2_INSPECTOR_AGENT_BASED' "
    "WHEN agentless = 1 THEN 'EC2_AGENTLESS' "
    "ELSE 'EC2_SSM_AGENT_BASED' END";

// The status as it is now, and what else a filter may ask, over a row of resource.
struct Expressions {
  std::string code;
  std::string reason;

  std::string of(CoverageField field) const {
    switch (field) {
      case CoverageField::resource_id:
        return "external_id";
      case CoverageField::resource_type:
        return "type";
      case CoverageField::scan_mode:
        return std::string(scan_mode);
      case CoverageField::scan_type:
        return "'PACKAGE'";
      case CoverageField::status_code:
        return code;
      case CoverageField::status_reason:
        return reason;
      case CoverageField::function_name:
        return "CASE WHEN type = 'AWS_LAMBDA_FUNCTION' THEN external_id ELSE '' END";
      case CoverageField::project_name:
        return "CASE WHEN type = 'CODE_REPOSITORY' THEN external_id ELSE '' END";
      case CoverageField::provider_type:
        return "CASE WHEN type = 'CODE_REPOSITORY' THEN 'UNKNOWN' ELSE '' END";
      case CoverageField::region:
        return "region";
      case CoverageField::repository:
        return "repository";
      case CoverageField::registry:
        return "registry";
      case CoverageField::absent:
        return "''";
    }
    return "''";
  }
  std::string of(CoverageGroup group) const {
    switch (group) {
      case CoverageGroup::status_code:
        return code;
      case CoverageGroup::status_reason:
        return reason;
      case CoverageGroup::account:
        return "account_id";
      case CoverageGroup::resource_type:
        return "type";
      case CoverageGroup::region:
        return "region";
      case CoverageGroup::repository:
        return "repository";
      case CoverageGroup::provider:
        return "''";
    }
    return "''";
  }
};

Expressions expressions(Conditions& conditions, Seconds now) {
  Expressions out;
  auto is = coverage_now(conditions.parameter(now - inventory_is_stale_after));
  out.code = std::move(is.code);
  out.reason = std::move(is.reason);
  return out;
}

Expressions require(Conditions& conditions, const CoverageFilter& filter, Seconds fleet,
                    Seconds now) {
  auto out = expressions(conditions, now);
  conditions.require_one_of("account_id", filter.accounts);
  conditions.require(fmt::format("coverage_reason <> 'RESOURCE_TERMINATED' OR changed_at >= {}",
                                 conditions.parameter(now - gone_is_listed_for)));
  for (const auto& [field, tests] : filter.texts) conditions.require_text(out.of(field), tests);
  if (!filter.host_tags.empty()) conditions.require("type = 'AWS_EC2_INSTANCE'");
  for (const auto& tags : filter.host_tags) conditions.require_tag("resource.resource_id", tags);
  if (!filter.function_tags.empty()) conditions.require("type = 'AWS_LAMBDA_FUNCTION'");
  for (const auto& tags : filter.function_tags)
    conditions.require_tag("resource.resource_id", tags);
  if (!filter.scanned.empty())
    conditions.require_number(last_evaluated(conditions.parameter(fleet)), filter.scanned);
  if (filter.impossible) conditions.require("1 = 0");
  return out;
}

}  // namespace

Result<std::vector<Resource>> list_coverage(sql::Connection& connection,
                                            const CoverageFilter& filter,
                                            const CoveragePosition& after, std::int64_t limit,
                                            Seconds now) {
  TRY(const auto fleet, fleet_evaluated_at(connection));
  Conditions conditions;
  const auto is = require(conditions, filter, fleet, now);
  conditions.require(fmt::format("(account_id, external_id) > ({}, {})",
                                 conditions.parameter(after.account),
                                 conditions.parameter(after.external_id)));
  const auto most = conditions.parameter(limit);
  TRY(auto rows, connection.query(fmt::format("SELECT {}, {}, {}, {} FROM resource WHERE {} "
                                              "ORDER BY account_id, external_id LIMIT {}",
                                              is.code, is.reason, scan_mode, resource_columns,
                                              conditions.sql(), most),
                                  conditions.values()));
  std::vector<Resource> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    auto& resource = out.emplace_back(read_resource(*row, 3));
    note_fleet_evaluated(resource, fleet);
    resource.coverage_status = row->string(0);
    resource.coverage_reason = row->string(1);
    resource.scan_mode = row->string(2);
  }
}

Result<std::int64_t> count_coverage(sql::Connection& connection, const CoverageFilter& filter,
                                    Seconds now) {
  TRY(const auto fleet, fleet_evaluated_at(connection));
  Conditions conditions;
  require(conditions, filter, fleet, now);
  TRY(const auto count, connection.one_integer(
                            fmt::format("SELECT COUNT(*) FROM resource WHERE {}", conditions.sql()),
                            conditions.values()));
  return count.value_or(0);
}

Result<std::vector<CoverageGroupCount>> group_coverage(sql::Connection& connection,
                                                       const CoverageFilter& filter,
                                                       CoverageGroup group,
                                                       const CoverageGroupCount& after,
                                                       std::int64_t limit, Seconds now) {
  TRY(const auto fleet, fleet_evaluated_at(connection));
  Conditions conditions;
  const auto is = require(conditions, filter, fleet, now);
  if (group == CoverageGroup::repository) conditions.require("repository <> ''");
  std::string later = "1 = 1";
  if (after.resources > 0)
    later = fmt::format("resources < {0} OR (resources = {0} AND value > {1})",
                        conditions.parameter(after.resources), conditions.parameter(after.value));
  const auto most = conditions.parameter(limit);
  TRY(auto rows,
      connection.query(
          fmt::format("SELECT resources, value FROM (SELECT COUNT(*) AS resources, value "
                      "FROM (SELECT {} AS value FROM resource WHERE {}) one GROUP BY value) g "
                      "WHERE {} ORDER BY resources DESC, value LIMIT {}",
                      is.of(group), conditions.sql(), later, most),
          conditions.values()));
  std::vector<CoverageGroupCount> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.resources = row->integer(0), .value = row->string(1)});
  }
}

}  // namespace tenken::store
