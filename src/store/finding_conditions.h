// Filter criteria as conditions of SQL over rows of the table finding. Values travel as parameters
// only. Conditions on the finding's resource, vulnerability and packages are sub-queries that are
// bound to its resource_id or read tables that every shard has.
//
// Thread rule: pure functions; resolve_arns reads the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "findings/criteria.h"
#include "findings/score.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/sql_text.h"

namespace tenken::store {

struct FindingKey {
  ResourceId resource;
  std::string vulnerability;
  std::int64_t episode = 0;
  friend auto operator<=>(const FindingKey&, const FindingKey&) = default;
};

// What criteria on findingArn come to: of the findings named, which are meant. Ids are hashes, so
// that they are looked for before the question is asked.
struct ArnAnswer {
  bool all = true;  // the next two do not count
  std::vector<FindingKey> wanted;
  std::vector<ResourceRange> wanted_ranges;  // of the beginnings of ids
  std::vector<FindingKey> unwanted;
};
// The region of an ARN does not count: all regions see the same data.
Result<ArnAnswer> resolve_arns(sql::Connection& connection,
                               const std::vector<std::string>& accounts,
                               const findings::Criteria& criteria);
// The finding of that id; nullopt: the account has none.
Result<std::optional<FindingKey>> find_finding(sql::Connection& connection,
                                               std::string_view account, std::string_view id);

// The conditions that stand in columns of finding, ready for choosing an index.
struct ColumnConditions {
  bool impossible = false;
  std::vector<std::int64_t> statuses;  // those that are meant, ascending
  std::vector<std::int64_t> fixes;     // the same, of Fix
  std::vector<ScoreBand> scores;       // disjoint, ascending; never empty
};
ColumnConditions column_conditions(const findings::Criteria& criteria);

// Those of the accounts that the criteria mean.
std::vector<std::string> accounts_meant(const std::vector<std::string>& accounts,
                                        const findings::Criteria& criteria);

// " AND …" for everything but account, status and the outer bounds of the score, which the caller
// states itself; `finding` is the name or alias of the table. scores are of column_conditions.
void add_conditions(SqlText& sql, std::string_view finding, const findings::Criteria& criteria,
                    const ColumnConditions& columns, const ArnAnswer& arns);

// What add_conditions adds of the finding's resource and its tags.
void add_resource_conditions(SqlText& sql, std::string_view finding,
                             const findings::Criteria& criteria);

// The columns beside its key that add_conditions reads of a finding.
std::vector<std::string_view> columns_read(const findings::Criteria& criteria,
                                           const ColumnConditions& columns);

// What criteria say of vulnerabilities and of resources alone: something to begin with. It may let
// more pass than the criteria.
bool vulnerabilities_choose(const findings::Criteria& criteria);
bool packages_choose(const findings::Criteria& criteria);
// "SELECT m.vulnerability_id …": those that the packages meant match, perhaps more than once.
void add_package_matches(SqlText& sql, const findings::Criteria& criteria);
// " AND …" on the row v of vulnerability, by an index of which SQLite may choose it.
enum class VulnerabilityIndex : std::uint8_t { any, epss, key };
void add_vulnerability_conditions(SqlText& sql, const findings::Criteria& criteria,
                                  VulnerabilityIndex index, bool by_packages);
// Of vulnerabilities and of resources: each by its whole name.
bool names_vulnerabilities(const findings::Criteria& criteria);
bool names_resources(const findings::Criteria& criteria);
bool resources_choose(const findings::Criteria& criteria, const ArnAnswer& arns);
// " AND …" on the vulnerabilities that are named of findings of a resource.
void add_named_vulnerabilities(SqlText& sql, const findings::Criteria& criteria);
// " AND …" on the row r of resource, which is walked in the order of that column.
void add_walked_resource_conditions(SqlText& sql, const findings::Criteria& criteria,
                                    std::string_view walked);
// "SELECT r.resource_id, r.type, r.repository, r.registry …"
void add_resource_set(SqlText& sql, sql::Engine engine, const std::vector<std::string>& accounts,
                      const findings::Criteria& criteria, const ArnAnswer& arns);

}  // namespace tenken::store
