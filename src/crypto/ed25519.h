// Ed25519 signatures (RFC 8032).
//
// Errors: invalid (a key of another size; of verifying, also a signature that is not this key's).
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace tenken::crypto {

// The seed is the private key: 32 bytes. The public key has 32 bytes, a signature 64.
Result<std::string> ed25519_public_key(const Secret& seed);
Result<std::string> ed25519_sign(const Secret& seed, std::string_view bytes);
Result<> ed25519_verify(std::string_view public_key, std::string_view bytes,
                        std::string_view signature);

}  // namespace tenken::crypto
