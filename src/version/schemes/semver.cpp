// npm, Cargo, Hex, Bitnami and all that follow SemVer 2.0.0: build metadata does not count.
#include "version/semver_text.h"

namespace tenken::version {
namespace semver_ {

Result<Key> encode(std::string_view version) {
  return encode_semver(version, {});
}

}  // namespace semver_

extern constinit const Scheme semver{.id = "semver", .encode = semver_::encode};

}  // namespace tenken::version
