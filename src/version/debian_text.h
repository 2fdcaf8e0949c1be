// Debian's order of one part of a version (deb-version(7), "sorting algorithm"): runs of
// non-digits and numbers alternate; '~' sorts before everything, even the end; letters sort before
// all other characters. opam orders its versions the same way.
//
// Thread rule: a pure function over the caller's key.
#pragma once

#include <string_view>

#include "version/scheme.h"

namespace tenken::version {

// The part must be ASCII. "" and "0" give the same bytes, as do "1." and "1.0".
void put_debian_text(Key& key, std::string_view part);

}  // namespace tenken::version
