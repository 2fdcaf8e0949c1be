// One part of an rpm version, without epoch or release: rpmvercmp itself.
#include "version/rpm_text.h"
#include "version/scheme.h"

namespace tenken::version {
namespace rpm_vercmp_ {

Result<Key> encode(std::string_view version) {
  Key key;
  key.reserve(2 * version.size() + 8);
  put_rpm_text(key, version);
  return key;
}

}  // namespace rpm_vercmp_

extern constinit const Scheme rpm_vercmp{.id = "rpm_vercmp", .encode = rpm_vercmp_::encode};

}  // namespace tenken::version
