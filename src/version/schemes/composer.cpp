// Packagist: PHP's version_compare after what Composer does to a version first: a leading "v" and
// build metadata go away, missing numbers are 0 (https://getcomposer.org/doc/articles/versions.md).
#include <algorithm>
#include <cstddef>

#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace composer_ {

enum class Release : unsigned char { end = 1, number };

// After the release's numbers. PHP knows these words by their first letters and by case, every
// other word sorts below them ("ALPHA" is not "alpha"); all unknown words are equal.
enum class Token : unsigned char { unknown_word = 1, dev, alpha, beta, rc, end, number, patch };

Token word_token(std::string_view word) {
  struct Form {
    std::string_view start;
    Token token;
  };
  static constexpr Form forms[] = {
      {"dev", Token::dev}, {"a", Token::alpha}, {"b", Token::beta},
      {"RC", Token::rc},   {"rc", Token::rc},   {"p", Token::patch},
  };
  const auto* form =
      std::ranges::find_if(forms, [&](const Form& f) { return word.starts_with(f.start); });
  return form == std::end(forms) ? Token::unknown_word : form->token;
}

void skip_separators(std::string_view& rest) {
  while (!rest.empty() && !is_alnum(rest.front())) rest.remove_prefix(1);
}

void put_release(Key& key, std::string_view& rest) {
  std::size_t zeros = 0;
  while (!rest.empty() && is_digit(rest.front())) {
    const auto digits = take_digits(rest);
    skip_separators(rest);
    if (is_zero(digits)) {
      ++zeros;
      continue;
    }
    for (; zeros > 0; --zeros) {
      put(key, Release::number);
      put_number(key, {});
    }
    put(key, Release::number);
    put_number(key, digits);
  }
  put(key, Release::end);
}

// A branch ("1.x-dev") is a moving target: which commit it stands for is not in its name. PHP
// still sorts "dev-main" below every release.
Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  if (!take_prefix(version, "v")) take_prefix(version, "V");
  if (version.empty() || (!is_digit(version.front()) && !version.starts_with("dev-")))
    return invalid("version does not start with a number");
  auto rest = version.substr(0, version.find('+'));
  Key key;
  key.reserve(2 * rest.size() + 8);
  put_release(key, rest);
  for (; !rest.empty(); skip_separators(rest)) {
    if (is_digit(rest.front())) {
      put(key, Token::number);
      put_number(key, take_digits(rest));
      continue;
    }
    const auto word = take_letters(rest);
    if (word == "x" || word == "X") return invalid("a branch has no place in the order");
    if (ascii_lower(word) != "stable") put(key, word_token(word));
  }
  put(key, Token::end);
  return key;
}

}  // namespace composer_

extern constinit const Scheme composer{.id = "composer", .encode = composer_::encode};

}  // namespace tenken::version
