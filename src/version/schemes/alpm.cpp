// Arch Linux: [epoch:]version[-release], as vercmp(8) of pacman orders it. Letters right after a
// number are a pre-release (1.5b < 1.5); more separators are greater. '~' sorts below the end, for
// versions carried over from other distributions.
#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace alpm_ {

enum class Token : unsigned char { tilde = 1, letters, end, number, separator };
enum class Release : unsigned char { absent = 1, present };

// Separators at the end have no place in the order: vercmp says "1..a" < "1." < "1.1" < "1..a".
Result<> put_part(Key& key, std::string_view part) {
  bool separated = false;
  while (!part.empty()) {
    const char c = part.front();
    separated = !is_alnum(c);
    if (is_digit(c)) {
      put(key, Token::number);
      put_number(key, take_digits(part));
    } else if (is_alpha(c)) {
      put(key, Token::letters);
      put_text(key, take_letters(part));
    } else {
      put(key, c == '~' ? Token::tilde : Token::separator);
      part.remove_prefix(1);
    }
  }
  if (separated) return invalid("a separator at the end has no place in the order");
  put(key, Token::end);
  return {};
}

// vercmp ignores the release where one side lacks it, which is no order; here its absence is less.
Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  auto rest = version;
  auto epoch = take_digits(rest);
  if (take_prefix(rest, ":")) {
    version = rest;
  } else {
    epoch = {};
  }
  const auto dash = version.rfind('-');
  const auto upstream = version.substr(0, dash);
  if (upstream.empty()) return invalid("version is empty");
  Key key;
  key.reserve(2 * version.size() + 8);
  put_number(key, epoch);
  TRY_VOID(put_part(key, upstream));
  if (dash == std::string_view::npos) {
    put(key, Release::absent);
    return key;
  }
  put(key, Release::present);
  TRY_VOID(put_part(key, version.substr(dash + 1)));
  return key;
}

}  // namespace alpm_

extern constinit const Scheme alpm{.id = "alpm", .encode = alpm_::encode};

}  // namespace tenken::version
