#include "version/debian_text.h"

#include "base/text.h"
#include "version/key_bytes.h"

namespace tenken::version {
namespace {

enum : unsigned char { tilde = 1, end = 2, beyond_letters = 0x80 };

unsigned char weight(char c) {
  if (c == '~') return tilde;
  const auto byte = static_cast<unsigned char>(c);
  return is_alpha(c) ? byte : static_cast<unsigned char>(byte | beyond_letters);
}

}  // namespace

void put_debian_text(Key& key, std::string_view part) {
  do {
    while (!part.empty() && !is_digit(part.front())) {
      put(key, weight(part.front()));
      part.remove_prefix(1);
    }
    put(key, end);
    put_number(key, take_digits(part));
  } while (!part.empty());
  put(key, end);
}

}  // namespace tenken::version
