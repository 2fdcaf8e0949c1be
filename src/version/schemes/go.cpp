// Go: module versions are SemVer (https://go.dev/ref/mod#versions), where a pseudo-version is a
// pre-release and "+incompatible" build metadata; toolchains and the standard library are written
// "go1.21.3" or "go1.21rc2".
#include "version/key_bytes.h"
#include "version/semver_text.h"

namespace tenken::version {
namespace go_ {

// "1.21rc2" -> "1.21-rc.2", as the Go vulnerability database writes toolchain releases.
Result<Key> encode_toolchain(std::string_view version) {
  const auto word = version.find_first_not_of("0123456789.");
  if (word == std::string_view::npos) return encode_semver(version, {});
  auto rest = version.substr(word);
  const auto kind = take_letters(rest);
  if ((kind != "rc" && kind != "beta") || !all_digits(rest))
    return invalid("not a release of the Go toolchain");
  std::string semver(version.substr(0, word));
  semver.append("-").append(kind).append(".").append(rest);
  return encode_semver(semver, {});
}

Result<Key> encode(std::string_view version) {
  return take_prefix(version, "go") ? encode_toolchain(version) : encode_semver(version, {});
}

}  // namespace go_

extern constinit const Scheme go{.id = "go", .encode = go_::encode};

}  // namespace tenken::version
