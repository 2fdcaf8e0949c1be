// KeptFiles: of each file of a tree of feeds the last copy that could be read, in a directory of
// its own, for the day on which the file can no longer be read. Copies lie at the paths of their
// files and have their times.
//
// Errors: unavailable (the directory, or no room). Thread rule: one build at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken::pipeline {

// Files that somebody may write over in place are copied. Those that are only ever replaced, as in
// a mirror tree, need no room: a copy is a link.
enum class Keep : std::uint8_t { copies, links };

class KeptFiles {
 public:
  KeptFiles(std::string directory, Keep keep) : directory_(std::move(directory)), keep_(keep) {}

  const std::string& directory() const { return directory_; }
  // The copy's path, where there is one.
  std::optional<std::string> copy_of(const std::string& path) const;
  // Whether the file is that of which there is a copy: by its size and time.
  bool is_kept(const std::string& file, const std::string& path) const;
  // Takes the file in as the copy of that path, whole or not at all.
  Result<> keep(const std::string& file, const std::string& path) const;
  // Bytes as the copy of that path.
  Result<> keep_bytes(std::string_view bytes, const std::string& path) const;
  // Where the copy of one member of an archive lies, which the archive's own copy has no longer.
  static std::string path_of_member(std::string_view archive, std::string_view member);
  // Removes copies of all other paths.
  Result<> keep_only(const std::set<std::string>& paths) const;

 private:
  std::string directory_;
  Keep keep_;
};

// The directory of the copies of the tree at `root`, among those of all trees in `kept`.
std::string kept_directory(const std::string& kept, const std::string& root);
// Notes that these were used now, and removes others so that no more than kept_trees stay.
constexpr std::size_t kept_trees = 4;
Result<> keep_trees(const std::string& kept, const std::set<std::string>& used);

}  // namespace tenken::pipeline
