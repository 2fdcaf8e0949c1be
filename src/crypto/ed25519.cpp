#include "crypto/ed25519.h"

#include <memory>

#include <openssl/evp.h>

#include "crypto/openssl.h"

namespace tenken::crypto {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t signature_bytes = 64;

using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

Result<Key> private_key(const Secret& seed) {
  const auto bytes = seed.reveal();
  if (bytes.size() != key_bytes) return invalid("a private key of Ed25519 has 32 bytes");
  Key out(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes), bytes.size()));
  if (!out) return openssl_error(Errc::internal, "Ed25519");
  return out;
}

}  // namespace

Result<std::string> ed25519_public_key(const Secret& seed) {
  TRY(const auto key, private_key(seed));
  std::string out(key_bytes, '\0');
  auto size = out.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), bytes_of(out), &size) != 1 || size != key_bytes)
    return openssl_error(Errc::internal, "Ed25519");
  return out;
}

Result<std::string> ed25519_sign(const Secret& seed, std::string_view bytes) {
  TRY(const auto key, private_key(seed));
  const Context context(EVP_MD_CTX_new());
  std::string out(signature_bytes, '\0');
  auto size = out.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), bytes_of(out), &size, bytes_of(bytes), bytes.size()) != 1)
    return openssl_error(Errc::internal, "Ed25519");
  return out;
}

Result<> ed25519_verify(std::string_view public_key, std::string_view bytes,
                        std::string_view signature) {
  if (public_key.size() != key_bytes) return invalid("a public key of Ed25519 has 32 bytes");
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_key),
                                            public_key.size()));
  const Context context(EVP_MD_CTX_new());
  if (!key || !context ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1)
    return openssl_error(Errc::invalid, "Ed25519");
  if (EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(bytes),
                       bytes.size()) != 1)
    return openssl_error(Errc::invalid, "the signature is not of this key");
  return {};
}

}  // namespace tenken::crypto
