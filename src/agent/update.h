// A newer agent, fetched from the server and put beside the one that runs. The server only hands it
// out: what is run must be signed by the release key that was pinned when the host was enrolled,
// say itself that it is the version that was asked for, be newer than this one, and not be older
// than one that ran here.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/release.h"
#include "agent/sender.h"
#include "agent/versions.h"
#include "base/result.h"

namespace tenken::agent {

inline constexpr std::uint64_t largest_release = std::uint64_t{32} << 20;

// Over a connection of its own; the program goes to the disk as it comes. Errors: invalid (not
// newer, another size, checksum, signature or version, no key pinned, no room), those of the
// sender and of files. Where it fails nothing is left. What was fetched has 10 s for its version.
Result<> fetch_release(Sender& sender, const Release& release, std::string_view release_key,
                       std::string_view running_version, const Versions& versions);

}  // namespace tenken::agent
