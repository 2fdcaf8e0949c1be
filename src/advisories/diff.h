// What changed between two generations: the package names whose rows say something else, and the
// vulnerabilities that are new, gone or described differently. A re-evaluation looks at these
// names only.
//
// Thread rule: pure; both databases are read only.
#pragma once

#include <cstdint>
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

struct Difference {
  std::vector<NameChange> names;                     // by ecosystem, release, name
  std::vector<VulnerabilityChange> vulnerabilities;  // by id
};

Result<Difference> diff(const Database& before, const Database& after);

}  // namespace tenken::advisories
