// RPM distributions: [epoch:]version[-release], as rpm's version comparison orders it.
#include "version/key_bytes.h"
#include "version/rpm_text.h"
#include "version/scheme.h"

namespace tenken::version {
namespace rpm_ {

// rpm reads any text; what neither digits, letters, '~' nor '^' are is a separator.
Result<Key> encode(std::string_view version) {
  Key key;
  key.reserve(2 * version.size() + 8);
  put_rpm_evr(key, version);
  return key;
}

}  // namespace rpm_

extern constinit const Scheme rpm{.id = "rpm", .encode = rpm_::encode};

}  // namespace tenken::version
