// Debian's codenames and the release numbers that OSV uses for them ("Debian:6.0", "Debian:11").
// Source: https://www.debian.org/releases/.
//
// Thread rule: pure functions.
#pragma once

#include <string_view>

namespace tenken::feeds {

// "11" for "bullseye", "sid" for "sid", which never gets a number. Empty: not known.
std::string_view debian_release(std::string_view codename);

}  // namespace tenken::feeds
