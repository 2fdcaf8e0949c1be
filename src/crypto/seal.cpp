#include "crypto/seal.h"

#include <climits>
#include <memory>

#include <openssl/evp.h>

#include "crypto/random.h"

namespace tenken::crypto {
namespace {

constexpr char version = 1;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t overhead = 1 + nonce_bytes + tag_bytes;

const EVP_CIPHER* algorithm() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CHECK(fetched != nullptr);
  return fetched;
}

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* writable(char* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* readable(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
int length(std::string_view bytes) {
  CHECK(bytes.size() <= INT_MAX);
  return static_cast<int>(bytes.size());
}

// A context that has taken key, nonce and associated data, for either direction. The version byte
// is authenticated with the rest.
Context prepare(const Secret& key, std::string_view nonce, std::string_view associated,
                bool encrypts) {
  CHECK(key.reveal().size() == key_bytes);
  Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context.get(), algorithm(), nullptr, readable(key.reveal()),
                          readable(nonce), encrypts ? 1 : 0) == 1);
  int used = 0;
  const std::string_view head(&version, 1);
  for (const auto part : {head, associated})
    CHECK(EVP_CipherUpdate(context.get(), nullptr, &used, readable(part), length(part)) == 1);
  return context;
}

}  // namespace

std::string seal(const Secret& key, std::string_view value, std::string_view associated) {
  const auto nonce = random_bytes(nonce_bytes);
  const auto context = prepare(key, nonce, associated, true);
  std::string sealed(overhead + value.size(), '\0');
  sealed[0] = version;
  nonce.copy(sealed.data() + 1, nonce_bytes);
  char* const text = sealed.data() + 1 + nonce_bytes;
  int used = 0;
  CHECK(EVP_CipherUpdate(context.get(), writable(text), &used, readable(value), length(value)) ==
        1);
  CHECK(EVP_CipherFinal_ex(context.get(), writable(text) + used, &used) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, text + value.size()) ==
        1);
  return sealed;
}

Result<Secret> open(const Secret& key, std::string_view sealed, std::string_view associated) {
  if (sealed.size() < overhead || sealed.size() > INT_MAX || sealed[0] != version)
    return invalid("sealed value: not of a known form");
  const auto context = prepare(key, sealed.substr(1, nonce_bytes), associated, false);
  const auto text = sealed.substr(1 + nonce_bytes, sealed.size() - overhead);
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  std::string value(text.size(), '\0');
  int used = 0;
  CHECK(EVP_CipherUpdate(context.get(), writable(value.data()), &used, readable(text),
                         length(text)) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
  int rest = 0;
  if (EVP_CipherFinal_ex(context.get(), writable(value.data()) + used, &rest) != 1) {
    wipe(value);
    return invalid("sealed value: it was changed or belongs to another key");
  }
  return Secret(std::move(value));
}

}  // namespace tenken::crypto
