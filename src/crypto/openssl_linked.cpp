// OpenSSL as a part of a static program, which has nothing to load.
#include "crypto/openssl.h"

namespace tenken::crypto {

Result<> load_openssl() {
  return {};
}

}  // namespace tenken::crypto
