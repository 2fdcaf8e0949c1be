// A directory of a benchmark's own in the place for temporary files, that nobody else may write
// into, removed at its end.
#pragma once

#include <filesystem>
#include <string>

#include <stdlib.h>

#include "base/result.h"

namespace tenken::bench {

class Directory {
 public:
  Directory() { CHECK(::mkdtemp(path_.data()) != nullptr); }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "tenken-bench-XXXXXX").string();
};

}  // namespace tenken::bench
