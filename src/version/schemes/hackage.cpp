// Hackage and GHC: numbers separated by dots (Haskell's Data.Version, the Package Versioning
// Policy).
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace hackage_ {

Result<Key> encode(std::string_view version) {
  return encode_number_list(version, ".");
}

}  // namespace hackage_

extern constinit const Scheme hackage{.id = "hackage", .encode = hackage_::encode};

}  // namespace tenken::version
