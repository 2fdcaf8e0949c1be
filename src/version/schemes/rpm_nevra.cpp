// A whole rpm, name-[epoch:]version-release[.arch]: by name, then as rpm orders the version, then
// by architecture. A text with one dash or none is an EVR alone.
#include "version/key_bytes.h"
#include "version/rpm_text.h"
#include "version/scheme.h"

namespace tenken::version {
namespace rpm_nevra_ {

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  std::string_view name;
  std::string_view arch;
  const auto release = version.rfind('-');
  const auto evr = release == std::string_view::npos || release == 0
                       ? std::string_view::npos
                       : version.rfind('-', release - 1);
  if (evr != std::string_view::npos) {
    name = version.substr(0, evr);
    version.remove_prefix(evr + 1);
    if (const auto dot = version.rfind('.'); dot != std::string_view::npos && dot + evr > release) {
      arch = version.substr(dot + 1);
      version = version.substr(0, dot);
    }
  }
  Key key;
  key.reserve(2 * version.size() + name.size() + 16);
  put_text(key, name);
  put_rpm_evr(key, version);
  put_text(key, arch);
  return key;
}

}  // namespace rpm_nevra_

extern constinit const Scheme rpm_nevra{.id = "rpm_nevra", .encode = rpm_nevra_::encode};

}  // namespace tenken::version
