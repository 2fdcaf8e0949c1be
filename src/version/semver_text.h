// Semantic versions (https://semver.org, section 11) as registries hold them: an optional leading
// "v", one to many numeric components of any length, where missing ones are 0.
//
// Thread rule: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

#include "version/scheme.h"

namespace tenken::version {

struct SemverRules {
  enum class Build : std::uint8_t { ignored, ordered };
  enum class Letters : std::uint8_t { exact, folded };
  Build build = Build::ignored;      // what follows '+'
  Letters letters = Letters::exact;  // of the pre-release
};

Result<Key> encode_semver(std::string_view version, SemverRules rules);

}  // namespace tenken::version
