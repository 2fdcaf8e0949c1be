// Pub (Dart) and Julia: SemVer with build metadata ordered after its absence, identifier by
// identifier (pub_semver's Version.compareTo, Julia's VersionNumber).
#include "version/semver_text.h"

namespace tenken::version {
namespace pub_ {

Result<Key> encode(std::string_view version) {
  return encode_semver(version, {.build = SemverRules::Build::ordered});
}

}  // namespace pub_

extern constinit const Scheme pub{.id = "pub", .encode = pub_::encode};

}  // namespace tenken::version
