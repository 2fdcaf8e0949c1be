// OpenSSL's own releases: numbers, the letters of a patch before 3.0 ("1.0.2zh"), and "-dev",
// "-alpha1", "-beta2", "-pre9" before the release. "-fips" names a build of the same source.
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace openssl_ {

enum class Numbers : unsigned char { end = 1, component };
enum class Stage : unsigned char { dev = 1, alpha, beta, pre, released };

Result<> put_stage(Key& key, std::string_view rest) {
  take_prefix(rest, "-fips");
  if (rest.empty()) {
    put(key, Stage::released);
    return {};
  }
  const auto stage = take_prefix(rest, "-") ? take_word(rest, {"dev", "alpha", "beta", "pre"}) : -1;
  const auto number = take_digits(rest);
  if (stage < 0 || !rest.empty()) return invalid("neither patch letters nor a pre-release");
  put(key, stage + 1);
  put_number(key, number);
  return {};
}

Result<Key> encode(std::string_view version) {
  Key key;
  key.reserve(2 * version.size() + 8);
  do {
    const auto digits = take_digits(version);
    if (digits.empty()) return invalid("a component is not a number");
    put(key, Numbers::component);
    put_number(key, digits);
  } while (take_prefix(version, "."));
  put(key, Numbers::end);
  put_text(key, take_letters(version));
  TRY_VOID(put_stage(key, version));
  return key;
}

}  // namespace openssl_

extern constinit const Scheme openssl{.id = "openssl", .encode = openssl_::encode};

}  // namespace tenken::version
