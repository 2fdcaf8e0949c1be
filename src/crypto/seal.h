// Values sealed against reading and change: AES-256-GCM (NIST SP 800-38D) with a random nonce of
// 96 bits, which is safe for 2^32 values under one key.
//
// A sealed value is: version byte 1, nonce (12 bytes), ciphertext (as long as the value), tag (16).
// The associated data is not stored; opening with another than it was sealed with fails, so that
// a sealed value cannot be moved to another row.
//
// Errors: invalid (changed, cut, another key or other associated data: which of them cannot be
// told, and no part of the value is given out).
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace tenken::crypto {

// The key has 32 bytes.
std::string seal(const Secret& key, std::string_view value, std::string_view associated);
Result<Secret> open(const Secret& key, std::string_view sealed, std::string_view associated);

}  // namespace tenken::crypto
