// The header of an installed rpm package as the package database keeps it: a table of tags and the
// bytes they point to, without the magic that begins a header in an .rpm file.
//
//   u32 entry count, u32 data size, entries of {u32 tag, u32 type, u32 offset, u32 count}, data;
//   all big-endian. Offsets count from the start of the data.
//
// Source: rpm's format manual, "Header" (https://rpm-software-management.github.io/rpm/manual/).
//
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "base/result.h"
#include "inventory/file_owners.h"
#include "model/package.h"

namespace tenken::inventory {

// The package of the header: version as [epoch:]version-release, the epoch left out where it is
// absent or 0; source name and version from the name of the source package, which has no epoch.
// gpg-pubkey, a signing key kept as if it were a package, is listed_only. Location is not set.
// Errors: invalid (a table or text that reaches past the end, no name, no version), limit (above
// 32 MB, which is rpm's own bound on what a header holds).
Result<Package> parse_rpm_header(std::string_view blob);

// The package's files: basenames, each with the index of its directory in dirnames.
// Errors: as above, and an index of no directory; what stands before it was added.
Result<> list_rpm_files(std::string_view blob, FileOwners& query);

// "bash-4.4.20-3.el8.src.rpm" → {"bash", "4.4.20-3.el8"}; both empty where it is no such name.
struct SourceRpm {
  std::string_view name;
  std::string_view version;
};
SourceRpm parse_source_rpm(std::string_view file_name);

}  // namespace tenken::inventory
