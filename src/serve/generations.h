// The advisory generation in use: a file, or the current one of a directory of generations, opened
// and watched. A newer file is taken in as soon as it is whole; one that cannot be opened is told
// and the old one stays.
//
// Errors: those of the database. Thread rule: current and find from any thread; look from one.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "advisories/database.h"
#include "base/result.h"

namespace tenken::serve {

class Generations {
 public:
  // path: as pipeline::database_path has it.
  explicit Generations(std::string path);

  // Looks whether another file is there now. True: it was taken in.
  Result<bool> look();
  std::shared_ptr<const advisories::Database> current() const;
  // That generation, where it is still open or its file lies beside the current one.
  std::shared_ptr<const advisories::Database> find(const std::string& generation) const;

 private:
  // What a file is known by: another device, inode, size or time is another file.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Result<Stamp> stamp_of(const std::string& file);

  std::string path_;
  Stamp stamp_;
  mutable std::mutex mutex_;
  std::shared_ptr<const advisories::Database> current_;
  std::vector<std::shared_ptr<const advisories::Database>> earlier_;  // the last few
};

// Why a generation may be less than the one before it: older, or much smaller; empty: it is not.
// It is used all the same: what it no longer covers stays as it was.
std::string why_doubtful(const advisories::Database& before, const advisories::Database& after);

}  // namespace tenken::serve
