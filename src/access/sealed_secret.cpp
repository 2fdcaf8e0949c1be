#include "access/sealed_secret.h"

#include <fmt/format.h>

#include "crypto/encode.h"
#include "crypto/seal.h"

namespace tenken::access {
namespace {

std::string owner(std::string_view access_key_id, std::string_view account) {
  return fmt::format("{}\n{}", access_key_id, account);
}

}  // namespace

std::string seal_secret(const crypto::Secret& sealing_key, const crypto::Secret& secret,
                        std::string_view access_key_id, std::string_view account) {
  return crypto::to_base64(
      crypto::seal(sealing_key, secret.reveal(), owner(access_key_id, account)));
}

Result<crypto::Secret> open_secret(const crypto::Secret& sealing_key, std::string_view sealed,
                                   std::string_view access_key_id, std::string_view account) {
  TRY(const auto bytes, crypto::from_base64(sealed));
  return crypto::open(sealing_key, bytes, owner(access_key_id, account));
}

}  // namespace tenken::access
