// Gentoo: the Package Manager Specification, "Version comparison".
#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace gentoo_ {

enum class Numbers : unsigned char { end = 1, component };
// A component that starts with a zero compares as text without its zeros at the end.
enum class Component : unsigned char { fraction = 1, whole };
enum class Suffix : unsigned char { alpha = 1, beta, pre, rc, none, patch };

void put_component(Key& key, std::string_view digits) {
  put(key, Numbers::component);
  if (digits.front() != '0') {
    put(key, Component::whole);
    return put_number(key, digits);
  }
  while (digits.ends_with('0')) digits.remove_suffix(1);
  put(key, Component::fraction);
  put_text(key, digits);
}

Result<> put_numbers(Key& key, std::string_view& rest) {
  const auto first = take_digits(rest);
  if (first.empty()) return invalid("version does not start with a number");
  put_number(key, first);
  while (take_prefix(rest, ".")) {
    const auto digits = take_digits(rest);
    if (digits.empty()) return invalid("a component is not a number");
    put_component(key, digits);
  }
  put(key, Numbers::end);
  return {};
}

Result<Key> encode(std::string_view version) {
  static constexpr Suffix suffixes[] = {Suffix::alpha, Suffix::beta, Suffix::pre, Suffix::rc,
                                        Suffix::patch};
  Key key;
  key.reserve(2 * version.size() + 8);
  TRY_VOID(put_numbers(key, version));
  char letter = '\0';
  if (!version.empty() && version.front() >= 'a' && version.front() <= 'z') {
    letter = version.front();
    version.remove_prefix(1);
  }
  put(key, letter);
  while (take_prefix(version, "_")) {
    const auto word = take_word(version, {"alpha", "beta", "pre", "rc", "p"});
    if (word < 0) return invalid("unknown suffix");
    put(key, suffixes[word]);
    put_number(key, take_digits(version));
  }
  put(key, Suffix::none);
  std::string_view revision;
  if (take_prefix(version, "-r")) {
    revision = take_digits(version);
    if (revision.empty()) return invalid("revision is not a number");
  }
  if (!version.empty()) return invalid("neither suffix nor revision");
  put_number(key, revision);
  return key;
}

}  // namespace gentoo_

extern constinit const Scheme gentoo{.id = "gentoo", .encode = gentoo_::encode};

}  // namespace tenken::version
