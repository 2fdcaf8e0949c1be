// The one table of Linux distributions: the ID of os-release → OSV's ecosystem and release, and
// the kind of package that belongs to the distribution. A derivative (ID_LIKE) is not its parent:
// it builds packages of its own, so that an ID outside this table has no ecosystem.
//
// Source of the names: https://ossf.github.io/osv-schema/#defined-ecosystems
//
// Thread rule: pure functions over a constant table.
#pragma once

#include <string>
#include <string_view>

#include "model/inventory.h"

namespace tenken::inventory {

struct Distribution {
  std::string_view id;         // os-release's ID, in lower case
  std::string_view ecosystem;  // OSV's name; empty: OSV has none
  std::string_view kind;       // of its packages: "deb", "rpm", "apk"
  // OSV's suffix; empty where the release is unknown or the ecosystem has none.
  std::string (*release)(std::string_view ecosystem, const OperatingSystem& os);
};

// nullptr: not in the table. The case of the id does not matter.
const Distribution* find_distribution(std::string_view id);

}  // namespace tenken::inventory
