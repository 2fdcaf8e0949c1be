#include "version/scheme.h"

#include <algorithm>

#include "base/text.h"

namespace tenken::version {
namespace {

Result<Key> encode(const Scheme& scheme, std::string_view version) {
  auto key = scheme.encode(version);
  if (key.has_value()) return key;
  return std::move(key).within("version \"" + printable(version) + "\"");
}

}  // namespace

const Scheme* find_scheme(std::string_view id) {
  const auto all = schemes();
  const auto at = std::ranges::lower_bound(all, id, {}, &Scheme::id);
  return at != all.end() && (*at)->id == id ? *at : nullptr;
}

Result<std::strong_ordering> compare(const Scheme& scheme, std::string_view a, std::string_view b) {
  TRY(const auto key_a, encode(scheme, a));
  TRY(const auto key_b, encode(scheme, b));
  return key_a <=> key_b;
}

}  // namespace tenken::version
