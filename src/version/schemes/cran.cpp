// CRAN and Bioconductor: numbers separated by dots or dashes (R's package_version): 0.1-2 = 0.1.2.
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace cran_ {

Result<Key> encode(std::string_view version) {
  return encode_number_list(version, ".-");
}

}  // namespace cran_

extern constinit const Scheme cran{.id = "cran", .encode = cran_::encode};

}  // namespace tenken::version
