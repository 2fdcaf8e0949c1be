// Root: a directory that is inspected as if it were "/": a mounted disk, an unpacked image, or the
// host itself. Every path is resolved inside it as chroot(2) would: absolute links start at the
// root, ".." at the top stays there, and nothing leaves it. It only reads; opening never touches
// devices, pipes or sockets.
//
// Each path component is opened by itself, relative to the one before and without following links,
// and links are resolved here. That holds on every kernel (openat2 begins with 5.6) and even while
// somebody renames directories inside the root, since ".." goes back to a directory already held.
//
// Paths are relative to the root ("etc/os-release"; a leading "/" means the same) and errors name
// them so. Errors: not_found, denied, invalid (link loop, not a regular file), limit.
//
// Thread rule: const functions are safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/file.h"
#include "base/result.h"

namespace tenken::inventory {

// Where a path leads to.
struct Way {
  // In which a link on the way stands, and at last the file, there or not; without links.
  std::vector<std::string> directories;
  Result<struct stat> end;
};

class Root {
 public:
  // Errors: not_found, denied, invalid (no directory); they name the directory as given.
  static Result<Root> at(const std::string& directory);

  // A regular file, open for reading.
  Result<Fd> open(std::string_view path) const;
  Result<std::string> read(std::string_view path, std::size_t limit_bytes) const;
  // The names in a directory, sorted, without "." and "..". At most 100,000, else limit.
  Result<std::vector<std::string>> list(std::string_view path) const;
  // For those who watch files.
  Way way(std::string_view path) const;

 private:
  explicit Root(Fd directory) : directory_(std::move(directory)) {}

  Fd directory_;
};

}  // namespace tenken::inventory
