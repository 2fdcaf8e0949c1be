// What the advisories say of package versions: the tables match and vulnerability. A package
// version is matched once for the whole fleet; what a newer generation no longer says is kept with
// live = 0, so that closed findings still tell what they were.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/finding.h"
#include "sql/sql.h"
#include "store/ids.h"

namespace tenken::store {

struct StoredMatch {
  std::string vulnerability;
  FindingStatus status = FindingStatus::affected;
  std::int64_t score = no_score;  // tenths; 0 to 100
  std::string score_source;
  std::string vendor_severity;
  std::string fixed_version;
  std::string advisories;  // ids, separated by blanks
  friend bool operator==(const StoredMatch&, const StoredMatch&) = default;
};

// What could be said of a package version: something of it may be undecided (a version that cannot
// be ordered), or everything (no advisories for its release). What it replaced is then not closed.
// Where no feed covers the release but records name the package, what they say of it is decided
// (by_records) and closes what it replaced; the release is not covered all the same.
enum class Decided : std::int64_t { wholly = 0, partly = 1, not_covered = 2, by_records = 3 };

// The matches of one package version under the present generation.
struct VersionMatches {
  PackageVersionId id;
  std::vector<StoredMatch> matches;
  Decided decided = Decided::wholly;
  // The generation does not (wholly) cover its release: matches that it lacks stay, as stale.
  bool keep_missing = false;
  std::string unknown = "[]";  // JSON: kind, subject, reason
};

// Which vulnerabilities have a match that appeared, changed or ended, or concern a version that
// kept their findings open, undecided, and is decided now; and whether a version that was matched
// before is of a release that came to be covered or no longer is: update_coverage.
struct MatchChanges {
  std::set<std::string> vulnerabilities;
  bool coverage = false;
};
// Writes what differs.
Result<MatchChanges> put_matches(sql::Connection& connection,
                                 std::span<const VersionMatches> versions);

struct StoredVulnerability {
  std::string id;
  std::string title;
  std::string source;  // "NVD", "DEBIAN_CVE", …
  Seconds published = 0;
  Seconds modified = 0;
  double epss = -1;
  Seconds exploited = 0;  // added to CISA's list; 0: not in it
  std::string aliases;    // its other ids, each between blanks: " GHSA-x DSA-1 "; empty: none
  std::string document;   // JSON: description, cvss, references, cwes, … as the API shows them
};
Result<> put_vulnerabilities(sql::Connection& connection,
                             std::span<const StoredVulnerability> vulnerabilities);
// Those that no match and no finding names, under lock_interned.
Result<std::int64_t> remove_unused_vulnerabilities(sql::Connection& connection);
// The matches of a package version that is no more, under lock_interned.
Result<> remove_matches(sql::Connection& connection, PackageVersionId version);
// Those of the ids that the store has.
Result<std::set<std::string>> known_vulnerabilities(sql::Connection& connection);

// That match m holds where resource_package rp has its package version: what only an earlier
// generation said (stale) holds while the finding is open.
extern const std::string_view match_holds;

// The first columns of a statement that reads package versions, and the version of such a row.
extern const std::string_view package_version_columns;
PackageVersion read_package_version(const sql::Row& row);

// The package version, where there is one.
Result<std::vector<std::pair<PackageVersionId, PackageVersion>>> versions_of(
    sql::Connection& connection, PackageVersionId id);
// Package versions waiting for their first match, at most limit.
Result<std::vector<std::pair<PackageVersionId, PackageVersion>>> unmatched_versions(
    sql::Connection& connection, std::int64_t limit);
// Package versions that an advisory name of an ecosystem concerns.
Result<std::vector<std::pair<PackageVersionId, PackageVersion>>> versions_named(
    sql::Connection& connection, std::string_view ecosystem, std::string_view advisory_name);
// Package versions that have a match with the vulnerability.
Result<std::vector<std::pair<PackageVersionId, PackageVersion>>> versions_matching(
    sql::Connection& connection, std::string_view vulnerability);
// All, in pages by id: those after `after`.
Result<std::vector<std::pair<PackageVersionId, PackageVersion>>> versions_after(
    sql::Connection& connection, PackageVersionId after, std::int64_t limit);

}  // namespace tenken::store
