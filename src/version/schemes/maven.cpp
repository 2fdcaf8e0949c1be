// Maven: ComparableVersion of Maven 3.8 (https://maven.apache.org/pom.html, "Version Order
// Specification").
//
// A version is a list of numbers and qualifiers; a dash, and each change between digits and
// letters, opens a list inside the list, so that the last item of every list may be a list again.
// They are called levels here: [1, 0, [rc, [2]]] has three. Missing items equal 0 and "".
//
// Maven ranks qualifier < list < number at one place, and each of them against nothing by its
// meaning: 1-alpha is less than 1, 1-sp is more. Together that is no order:
// 3.7.0.rc.3 < 3.7 < 3.7-1 < 3.7.0.rc.3. Here the meaning decides first, then the rank; the two
// agree wherever Maven's comparison is an order.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace maven_ {

// What stands at a place of a list, ascending. Negative: less than nothing there.
enum class Token : unsigned char {
  negative_qualifier = 1,
  negative_level,
  negative_number,  // 0 with a pre-release after it
  end,
  qualifier,
  level,
  number
};

constexpr std::array<std::string_view, 7> qualifiers = {"alpha",    "beta", "milestone", "rc",
                                                        "snapshot", "",     "sp"};
constexpr std::size_t release_rank = 5;

struct Item {
  bool number = false;
  std::string_view text;  // digits without leading zeros, or a qualifier

  std::size_t rank() const {
    const auto* at = std::ranges::find(qualifiers, text);
    return static_cast<std::size_t>(at - qualifiers.begin());
  }
  bool null() const { return text.empty(); }  // 0 or "": the same as nothing
};

using Level = std::vector<Item>;

// a1 is alpha-1, b2 beta-2, m3 milestone-3; ga, final, release and nothing are one.
std::string_view alias(std::string_view word, bool before_digit) {
  if (before_digit && word == "a") return "alpha";
  if (before_digit && word == "b") return "beta";
  if (before_digit && word == "m") return "milestone";
  if (word == "ga" || word == "final" || word == "release") return "";
  return word == "cr" ? "rc" : word;
}

// The version in lower case, cut into levels as Maven's parser does.
std::vector<Level> cut(std::string_view rest) {
  std::vector<Level> levels(1);
  const auto open = [&] { levels.emplace_back(); };
  while (!rest.empty()) {
    const char c = rest.front();
    if (c == '.' || c == '-') {  // after a separator: an empty item is 0
      levels.back().push_back({.number = true, .text = {}});
    } else if (is_digit(c)) {
      const auto digits = take_digits(rest);
      levels.back().push_back({.number = true, .text = without_leading_zeros(digits)});
      if (!rest.empty() && rest.front() != '.' && rest.front() != '-') open();
    } else {
      const auto word = rest.substr(0, rest.find_first_of(".-0123456789"));
      rest.remove_prefix(word.size());
      const bool before_digit = !rest.empty() && is_digit(rest.front());
      if ((before_digit || rest.empty()) && !levels.back().empty()) open();
      levels.back().push_back({.number = false, .text = alias(word, before_digit)});
      if (before_digit) open();
    }
    if (take_prefix(rest, "-")) {
      open();
    } else {
      take_prefix(rest, ".");
    }
  }
  for (auto& level : levels)
    while (!level.empty() && level.back().null()) level.pop_back();
  while (levels.size() > 1 && levels.back().empty()) levels.pop_back();
  return levels;
}

// For each item of a list, and for what follows the last one, whether the list from there on
// counts as less than nothing: the first item that is not null decides.
std::vector<bool> negative_from(const Level& level, bool inner_negative) {
  std::vector<bool> negative(level.size() + 1, inner_negative);
  for (auto i = level.size(); i-- > 0;) {
    const auto& item = level[i];
    negative[i] = item.null() ? negative[i + 1] : !item.number && item.rank() < release_rank;
  }
  return negative;
}

void put_item(Key& key, const Item& item, bool negative) {
  if (item.number) {
    put(key, negative ? Token::negative_number : Token::number);
    return put_number(key, item.text);
  }
  put(key, negative ? Token::negative_qualifier : Token::qualifier);
  put(key, item.rank() + 1);
  put_text(key, item.text);
}

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  const auto text = ascii_lower(version);
  const auto levels = cut(text);
  std::vector<std::vector<bool>> negative(levels.size());
  for (auto i = levels.size(); i-- > 0;) {
    const bool last = i + 1 == levels.size();
    negative[i] = negative_from(levels[i], !last && negative[i + 1].front());
  }
  Key key;
  key.reserve(2 * version.size() + 8);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (i > 0) put(key, negative[i].front() ? Token::negative_level : Token::level);
    for (std::size_t k = 0; k < levels[i].size(); ++k) put_item(key, levels[i][k], negative[i][k]);
  }
  put(key, Token::end);
  return key;
}

}  // namespace maven_

extern constinit const Scheme maven{.id = "maven", .encode = maven_::encode};

}  // namespace tenken::version
