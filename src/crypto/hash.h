// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869) over OpenSSL.
//
// OpenSSL 3 looks an algorithm up by name on each use, which costs more than hashing a small
// request; here it is fetched once, and each thread keeps its contexts.
//
// Errors: none; OpenSSL refuses these only where memory is out or it is damaged.
// Thread rule: functions are safe from any thread; a Sha256 belongs to one at a time.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/secret.h"

namespace tenken::crypto {

using Digest = std::array<char, 32>;
inline std::string_view view(const Digest& digest) {
  return {digest.data(), digest.size()};
}

Digest sha256(std::string_view bytes);

// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  Digest finish();  // of all so far; the object then begins anew

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest hmac_sha256(std::string_view key, std::string_view bytes);

// 32 bytes that depend on the secret and the label; without the secret nothing about them can be
// told, also not from those of other labels. (Extract with an empty salt, then one expansion.)
Secret hkdf_sha256(const Secret& secret, std::string_view label);

}  // namespace tenken::crypto
