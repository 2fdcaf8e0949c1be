// The pieces that every scheme's key is made of. A key compares right when, at each place where
// two versions may differ, both keys hold bytes of the same kind: a token byte that ranks what
// follows, a number, or a text closed by a byte below all of its own.
//
// Thread rule: functions over the caller's key.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/result.h"
#include "version/scheme.h"

namespace tenken::version {

// A token byte; schemes name theirs in ascending order of rank.
template <typename Token>
void put(Key& key, Token token) {
  key.push_back(static_cast<char>(token));
}

// Decimal digits of any count, leading zeros ignored: the count of significant digits, then the
// digits. No digits are zero.
void put_number(Key& key, std::string_view digits);

// Bytes above NUL, closed by NUL, so that a prefix is less.
void put_text(Key& key, std::string_view text);

// The digits (letters) at the start of rest, which is advanced past them.
std::string_view take_digits(std::string_view& rest);
std::string_view take_letters(std::string_view& rest);
// Advances past the prefix where rest starts with it.
bool take_prefix(std::string_view& rest, std::string_view prefix);
// The same for the first of the words; -1 where none fits. Letters of rest compare as lower case.
int take_word(std::string_view& rest, std::initializer_list<std::string_view> words);

bool all_digits(std::string_view text);  // and at least one
bool is_zero(std::string_view digits);   // "", "0", "00"
std::string_view without_leading_zeros(std::string_view digits);

// Errors: invalid where the version is empty or holds anything but printable ASCII.
Result<> check_printable(std::string_view version);

// The key of a list of numbers with one of the separators between them; a list sorts after its own
// prefix: 1.9 < 1.9.0. Errors: invalid where anything else stands there.
Result<Key> encode_number_list(std::string_view version, std::string_view separators);

}  // namespace tenken::version
