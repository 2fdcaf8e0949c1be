// Watch: tells when a file that an inventory is taken from may have changed. inotify says so at
// once; where it is blind (network file systems, other mounts, too few watches) a look at each file
// says so within a sweep: at its inode, its size, and its times of modification and of change. The
// last cannot be set back, so that a file which is written over is noticed whatever it is like.
//
// Links are followed as inventories follow them: none leads out of the root, and the directory of
// each is watched, as that of its target is, for as long as it leads there.
//
// Errors: none: what cannot be watched is swept. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "inventory/root.h"

namespace tenken::agent {

class Watch {
 public:
  // files: relative to the root; "/*" at the end: all of a directory
  // (inventory::inspected_files()). The root, which is that directory, outlives it.
  Watch(std::string root_path, const inventory::Root& root,
        const std::vector<std::string_view>& files);

  // To be watched for reading; -1: the kernel gives none.
  int descriptor() const { return inotify_.get(); }
  // Every directory that is there is watched and of a file system of this host: the kernel tells of
  // each change but where a directory comes or is mounted over.
  bool hears_all() const { return hears_all_; }
  // Reads what the kernel said. True: something was written or renamed beside a file.
  bool heard();
  // Looks at the files. True: one of them is not as it was when they were kept.
  bool changed();
  // What is there now counts as seen.
  void keep();
  // What was kept: each file that was there, with all that tells it from another.
  std::string stamps() const;

 private:
  struct Facts {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: not there
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Facts&) const = default;
  };
  struct Stamp {
    std::string path;
    bool is_directory = false;
    Facts facts;
    bool operator==(const Stamp&) const = default;
  };
  Facts facts_of(const std::string& path) const;
  std::vector<Stamp> look() const;
  void watch_directories();

  std::string root_path_;
  // Of each directory the names that are looked at; "*": all.
  std::vector<std::pair<std::string, std::vector<std::string>>> places_;
  const inventory::Root* root_;
  Fd inotify_;
  std::set<int> watches_;  // what inotify numbers the directories by
  bool hears_all_ = false;
  // The directories, there or not, and the files that were there: one that comes changes its
  // directory, so that a glance at these is enough.
  std::vector<Stamp> kept_;
};

}  // namespace tenken::agent
