#include "store/coverage.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/settings.h"

namespace tenken::store {

namespace {

constexpr std::string_view its_packages =
    "SELECT 1 FROM resource_package r JOIN package_version v "
    "ON v.package_version_id = r.package_version_id WHERE r.resource_id = resource.resource_id";

// A condition on a resource: of a host its distribution's packages decide; of what has none, all.
std::string is_covered() {
  constexpr std::string_view of_system = " AND v.kind IN ('deb', 'rpm', 'apk')";
  constexpr std::string_view decided = " AND v.undecided NOT IN (2, 3)";
  return fmt::format("CASE WHEN EXISTS ({0}{1}) THEN EXISTS ({0}{1}{2}) ELSE EXISTS ({0}{2}) END",
                     its_packages, of_system, decided);
}

// A page of resources: so many in one transaction.
constexpr std::int64_t coverages_at_once = 500;

}  // namespace

Result<> set_coverage(sql::Connection& connection, ResourceId resource, Seconds evaluated) {
  constexpr std::string_view text = R"sql(
UPDATE resource SET evaluated_at = ?2,
  coverage_status = CASE WHEN {covered} THEN 'ACTIVE' ELSE 'INACTIVE' END,
  coverage_reason = CASE WHEN {covered} THEN 'SUCCESSFUL' WHEN EXISTS ({packages})
                    THEN 'UNSUPPORTED_OS' ELSE 'NO_INVENTORY' END
WHERE resource_id = ?1 AND coverage_reason NOT IN ('RESOURCE_TERMINATED', 'EXCLUDED_BY_TAG'))sql";
  static const auto statement = fmt::format(fmt::runtime(text), fmt::arg("covered", is_covered()),
                                            fmt::arg("packages", its_packages));
  TRY(const auto changed, connection.run(statement, resource.value, evaluated));
  CHECK(changed <= 1);
  return {};
}

Result<std::optional<ResourceId>> update_coverage(sql::Connection& connection,
                                                  const ResourceRange& range) {
  TRY(const auto last,
      connection.one_integer("SELECT MAX(resource_id) FROM (SELECT resource_id FROM resource "
                             "WHERE resource_id BETWEEN ?1 AND ?2 ORDER BY resource_id LIMIT ?3) p",
                             range.first.value, range.last.value, coverages_at_once));
  if (!last) return std::optional<ResourceId>();
  static const auto lost = fmt::format(
      "UPDATE resource SET coverage_status = 'INACTIVE', coverage_reason = 'UNSUPPORTED_OS' "
      "WHERE resource_id BETWEEN ?1 AND ?2 AND coverage_reason = 'SUCCESSFUL' AND NOT ({})",
      is_covered());
  static const auto gained = fmt::format(
      "UPDATE resource SET coverage_status = 'ACTIVE', coverage_reason = 'SUCCESSFUL' "
      "WHERE resource_id BETWEEN ?1 AND ?2 AND coverage_reason = 'UNSUPPORTED_OS' AND ({})",
      is_covered());
  for (const auto& statement : {lost, gained}) {
    TRY(const auto changed, connection.run(statement, range.first.value, *last));
    CHECK(changed >= 0);
  }
  return std::optional<ResourceId>(ResourceId{*last});
}

namespace {

constexpr std::string_view generation_applied = "advisory_generation_applied";

}  // namespace

Result<Seconds> fleet_evaluated_at(sql::Connection& connection) {
  return number_setting(connection, generation_applied);
}

Result<> set_fleet_evaluated(sql::Connection& connection, Seconds now) {
  return put_setting(connection, generation_applied, now);
}

void note_fleet_evaluated(Resource& resource, Seconds at) {
  if (resource.evaluated > 0 && resource.coverage_reason != "RESOURCE_TERMINATED" &&
      resource.coverage_reason != "EXCLUDED_BY_TAG")
    resource.evaluated = std::max(resource.evaluated, at);
}

std::string last_evaluated(std::string_view fleet) {
  return fmt::format(
      "CASE WHEN evaluated_at > 0 AND evaluated_at < {0} "
      "AND coverage_reason NOT IN ('RESOURCE_TERMINATED', 'EXCLUDED_BY_TAG') THEN {0} ELSE "
      "NULLIF(evaluated_at, 0) END",
      fleet);
}

}  // namespace tenken::store
