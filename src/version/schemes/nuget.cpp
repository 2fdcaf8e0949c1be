// NuGet: SemVer with up to four numbers, letters of the pre-release folded, build metadata ignored
// (NuGet documentation, "Package versioning").
#include "version/semver_text.h"

namespace tenken::version {
namespace nuget_ {

Result<Key> encode(std::string_view version) {
  return encode_semver(version, {.letters = SemverRules::Letters::folded});
}

}  // namespace nuget_

extern constinit const Scheme nuget{.id = "nuget", .encode = nuget_::encode};

}  // namespace tenken::version
