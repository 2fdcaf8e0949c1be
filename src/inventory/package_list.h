// PackageList: what one package database says, with what in it could not be read. Databases in
// format-specific readers fill it; inspect.cpp adds ecosystem and release.
//
// Thread rule: a value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/package.h"
#include "model/skip.h"

namespace tenken::inventory {

class PackageList {
 public:
  // location: the database's path inside the root, the place of every skip.
  explicit PackageList(std::string_view location) : location_(location) {}

  // Sets the package's location. limit: more packages than any real host has.
  Result<> add(Package&& package);
  // record is the package's name or its position, empty for what concerns the whole database;
  // foreign text is made safe to show. After 1,000 further records are only counted.
  void skip(std::string_view record, std::string_view reason);
  // The record of this package, and of no other. kind: "deb", …
  void skip_package(std::string_view kind, std::string_view name, std::string_view reason);
  // Of the whole database, which may be in the middle of a change (Skip::may_pass); never left out.
  void skip_unsettled(std::string_view record, std::string_view reason);
  // limit: too many packages together.
  Result<> append(PackageList&& other);

  const std::string& location() const { return location_; }
  const std::vector<Package>& packages() const { return packages_; }
  const std::vector<Skip>& skips() const { return skips_; }
  std::vector<Package> take_packages() { return std::move(packages_); }
  // Ends with one entry that counts those beyond the first 1,000.
  std::vector<Skip> take_skips();

 private:
  Skip shown(std::string_view record, std::string_view reason) const;

  std::string location_;
  std::vector<Package> packages_;
  std::vector<Skip> skips_;
  std::size_t uncounted_skips_ = 0;
};

// Whether a name or version of a package database is usable: not empty, neither blanks nor control
// characters, at most 1,024 bytes.
bool is_plain_word(std::string_view text);

}  // namespace tenken::inventory
