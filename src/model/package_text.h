// What the texts of a Package hold that no store, line or argument can.
//
// Thread rule: pure.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "model/package.h"

namespace tenken {

inline bool has_nul(const Package& package) {
  const std::array<std::string_view, 13> texts{
      package.ecosystem,    package.release, package.kind,        package.name,
      package.version,      package.arch,    package.source_name, package.source_version,
      package.module_label, package.vendor,  package.purl,        package.location,
      package.license};
  return std::ranges::any_of(texts, [](std::string_view text) { return text.contains('\0'); });
}

}  // namespace tenken
