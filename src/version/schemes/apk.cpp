// Alpine and its kin: numbers, a letter, suffixes, a commit hash and -rN, as apk-tools 3 orders
// them (its version.c). Versions that apk accepted before and that the distribution published stay
// readable: an empty component ("1..2"), digits after the letter ("6.6.2p1"), ".r1" for "-r1".
#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace apk_ {

// What comes next where two versions were equal so far: the longer is greater, a pre-release is
// less, what apk cannot read is less than the end. More numbers outrank a letter.
enum class Token : unsigned char {
  pre_release = 1,
  unreadable,
  end,
  revision,
  hash,
  suffix_number,
  post_release,
  letter,
  number
};

// A component that starts with a zero compares as text, like a decimal fraction (1.01 < 1.1);
// every other one as a number.
enum class Component : unsigned char { fraction = 1, empty, whole };

void put_component(Key& key, std::string_view digits) {
  if (digits.empty()) return put(key, Component::empty);
  if (digits.front() == '0') {
    put(key, Component::fraction);
    return put_text(key, digits);
  }
  put(key, Component::whole);
  put_number(key, digits);
}

// Numbers and letters; false where the next character belongs to neither.
bool put_numbers(Key& key, std::string_view& rest) {
  put_number(key, take_digits(rest));
  bool after_letter = false;
  bool after_dot = false;
  while (!rest.empty()) {
    if (rest.front() == '.' && !after_letter) {
      if (rest.size() > 2 && rest[1] == 'r' && all_digits(rest.substr(2))) return true;
      rest.remove_prefix(1);
      put(key, Token::number);
      const auto digits = take_digits(rest);
      put_component(key, digits);
      after_dot = digits.empty();
    } else if (is_digit(rest.front()) && after_letter) {
      put(key, Token::number);
      put_component(key, take_digits(rest));
      after_letter = false;
    } else if (rest.front() >= 'a' && rest.front() <= 'z' && !after_dot) {
      if (after_letter) return false;
      put(key, Token::letter);
      put(key, rest.front());
      rest.remove_prefix(1);
      after_letter = true;
    } else {
      break;
    }
  }
  return true;
}

// The suffix after its underscore. A word apk does not know sorts below all it knows; a single
// letter is no word.
Result<> put_suffix(Key& key, std::string_view& rest) {
  const auto pre = take_word(rest, {"alpha", "beta", "pre", "rc"});
  const auto post = pre >= 0 ? -1 : take_word(rest, {"cvs", "svn", "git", "hg", "p"});
  if (pre < 0 && post < 0 && take_letters(rest).size() < 2) return invalid("unknown suffix");
  put(key, post < 0 ? Token::pre_release : Token::post_release);
  put(key, post < 0 ? pre + 2 : post + 1);
  if (rest.empty() || !is_digit(rest.front())) return {};
  put(key, Token::suffix_number);
  put_number(key, take_digits(rest));
  return {};
}

// Everything after the revision's digits is unreadable to apk and does not count.
Result<> put_revision(Key& key, std::string_view rest) {
  if (!take_prefix(rest, "-r") && !take_prefix(rest, ".r"))
    return invalid("neither suffix nor revision");
  if (rest.empty()) return invalid("revision is empty");
  const auto digits = take_digits(rest);
  if (!digits.empty()) {
    put(key, Token::revision);
    put_number(key, digits);
  }
  put(key, rest.empty() ? Token::end : Token::unreadable);
  return {};
}

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  auto rest = version;
  Key key;
  key.reserve(2 * version.size() + 8);
  const char before = version.front();
  if (!is_digit(before) && before != '.' && !(before >= 'a' && before <= 'z'))
    return invalid("version does not start with a number");
  if (!put_numbers(key, rest)) {
    put(key, Token::unreadable);
    return key;
  }
  if (const auto read = version.size() - rest.size(); read > 0 && version[read - 1] == '.')
    return invalid("a component is empty");
  while (take_prefix(rest, "_")) TRY_VOID(put_suffix(key, rest));
  if (take_prefix(rest, "~")) {
    put(key, Token::hash);
    const auto hash = rest.substr(0, rest.find('-'));
    put_text(key, hash);
    rest.remove_prefix(hash.size());
  }
  if (rest.empty()) {
    put(key, Token::end);
    return key;
  }
  TRY_VOID(put_revision(key, rest));
  return key;
}

}  // namespace apk_

extern constinit const Scheme apk{.id = "apk", .encode = apk_::encode};

}  // namespace tenken::version
