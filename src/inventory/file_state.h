// By what a file that another process writes in place is known to have changed meanwhile.
//
// Errors: those of fstat(2). Thread rule: any thread.
#pragma once

#include <cerrno>
#include <string_view>

#include <sys/stat.h>

#include "base/file.h"
#include "base/result.h"

namespace tenken::inventory {

// So often it is read anew at most where it changed.
inline constexpr int max_attempts_at_rest = 3;

struct FileState {
  off_t size = 0;
  timespec modified{};
  bool operator==(const FileState& other) const {
    return size == other.size && modified.tv_sec == other.modified.tv_sec &&
           modified.tv_nsec == other.modified.tv_nsec;
  }
};

inline Result<FileState> state_of(const Fd& fd, std::string_view shown) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return from_errno(errno, shown);
  return FileState{.size = status.st_size, .modified = status.st_mtim};
}

}  // namespace tenken::inventory
