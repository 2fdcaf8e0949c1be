// The status file of dpkg: stanzas of "Field: value" lines, separated by blank lines.
//
// A package counts as installed when its files are on disk: the states installed, triggers-pending,
// triggers-awaited, half-configured and unpacked. config-files and not-installed do not.
// half-installed is neither: files of one version or another may be there, so it is a skip.
// Sources: dpkg(1) "Package states"; deb-control(5); dpkg's status file has no page of its own.
//
// Thread rule: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

#include "inventory/package_list.h"

namespace tenken::inventory {

enum class DpkgLayout : std::uint8_t {
  database,     // var/lib/dpkg/status: every stanza has a Status field and a blank line after it
  single_file,  // var/lib/dpkg/status.d/NAME of distroless images: no Status, always installed
};

// Stanzas that cannot be read are skips. Errors: limit.
Result<PackageList> parse_dpkg_status(std::string_view text, std::string_view location,
                                      DpkgLayout layout);

}  // namespace tenken::inventory
