#include "version/rpm_text.h"

#include "base/text.h"
#include "version/key_bytes.h"

namespace tenken::version {
namespace {

enum class Token : unsigned char { tilde = 1, end, caret, letters, number };
enum class Release : unsigned char { absent = 1, present };

}  // namespace

void put_rpm_text(Key& key, std::string_view part) {
  while (!part.empty()) {
    const char c = part.front();
    if (is_digit(c)) {
      put(key, Token::number);
      put_number(key, take_digits(part));
    } else if (is_alpha(c)) {
      put(key, Token::letters);
      put_text(key, take_letters(part));
    } else {
      if (c == '~') put(key, Token::tilde);
      if (c == '^') put(key, Token::caret);
      part.remove_prefix(1);
    }
  }
  put(key, Token::end);
}

void put_rpm_evr(Key& key, std::string_view evr) {
  auto rest = evr;
  auto epoch = take_digits(rest);
  if (take_prefix(rest, ":")) {
    evr = rest;
  } else {
    take_prefix(evr, "(none):");
    epoch = {};
  }
  put_number(key, epoch);
  const auto dash = evr.rfind('-');
  put_rpm_text(key, evr.substr(0, dash));
  if (dash == std::string_view::npos) return put(key, Release::absent);
  put(key, Release::present);
  put_rpm_text(key, evr.substr(dash + 1));
}

}  // namespace tenken::version
