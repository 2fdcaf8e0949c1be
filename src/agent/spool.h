// Spool: reports on their way, in order, each in a file of its own, so that a server that is away
// for hours loses nothing. Beyond its size they are dropped, and the next report is the whole.
//
// Errors: those of files; limit where a report does not fit (the spool is then as it was).
// Thread rule: one thread; one process by the lock of the state directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tenken::agent {

struct SpooledReport {
  std::uint64_t sequence = 0;
  std::string base;    // digest of the text that it starts from; empty: it is the whole
  std::string digest;  // of the text that results
  std::string body;    // lines of "-NAME" and "+LINE"
};

class Spool {
 public:
  static constexpr std::size_t default_limit = std::size_t{16} << 20;

  // Makes the directory. A file in it that is no report is passed over and removed.
  static Result<Spool> open(std::string directory, std::size_t limit_bytes = default_limit);

  bool empty() const { return files_.empty(); }
  std::uint64_t last_sequence() const { return files_.empty() ? 0 : files_.back().sequence; }
  // Errors: limit; unavailable (the disk is full).
  Result<> put(const SpooledReport& report);
  // nullopt: there is none, or the oldest cannot be read; then all are gone.
  std::optional<SpooledReport> oldest();
  void remove(std::uint64_t sequence);
  void clear();

 private:
  struct File {
    std::uint64_t sequence = 0;
    std::size_t bytes = 0;
  };
  Spool(std::string directory, std::size_t limit_bytes)
      : directory_(std::move(directory)), limit_bytes_(limit_bytes) {}
  std::string path_of(std::uint64_t sequence) const;

  std::string directory_;
  std::size_t limit_bytes_;
  std::vector<File> files_;  // by sequence
};

}  // namespace tenken::agent
