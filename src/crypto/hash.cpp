#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/result.h"

namespace tenken::crypto {
namespace {

constexpr std::size_t block_bytes = 64;

const EVP_MD* sha256_algorithm() {
  // Lives to the end of the process: contexts of other threads may still use it while it ends.
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(fetched != nullptr);
  return fetched;
}

class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new()) { CHECK(context_ != nullptr); }
  ~Hasher() { EVP_MD_CTX_free(context_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void begin() { CHECK(EVP_DigestInit_ex(context_, sha256_algorithm(), nullptr) == 1); }
  void update(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  }
  Digest finish() {
    Digest digest;
    CHECK(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr) ==
          1);
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
};

Digest hash_of(std::string_view first, std::string_view second) {
  thread_local Hasher hasher;
  hasher.begin();
  hasher.update(first);
  hasher.update(second);
  return hasher.finish();
}

}  // namespace

Digest sha256(std::string_view bytes) {
  return hash_of(bytes, {});
}

struct Sha256::Context {
  Hasher hasher;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  context_->hasher.begin();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  context_->hasher.update(bytes);
}

Digest Sha256::finish() {
  const auto digest = context_->hasher.finish();
  context_->hasher.begin();
  return digest;
}

// RFC 2104 section 2: H(K xor opad, H(K xor ipad, text)).
Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest shortened;
  if (key.size() > block_bytes) {
    shortened = sha256(key);
    key = view(shortened);
  }
  std::array<char, block_bytes> pad{};
  key.copy(pad.data(), key.size());
  const std::string_view block(pad.data(), pad.size());
  for (char& c : pad) c = static_cast<char>(c ^ 0x36);
  const auto inner = hash_of(block, bytes);
  for (char& c : pad) c = static_cast<char>(c ^ 0x36 ^ 0x5C);
  const auto outer = hash_of(block, view(inner));
  OPENSSL_cleanse(pad.data(), pad.size());
  return outer;
}

// RFC 5869 sections 2.2 and 2.3. An absent salt is 32 zero bytes, which HMAC pads alike.
Secret hkdf_sha256(const Secret& secret, std::string_view label) {
  const auto extracted = Secret(view(hmac_sha256({}, secret.reveal())));
  return Secret(view(hmac_sha256(extracted.reveal(), std::string(label) + '\x01')));
}

}  // namespace tenken::crypto
