// Advisory: one record of an upstream that says which package versions are affected by what.
// VulnerabilityNote: facts about a vulnerability that never create or remove a match.
// Both are values in upstream's own words; nothing is merged or decided here.
//
// Source: OSV schema 1.7 (https://ossf.github.io/osv-schema/), whose terms the names follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace tenken {

struct RangeEvent {
  enum class Kind : std::uint8_t { introduced, fixed, last_affected, limit };
  Kind kind = Kind::introduced;
  std::string version;
};

struct Range {
  enum class Type : std::uint8_t { ecosystem, semver, git };
  Type type = Type::ecosystem;
  std::vector<RangeEvent> events;  // in upstream's order, which may be unsorted
  std::string fault = {};          // why it could not be read; empty: it could
};

// What the vendor says of the affected package, where that is more than "affected until fixed".
enum class VendorStatus : std::uint8_t {
  affected,             // decided by ranges and versions alone
  fix_deferred,         // affected, fix postponed (Debian no-dsa/postponed, Ubuntu deferred)
  will_not_fix,         // affected, ignored by the vendor
  end_of_life,          // affected, release or package out of support
  under_investigation,  // not known yet (Debian undetermined, Ubuntu needs-triage)
  not_affected,         // the vendor says every version is fine
};

struct Severity {
  std::string type;     // "CVSS_V2", "CVSS_V3", "CVSS_V4", "Ubuntu", …
  std::string score;    // the vector, or the vendor's word
  std::string source;   // who scored: "nvd@nist.gov", a CNA; empty: the record's publisher
  bool primary = true;  // NVD: Primary or Secondary
};

struct AffectedPackage {
  std::string ecosystem;  // "Debian", without release
  std::string release;    // "11"; empty where the ecosystem has none
  std::string name;
  std::vector<Range> ranges;
  std::vector<std::string> versions;  // enumerated, literal
  VendorStatus status = VendorStatus::affected;
  std::string status_note;      // the vendor's own words: "postponed; minor issue"
  std::string vendor_severity;  // the release's own: "low", "unimportant"; empty: none
  std::string module_stream;    // "nodejs:18"; rpm modules only
  std::vector<Severity> severity;
};

struct Reference {
  std::string type;  // OSV's: ADVISORY, ARTICLE, FIX, REPORT, WEB, …
  std::string url;
};

struct Advisory {
  std::string id;
  Seconds modified = 0;   // 0: not stated
  Seconds published = 0;  // 0: not stated
  std::optional<Seconds> withdrawn;
  std::vector<std::string> aliases;
  std::vector<std::string> upstream;
  std::vector<std::string> related;
  std::string summary;
  std::string summary_ja;  // in Japanese, where the publisher gives one; empty: none
  std::string details;
  std::string vendor_severity;  // the record's own word: "Important"; empty: none
  std::vector<Severity> severity;
  std::vector<AffectedPackage> affected;
  std::vector<Reference> references;
  std::vector<std::string> cwes;  // "CWE-79"
};

struct KnownExploited {  // CISA KEV
  Seconds added = 0;
  Seconds due = 0;
  bool ransomware = false;
  std::string name;
  std::string action;
};

struct ExploitPrediction {  // FIRST EPSS
  double probability = 0;   // 0 to 1, of exploitation in the next 30 days
  double percentile = 0;    // 0 to 1; negative: not stated
  Seconds date = 0;         // of the model's run; 0: not stated
};

struct VulnerabilityNote {
  std::string id;  // CVE-…
  Seconds modified = 0;
  Seconds published = 0;
  std::string status;       // NVD vulnStatus; empty for others
  std::string description;  // English, as published
  std::vector<Severity> severity;
  std::vector<std::string> cwes;
  std::vector<Reference> references;
  std::optional<KnownExploited> exploited;
  std::optional<ExploitPrediction> prediction;
};

}  // namespace tenken
