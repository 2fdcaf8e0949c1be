// The advisory generation in use: a file, or the current one of a directory of generations, opened
// and watched. A newer one is taken in as soon as it is whole; one that cannot be used is an error
// and the old one stays. A file that somebody else writes is used as a copy that was checked whole:
// written over in place, it would pull the mapped pages from under their readers. Where that file is
// damaged or gone when a server starts, the copy of before is used, and the file's fault told.
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
  // path: as pipeline::database_path has it. copies: the directory of generations for copies of
  // it; empty: path is the link of such a directory itself, whose files never change.
  explicit Generations(std::string path, std::string copies = {});

  // Looks whether another file is there now. True: it was taken in. What is wrong with a file is
  // found once and said until it changes.
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
  Result<bool> look_at_file();
  Result<advisories::Database> open() const;
  // Whether it is another than the current one.
  bool take(advisories::Database opened);

  std::string path_;
  std::string copies_;
  Stamp seen_;  // at the last look
  Stamp used_;
  Stamp faulty_;
  Error fault_;
  bool kept_copy_was_tried_ = false;
  mutable std::mutex mutex_;
  std::shared_ptr<const advisories::Database> current_;
  std::vector<std::shared_ptr<const advisories::Database>> earlier_;  // the last few
};

// Why a generation may be less than the one before it: older, or much smaller; empty: it is not.
// It is used all the same: what it no longer covers stays as it was.
std::string why_doubtful(const advisories::Database& before, const advisories::Database& after);

}  // namespace tenken::serve
