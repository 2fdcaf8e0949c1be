// Java runtimes: JEP 223 ("8.0.302+8", "17.0.1-ea+5") and the forms before it ("1.8.0_302-b08",
// "8u302"), which say the same: the leading 1 goes away, the update is the third number. Builds do
// not count.
#include <string>
#include <vector>

#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace jvm_ {

enum class Token : unsigned char { pre_release = 1, release, component };

Result<std::vector<std::string_view>> take_numbers(std::string_view& rest) {
  std::vector<std::string_view> numbers;
  do {
    const auto digits = take_digits(rest);
    if (digits.empty()) return invalid("a component is not a number");
    numbers.push_back(digits);
  } while (take_prefix(rest, "."));
  if (numbers.size() > 1 && numbers.front() == "1") numbers.erase(numbers.begin());
  if (take_prefix(rest, "_") || take_prefix(rest, "-update_") || take_prefix(rest, "u")) {
    const auto update = take_digits(rest);
    if (update.empty()) return invalid("update is not a number");
    if (numbers.size() < 2) numbers.push_back("0");
    numbers.push_back(update);
  }
  while (!numbers.empty() && is_zero(numbers.back())) numbers.pop_back();
  return numbers;
}

// "-b08" is a build and "-LTS" a label; what else follows a dash is a pre-release.
Result<std::string_view> take_pre_release(std::string_view rest) {
  std::string_view pre_release;
  while (take_prefix(rest, "-")) {
    const auto part = rest.substr(0, rest.find_first_of("-+"));
    rest.remove_prefix(part.size());
    if (part.empty()) return invalid("pre-release is empty");
    const bool build = part.front() == 'b' && all_digits(part.substr(1));
    if (!build && ascii_lower(part) != "lts" && pre_release.empty()) pre_release = part;
  }
  if (!rest.empty() && rest.front() != '+') return invalid("neither pre-release nor build");
  return pre_release;
}

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  TRY(const auto numbers, take_numbers(version));
  TRY(const auto pre_release, take_pre_release(version));
  Key key;
  for (const auto number : numbers) {
    put(key, Token::component);
    put_number(key, number);
  }
  put(key, pre_release.empty() ? Token::release : Token::pre_release);
  put_text(key, ascii_lower(pre_release));
  return key;
}

}  // namespace jvm_

extern constinit const Scheme jvm{.id = "jvm", .encode = jvm_::encode};

}  // namespace tenken::version
