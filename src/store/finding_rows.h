// Findings as they are read: with what is shown of their resource, their vulnerability and their
// packages.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/finding_conditions.h"
#include "store/findings.h"
#include "store/ids.h"
#include "store/resource_facts.h"

namespace tenken::store {

struct FindingPackage {
  PackageVersionId id;
  std::string kind;
  std::string name;
  std::string version;  // as the package manager prints it
  std::string arch;
  // Empty for the distribution's own packages that are installed, and once it is gone.
  std::string location;
  std::string running;  // JSON: RunningPackage::processes; empty: it is installed, or gone
  std::int64_t score = -1;
  std::string score_source;
  std::string fixed_version;
  std::string advisories;
};

struct FindingRow {
  FindingKey key;
  std::string account;
  Lifecycle status = Lifecycle::active;
  std::int64_t score = -1;  // tenths
  Fix fix = Fix::none;
  Staleness stale = Staleness::none;
  std::vector<PackageVersionId> package_ids;
  Seconds last_observed = 0;
  Seconds updated = 0;
  Seconds closed = 0;
  std::string suppressed_by;
  std::string cause;
  std::string vendor_severity;  // of the package that gives the score; empty: the vendor gave none

  std::string resource_external_id;
  std::string resource_type;
  std::string resource_region;
  std::string resource_name;
  std::string resource_platform;
  std::string resource_details;  // JSON
  std::string resource_tags;     // JSON
  ResourceFacts resource_facts;

  std::string source;
  Seconds published = 0;
  Seconds modified = 0;
  double epss = -1;
  Seconds exploited = 0;
  std::string document;  // JSON: store/matches.h

  std::vector<FindingPackage> packages;  // by name
};

// The columns of a FindingRow from finding f, resource r and vulnerability v.
extern const std::string_view finding_columns;
constexpr int finding_column_count = 35;
FindingRow read_finding(const sql::Row& row, int first_column = 0);

// Fills in `packages` of all of them.
Result<> read_packages(sql::Connection& connection, std::span<FindingRow> findings);

// Those of the keys that the account has, with their packages, in the order of the keys.
Result<std::vector<FindingRow>> findings_of(sql::Connection& connection, std::string_view account,
                                            std::span<const FindingKey> keys);

}  // namespace tenken::store
