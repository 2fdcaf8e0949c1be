#include "version/semver_text.h"

#include <algorithm>

#include "base/text.h"
#include "version/key_bytes.h"

namespace tenken::version {
namespace {

enum class Token : unsigned char { pre_release = 1, release, component };
enum class Identifier : unsigned char { end = 1, number, text };

bool is_identifier(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-'; });
}

Result<> put_identifiers(Key& key, std::string_view dotted, SemverRules::Letters letters) {
  for (;;) {
    const auto dot = dotted.find('.');
    const auto identifier = dotted.substr(0, dot);
    if (!is_identifier(identifier))
      return invalid("an identifier is empty or holds a bad character");
    if (all_digits(identifier)) {
      put(key, Identifier::number);
      put_number(key, identifier);
    } else {
      put(key, Identifier::text);
      const auto start = key.size();
      put_text(key, identifier);
      if (letters == SemverRules::Letters::folded)
        for (auto i = start; i < key.size(); ++i) key[i] = ascii_lower(key[i]);
    }
    if (dot == std::string_view::npos) break;
    dotted.remove_prefix(dot + 1);
  }
  put(key, Identifier::end);
  return {};
}

// Zeros at the end do not count, so that "1", "1.0" and "1.0.0" are one version.
Result<> put_components(Key& key, std::string_view& rest) {
  std::size_t zeros = 0;
  for (;;) {
    const auto digits = take_digits(rest);
    if (digits.empty()) return invalid("a component is not a number");
    if (is_zero(digits)) {
      ++zeros;
    } else {
      for (; zeros > 0; --zeros) {
        put(key, Token::component);
        put_number(key, {});
      }
      put(key, Token::component);
      put_number(key, digits);
    }
    if (!take_prefix(rest, ".")) return {};
  }
}

}  // namespace

Result<Key> encode_semver(std::string_view version, SemverRules rules) {
  if (!take_prefix(version, "v")) take_prefix(version, "V");
  Key key;
  key.reserve(2 * version.size() + 8);
  TRY_VOID(put_components(key, version));
  const auto plus = version.find('+');
  auto core = version.substr(0, plus);
  if (take_prefix(core, "-")) {
    put(key, Token::pre_release);
    TRY_VOID(put_identifiers(key, core, rules.letters));
  } else {
    if (!core.empty()) return invalid("a component is not a number");
    put(key, Token::release);
  }
  if (plus == std::string_view::npos) return key;
  const auto build = version.substr(plus + 1);
  if (rules.build == SemverRules::Build::ordered) {
    TRY_VOID(put_identifiers(key, build, rules.letters));
  } else {
    TRY_VOID(check_printable(build));
  }
  return key;
}

}  // namespace tenken::version
