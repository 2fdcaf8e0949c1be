// The master key: 32 random bytes in a file that only the server's user may read, never in the
// database nor in its backup. Everything secret that is stored or signed stands on a key derived
// from it (HKDF), one per purpose. Nodes on one database share the file.
//
// The file is 64 hexadecimal digits and a line end.
//
// Errors: not_found, denied (others may read it; not ours), invalid (no key in it), unavailable.
// Thread rule: immutable once opened.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "crypto/secret.h"

namespace tenken::access {

class MasterKey {
 public:
  static Result<MasterKey> open(const std::string& path);
  // Makes the file, mode 0600, where it is not there: nodes that start at once agree on one.
  static Result<MasterKey> open_or_create(const std::string& path);

  enum class Purpose : std::uint8_t {
    access_key_secrets,  // seals them
    page_tokens,         // seals or signs them
    ca_key,              // seals the private key of the server's own CA
    agent_commands,      // the Ed25519 seed that signs what agents are told to do
    fingerprint,         // may be shown: tells which key a database belongs to
  };
  crypto::Secret derive(Purpose purpose) const;
  std::string fingerprint() const;  // 32 hexadecimal digits

 private:
  explicit MasterKey(crypto::Secret bytes) : bytes_(std::move(bytes)) {}

  crypto::Secret bytes_;
};

}  // namespace tenken::access
