// OsPackageDatabase: one package manager's record of what is installed. Adding one is adding one
// file to os_packages/.
//
// Thread rule: rows are constants; read() may run on many threads.
#pragma once

#include <span>
#include <string_view>

#include "inventory/file_owners.h"
#include "inventory/package_list.h"
#include "inventory/root.h"

namespace tenken::inventory {

struct OsPackageDatabase {
  std::string_view id;      // the file's stem
  std::string_view kind;    // of its packages: "deb"
  std::string_view places;  // where it looks, for people: "var/lib/dpkg/status, …"
  // All files that are read, as a copy of the root needs them; "/*" at the end: those of a
  // directory.
  std::span<const std::string_view> files;
  // Files of which a record lock (fcntl) is held while the database is changed; none where it is
  // only ever replaced whole.
  std::span<const std::string_view> locks;
  // Errors: not_found where the root has no such database; anything else is a database that is
  // there and cannot be read.
  Result<PackageList> (*read)(const Root& root);
  // Tells the query every file of every package, as far as they can be read.
  void (*list_files)(const Root& root, FileOwners& query);
};

// Every database of os_packages/*.cpp, sorted by id.
std::span<const OsPackageDatabase* const> os_package_databases();

}  // namespace tenken::inventory
