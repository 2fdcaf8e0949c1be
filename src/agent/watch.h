// Watch: tells when a package database of the host may have changed. inotify says so at once; where
// it is blind (network file systems, other mounts, too few watches) a look at size, time and inode
// of each file says so within a sweep.
//
// A look follows links as they are, also out of a root: it only notices changes, and what is read
// is read by others.
//
// Errors: none: what cannot be watched is swept. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace tenken::agent {

class Watch {
 public:
  explicit Watch(std::string root_path);

  // To be watched for reading; -1: the kernel gives none.
  int descriptor() const { return inotify_.get(); }
  // Reads what the kernel said. True: something was written or renamed beside a database.
  bool heard();
  // Looks at the files. True: one of them is not as at the last look that was kept.
  bool changed() const;
  // What is there now counts as seen.
  void keep();

 private:
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: not there
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  std::vector<Stamp> look() const;
  void watch_directories();

  std::string root_path_;
  Fd root_;
  Fd inotify_;
  std::vector<Stamp> kept_;
};

}  // namespace tenken::agent
