// What changed between two generations: the package names whose rows say something else, the
// vulnerabilities that are new, gone or described differently, and the releases that are covered
// otherwise than before, of which every package is concerned. A re-evaluation looks at these only.
//
// Thread rule: pure; both databases are read only.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "advisories/database.h"
#include "base/result.h"

namespace tenken::advisories {

enum class Change : std::uint8_t { added, removed, changed };
std::string_view name(Change change);

struct NameChange {
  std::string ecosystem;
  std::string release;
  std::string name;
  Change change = Change::changed;
};

struct VulnerabilityChange {
  std::string id;
  Change change = Change::changed;
};

// Covered no longer, newly, or in part where it was wholly, and the other way round.
struct CoverageChange {
  std::string ecosystem;
  std::string release;  // empty: the ecosystem has none
  friend auto operator<=>(const CoverageChange&, const CoverageChange&) = default;
};

struct Difference {
  std::vector<NameChange> names;                     // by ecosystem, release, name
  std::vector<VulnerabilityChange> vulnerabilities;  // by id
  std::set<CoverageChange> coverage;
};

Result<Difference> diff(const Database& before, const Database& after);

}  // namespace tenken::advisories
