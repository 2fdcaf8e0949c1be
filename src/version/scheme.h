// Scheme: one ordering of version strings, as the package manager or registry that owns it orders
// them. A version is encoded into an order-preserving key: for two versions of one scheme,
// memcmp order of the keys (shorter is less at a common prefix) is the order of the versions, and
// equal keys mean equal versions. Keys of different schemes are not comparable.
//
// Thread rule: pure functions over constant tables.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::version {

using Key = std::string;  // bytes, not text

struct Scheme {
  std::string_view id;  // the file's stem: "dpkg", "pep440"
  // invalid: the scheme does not define this string, or declares it not orderable.
  Result<Key> (*encode)(std::string_view version);
};

// Every scheme of schemes/*.cpp, sorted by id.
std::span<const Scheme* const> schemes();
const Scheme* find_scheme(std::string_view id);  // nullptr: none

// Order of two versions; invalid where either cannot be encoded, with the version in the text.
Result<std::strong_ordering> compare(const Scheme& scheme, std::string_view a, std::string_view b);

}  // namespace tenken::version
