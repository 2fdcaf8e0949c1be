#include "version/key_bytes.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace tenken::version {
namespace {

template <typename Belongs>
std::string_view take_while(std::string_view& rest, Belongs belongs) {
  std::size_t count = 0;
  while (count < rest.size() && belongs(rest[count])) ++count;
  const auto taken = rest.substr(0, count);
  rest.remove_prefix(count);
  return taken;
}

enum class NumberList : unsigned char { end = 1, number };

constexpr char many_digits =
    static_cast<char>(0xFF);  // a count byte that says: 255 and more follow

}  // namespace

void put_number(Key& key, std::string_view digits) {
  digits = without_leading_zeros(digits);
  auto count = digits.size();
  for (; count >= 0xFF; count -= 0xFF) key.push_back(many_digits);
  key.push_back(static_cast<char>(count));
  key.append(digits);
}

void put_text(Key& key, std::string_view text) {
  key.append(text);
  key.push_back('\0');
}

std::string_view take_digits(std::string_view& rest) {
  return take_while(rest, [](char c) { return is_digit(c); });
}

std::string_view take_letters(std::string_view& rest) {
  return take_while(rest, [](char c) { return is_alpha(c); });
}

bool take_prefix(std::string_view& rest, std::string_view prefix) {
  if (!rest.starts_with(prefix)) return false;
  rest.remove_prefix(prefix.size());
  return true;
}

int take_word(std::string_view& rest, std::initializer_list<std::string_view> words) {
  int index = 0;
  for (const auto word : words) {
    const auto head = rest.substr(0, word.size());
    if (std::ranges::equal(head, word, {}, [](char c) { return ascii_lower(c); })) {
      rest.remove_prefix(word.size());
      return index;
    }
    ++index;
  }
  return -1;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_digit(c); });
}

bool is_zero(std::string_view digits) {
  return without_leading_zeros(digits).empty();
}

std::string_view without_leading_zeros(std::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

Result<> check_printable(std::string_view version) {
  if (version.empty()) return invalid("version is empty");
  for (const char c : version)
    if (c <= ' ' || c >= '\x7F')
      return invalid("version holds a blank or a byte that is not ASCII");
  return {};
}

Result<Key> encode_number_list(std::string_view version, std::string_view separators) {
  Key key;
  for (;;) {
    const auto digits = take_digits(version);
    if (digits.empty()) return invalid("a component is not a number");
    put(key, NumberList::number);
    put_number(key, digits);
    if (version.empty()) break;
    if (separators.find(version.front()) == std::string_view::npos)
      return invalid("a component is not a number");
    version.remove_prefix(1);
  }
  put(key, NumberList::end);
  return key;
}

}  // namespace tenken::version
