#include "store/inventory_query.h"

#include <fmt/format.h>

#include "store/coverage.h"
#include "store/coverage_now.h"

namespace tenken::store {
namespace {

// Reads every row of an answer by `read`.
template <typename Read>
auto read_all(Result<std::unique_ptr<sql::Rows>> rows, Read read)
    -> Result<std::vector<decltype(read(std::declval<const sql::Row&>()))>> {
  if (!rows) return std::move(rows).error();
  std::vector<decltype(read(std::declval<const sql::Row&>()))> out;
  while (true) {
    TRY(const auto* row, (*rows)->next());
    if (row == nullptr) return out;
    out.push_back(read(*row));
  }
}

InstalledVersion read_installed(const sql::Row& row) {
  return {.id = {row.integer(0)},
          .version = read_package_version(row),
          .location = row.string(14),
          .matched = row.integer(15) != 0,
          .decided = static_cast<Decided>(row.integer(16)),
          .unknown = row.string(17),
          .vulnerabilities = row.integer(18),
          .running = row.string(19)};
}

// ?1 is the resource.
std::string installed_statement(std::string_view rest) {
  return fmt::format(
      "SELECT {}, location, matched, undecided, unknown, "
      "(SELECT COUNT(*) FROM match m WHERE m.package_version_id = rp.package_version_id AND {}), "
      "running "
      "FROM resource_package rp JOIN package_version USING (package_version_id) "
      "WHERE rp.resource_id = ?1 AND {}",
      package_version_columns, match_holds, rest);
}

UnknownCount read_unknown(const sql::Row& row) {
  return {.unknown = row.string(0), .packages = row.integer(1)};
}

FindingCount read_finding_count(const sql::Row& row) {
  return {.status = static_cast<Lifecycle>(row.integer(0)),
          .score = row.integer(1),
          .findings = row.integer(2)};
}

}  // namespace

Result<std::vector<Resource>> list_resources(sql::Connection& connection,
                                             const ResourceQuery& query) {
  const auto is = coverage_now("?3");
  auto text =
      fmt::format("SELECT {}, {}, {} FROM resource WHERE account_id = ?1 AND external_id > ?2",
                  is.code, is.reason, resource_columns);
  std::vector<sql::Value> values{std::string_view(query.account), std::string_view(query.after),
                                 query.now - inventory_is_stale_after};
  const auto add = [&values](std::string_view value) {
    values.emplace_back(value);
    return values.size();
  };
  if (!query.type.empty()) text += fmt::format(" AND type = ?{}", add(query.type));
  if (!query.status.empty()) text += fmt::format(" AND {} = ?{}", is.code, add(query.status));
  for (const auto& [name, value] : query.tags) {
    const auto name_at = add(name);
    text += fmt::format(
        " AND EXISTS (SELECT 1 FROM resource_tag t WHERE t.resource_id = resource.resource_id "
        "AND t.name = ?{} AND t.value = ?{})",
        name_at, add(value));
  }
  values.emplace_back(query.limit);
  text += fmt::format(" ORDER BY external_id LIMIT ?{}", values.size());
  TRY(const auto fleet, fleet_evaluated_at(connection));
  return read_all(connection.query(text, std::span<const sql::Value>(values)),
                  [fleet](const sql::Row& row) {
                    auto out = read_resource(row, 2);
                    note_fleet_evaluated(out, fleet);
                    out.coverage_status = row.string(0);
                    out.coverage_reason = row.string(1);
                    return out;
                  });
}

Result<std::vector<InstalledVersion>> installed_versions(sql::Connection& connection,
                                                         ResourceId resource,
                                                         PackageVersionId after,
                                                         std::int64_t limit) {
  return read_all(connection.query(installed_statement("rp.package_version_id > ?2 "
                                                       "ORDER BY rp.package_version_id LIMIT ?3"),
                                   resource.value, after.value, limit),
                  read_installed);
}

Result<std::vector<PackageVersion>> package_versions(sql::Connection& connection,
                                                     const std::vector<PackageVersionId>& ids) {
  const auto text = fmt::format("SELECT {} FROM package_version WHERE package_version_id = ?1",
                                package_version_columns);
  std::vector<PackageVersion> out;
  for (const auto id : ids) {
    TRY(auto one, read_all(connection.query(text, id.value), read_package_version));
    for (auto& version : one) out.push_back(std::move(version));
  }
  return out;
}

Result<std::vector<UnknownCount>> count_unknown(sql::Connection& connection, ResourceId resource) {
  return read_all(connection.query("SELECT v.unknown, COUNT(*) FROM resource_package rp "
                                   "JOIN package_version v "
                                   "ON v.package_version_id = rp.package_version_id "
                                   "WHERE rp.resource_id = ?1 AND v.unknown <> '[]' "
                                   "GROUP BY v.unknown ORDER BY v.unknown",
                                   resource.value),
                  read_unknown);
}

Result<std::vector<UnknownCount>> count_undecided(sql::Connection& connection,
                                                  std::string_view account) {
  return read_all(connection.query("SELECT v.unknown, COUNT(*) FROM package_version v "
                                   "JOIN resource_package rp "
                                   "ON rp.package_version_id = v.package_version_id "
                                   "JOIN resource r ON r.resource_id = rp.resource_id "
                                   "WHERE v.undecided > 0 AND r.account_id = ?1 "
                                   "AND r.coverage_reason <> 'RESOURCE_TERMINATED' "
                                   "GROUP BY v.unknown ORDER BY v.unknown",
                                   account),
                  read_unknown);
}

Result<std::vector<FindingCount>> count_findings(sql::Connection& connection, ResourceId resource) {
  return read_all(connection.query("SELECT status, score, COUNT(*) FROM finding "
                                   "WHERE resource_id = ?1 GROUP BY status, score "
                                   "ORDER BY status, score",
                                   resource.value),
                  read_finding_count);
}

Result<std::vector<FindingCount>> count_findings(sql::Connection& connection,
                                                 std::string_view account) {
  return read_all(connection.query("SELECT status, score, COUNT(*) FROM finding "
                                   "WHERE account_id = ?1 GROUP BY status, score "
                                   "ORDER BY status, score",
                                   account),
                  read_finding_count);
}

Result<std::vector<CoverageCount>> count_resources(sql::Connection& connection,
                                                   std::string_view account) {
  return read_all(
      connection.query("SELECT coverage_status, coverage_reason, COUNT(*), "
                       "CAST(SUM(CASE WHEN coverage_reason = 'RESOURCE_TERMINATED' THEN 0 "
                       "ELSE packages END) AS BIGINT) FROM resource WHERE account_id = ?1 "
                       "GROUP BY coverage_status, coverage_reason "
                       "ORDER BY coverage_status, coverage_reason",
                       account),
      [](const sql::Row& row) {
        return CoverageCount{.status = row.string(0),
                             .reason = row.string(1),
                             .resources = row.integer(2),
                             .packages = row.integer(3)};
      });
}

Result<std::int64_t> count_resources_to_restart(sql::Connection& connection,
                                                std::string_view account) {
  TRY(const auto count,
      connection.one_integer("SELECT COUNT(DISTINCT rp.resource_id) FROM resource_package rp "
                             "JOIN resource r ON r.resource_id = rp.resource_id "
                             "WHERE rp.running <> '' AND r.account_id = ?1",
                             account));
  return count.value_or(0);
}

}  // namespace tenken::store
