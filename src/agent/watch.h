// Watch: tells when a file that an inventory is taken from may have changed. inotify says so at
// once; where it is blind (network file systems, other mounts, too few watches) a look at each file
// says so within a sweep: at its inode, its size, and its times of modification and of change. The
// last cannot be set back, so that a file which is written over is noticed whatever it is like.
//
// A look follows links as they are, also out of a root: it only notices changes, and what is read
// is read by others.
//
// Errors: none: what cannot be watched is swept. Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace tenken::agent {

class Watch {
 public:
  // files: relative to the root; "/*" at the end: all of a directory
  // (inventory::inspected_files()).
  Watch(std::string root_path, std::vector<std::string_view> files);

  // To be watched for reading; -1: the kernel gives none.
  int descriptor() const { return inotify_.get(); }
  // Reads what the kernel said. True: something was written or renamed beside a file.
  bool heard();
  // Looks at the files. True: one of them is not as at the last look that was kept.
  bool changed() const { return look() != kept_; }
  // What is there now counts as seen.
  void keep();
  // What was kept: a line for each file that was there, with all that tells it from another.
  const std::string& stamps() const { return kept_; }

 private:
  std::string look() const;
  void watch_directories();

  std::string root_path_;
  std::vector<std::string> files_;
  Fd root_;
  Fd inotify_;
  std::string kept_;
};

}  // namespace tenken::agent
