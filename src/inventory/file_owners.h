// FileOwners: asks the package managers' lists of files which installed package some files belong
// to. A path counts the same with and without "usr/" before bin, sbin and lib, where distributions
// have merged them. A library of an earlier version, whose own name no list has any more, belongs
// to who has its soname: "libz.so.1.2.11" to the package with "libz.so.1".
//
// Errors: none; a list that cannot be read leaves owners unknown. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inventory/root.h"

namespace tenken::inventory {

class FileOwners {
 public:
  // files: absolute paths.
  explicit FileOwners(std::span<const std::string> files);

  // A file of an installed package; of several that have it, the first counts.
  void add(std::string_view path, std::string_view package);

  // The packages' names, in the order of the files; empty: not known.
  std::vector<std::string> take();

 private:
  struct Sought {
    std::string path;
    std::size_t file = 0;  // index
    bool exact = true;     // false: the soname of the file
  };
  struct Owner {
    std::string package;
    bool exact = false;
  };

  std::vector<Sought> sought_;  // by path
  std::vector<Owner> owners_;   // of files
};

std::vector<std::string> owners_of(const Root& root, std::span<const std::string> files);

}  // namespace tenken::inventory
