// Finding: one (package, vulnerability) that the advisories affirm, with the evidence that decided
// it; Unknown: what could not be decided, which is never silence. ScanResult is everything one
// scan has to say, in the order in which it is shown.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "model/inventory.h"

namespace tenken {

enum class FindingStatus : std::uint8_t {
  affected,
  fix_deferred,
  will_not_fix,
  end_of_life,
  under_investigation,
  not_running,  // an installed kernel that is not the running one
};
std::string_view name(FindingStatus status);  // "affected", "fix_deferred", …

// Ordered: a greater value is more severe; unknown is below none.
enum class SeverityLevel : std::uint8_t { unknown, none, low, medium, high, critical };
std::string_view name(SeverityLevel level);
std::optional<SeverityLevel> parse_severity_level(std::string_view name);

// Scores are in tenths, 0 to 100. none 0, low 0.1–3.9, medium 4.0–6.9, high 7.0–8.9, critical
// 9.0–10; unknown is no_score alone.
inline constexpr std::int16_t no_score = -1;
struct ScoreBand {
  std::int64_t first = no_score;
  std::int64_t last = no_score;
};
ScoreBand score_band(SeverityLevel level);
SeverityLevel level_of_score(std::int64_t tenths);

// Why an advisory row holds (or does not hold) for a package version.
struct Evidence {
  std::string advisory;   // the record's id: "DSA-5376-1"
  std::string feed;       // "osv", "debian_tracker"
  std::string ecosystem;  // with release: "Debian:11"
  std::string package;    // the name the advisory uses
  std::string range;      // as published: "introduced 0, fixed 2.4.56-1~deb11u1"
  std::string installed;  // the version compared: the source's where the advisory means the source
  std::string compared;   // "2.4.51-1~deb11u1 < 2.4.56-1~deb11u1"
  std::string scheme;     // "dpkg"
  std::string verdict;    // "affected", "not_affected", "unknown"
  std::string reason;     // one sentence: "installed is before the fix"
};

// Why a finding does not count: an ignore rule or a VEX statement took it out.
struct Exclusion {
  std::string by;      // "ignore.yaml:3", "openvex.json"
  std::string reason;  // the rule's or statement's words
  std::string status;  // "not_affected", "fixed" (VEX); "accepted" (an ignore rule)
};

struct Finding {
  std::size_t package = 0;  // index into ScanResult::inventory.packages
  // Index into ScanResult::vulnerabilities; before there is one, the number in the database.
  std::uint32_t vulnerability = 0;
  FindingStatus status = FindingStatus::affected;
  SeverityLevel severity = SeverityLevel::unknown;
  std::string id;                       // the CVE, else the source's own id
  std::vector<std::string> advisories;  // records that themselves match, sorted
  std::string status_note;              // the vendor's words, or why a subscription is needed
  std::string vendor_severity;          // the vendor's own word: "Important"; empty: it gave none
  std::string severity_source;          // "AlmaLinux", "CVSS 3.1 nvd@nist.gov"; empty: unknown
  std::int16_t score = no_score;        // in the band of the severity
  bool score_estimated = false;         // the lower bound of the band of a vendor's word
  bool foreign_vector = false;          // a vendor's word decides, and the vector is another's
  std::int16_t cvss = -1;               // the chosen one of Vulnerability::cvss; -1: none
  std::string fixed_version;            // empty: none known
  std::vector<Evidence> evidence;
  std::shared_ptr<const Exclusion> excluded;  // nullptr: it counts
};

// A CVSS vector, who gave it and its base score.
struct CvssScore {
  std::string vector;
  std::string source;  // "nvd@nist.gov", "GitHub_M", or the record that has it: "GHSA-…"
  std::int16_t tenths = 0;
};
std::string_view cvss_version(std::string_view vector);  // "2.0", "3.0", "3.1", "4.0"

// What is known of a vulnerability, once per id however many findings refer to it.
struct Vulnerability {
  std::string id;
  std::vector<std::string> aliases;  // other ids of the same vulnerability, sorted
  std::string summary;
  std::string summary_ja;  // empty: none
  std::string details;
  Seconds published = 0;
  Seconds modified = 0;
  std::vector<Severity> severity;  // as published
  // Every vector that can be read: the sources by preference, each with its preferred version
  // first.
  std::vector<CvssScore> cvss;
  std::vector<std::string> cwes;
  std::vector<Reference> references;
  std::optional<KnownExploited> exploited;
  std::optional<ExploitPrediction> prediction;
};

// The vector that was chosen for the finding; nullptr: none.
const CvssScore* chosen_cvss(const Finding& finding, const Vulnerability& vulnerability);
// Whose number a finding's score is: a vector's source, or where it is estimated whose word
// decides.
std::string_view score_source(const Finding& finding, const Vulnerability& vulnerability);
// Two sources are 2.0 or two bands apart.
bool scores_disagree(const Vulnerability& vulnerability);

// kind: "ecosystem", "release", "version", "package", "database", "module", "vendor", "feed", …
struct Unknown {
  std::string kind;
  std::string subject;
  std::string reason;
  std::size_t count = 1;
};

struct FeedState {
  std::string id;
  std::string newest;  // RFC 3339 of its newest record; empty: not stated
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
};

// What the database holds for one (ecosystem, release) that the scan asked for.
struct UsedCoverage {
  std::string ecosystem;  // with release: "AlmaLinux:9"
  std::uint64_t rows = 0;
  Seconds newest = 0;  // of the records behind them; 0: not stated
  bool partial = false;
};

struct DatabaseState {
  std::string path;
  std::string generation;  // hex of the content's hash
  Seconds built = 0;
  Seconds newest_record = 0;
  bool starter = false;  // the small one that ships with the program
  std::vector<FeedState> feeds;
  std::vector<UsedCoverage> used;  // sorted by ecosystem
};

struct ScanResult {
  Inventory inventory;
  DatabaseState database;
  std::vector<Finding> findings;               // sorted by package, then severity, then id
  std::vector<Finding> ignored;                // the same for those that a rule or VEX took out
  std::vector<Unknown> unknown;                // sorted
  std::vector<std::string> warnings;           // already in the user's language
  std::vector<Vulnerability> vulnerabilities;  // of the findings, sorted by id
  std::size_t counted_packages = 0;            // without listed-only ones
  std::size_t hidden = 0;  // findings that the user asked not to see (--severity, --fixed-only)
};

}  // namespace tenken
