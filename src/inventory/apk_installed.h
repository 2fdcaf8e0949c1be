// The list of installed packages of apk-tools: records of "X:value" lines, separated by blank
// lines. P is the name, V the version, A the architecture, o the origin (the source package, which
// has the same version), L the licence; F is a directory, R a file in the last one; the other
// letters tell of dependencies and of what files are like.
//
// Source: https://wiki.alpinelinux.org/wiki/Apk_spec, "Installed Database V2".
//
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "inventory/file_owners.h"
#include "inventory/package_list.h"

namespace tenken::inventory {

// Records that cannot be read are skips, and so is an end without the blank line that apk writes
// after each. Errors: limit.
Result<PackageList> parse_apk_installed(std::string_view text, std::string_view location);

// The files of all packages.
void list_apk_files(std::string_view text, FileOwners& query);

}  // namespace tenken::inventory
