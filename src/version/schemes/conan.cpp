// Conan 2: items between dots, a pre-release after the first '-', a build after the last '+'
// (Conan's Version class); zeros at the end do not count.
#include <cstddef>

#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace conan_ {

enum class Item : unsigned char { end = 1, symbols, number, word };
enum class PreRelease : unsigned char { present = 1, absent };
enum class Build : unsigned char { absent = 1, present };

// Conan compares a number with an item such as "1w" as texts but two numbers by value, which is no
// order: 2 < 10 < 1w < 2. Here the number decides and then the letters, as its recipes mean it.
void put_item(Key& key, std::string_view item) {
  if (item.empty() || item.front() < '0') {
    put(key, Item::symbols);
    return put_text(key, item);
  }
  if (is_digit(item.front())) {
    put(key, Item::number);
    put_number(key, take_digits(item));
    return put_text(key, item);
  }
  put(key, Item::word);
  put_text(key, item);
}

void put_items(Key& key, std::string_view dotted) {
  std::size_t zeros = 0;
  for (;;) {
    const auto dot = dotted.find('.');
    const auto item = dotted.substr(0, dot);
    if (!item.empty() && is_zero(item)) {
      ++zeros;
    } else {
      for (; zeros > 0; --zeros) put_item(key, "0");
      put_item(key, item);
    }
    if (dot == std::string_view::npos) break;
    dotted.remove_prefix(dot + 1);
  }
  put(key, Item::end);
}

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  const auto plus = version.rfind('+');
  const auto [items, pre_release] = split_once(version.substr(0, plus), '-');
  Key key;
  key.reserve(2 * version.size() + 8);
  put_items(key, items);
  put(key, pre_release ? PreRelease::present : PreRelease::absent);
  if (pre_release) put_items(key, *pre_release);
  put(key, plus == std::string_view::npos ? Build::absent : Build::present);
  if (plus != std::string_view::npos) put_items(key, version.substr(plus + 1));
  return key;
}

}  // namespace conan_

extern constinit const Scheme conan{.id = "conan", .encode = conan_::encode};

}  // namespace tenken::version
