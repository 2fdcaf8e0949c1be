// StoreLock: one server a SQLite store. The kernel gives the lock back when its process ends,
// however it ends, so that none is ever stale.
//
// Errors: conflict (a server runs on this directory), denied. Thread rule: a value.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace tenken::serve {

class StoreLock {
 public:
  static Result<StoreLock> take(const std::string& data_directory);

 private:
  explicit StoreLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

// The store's file in a data directory.
std::string store_file(const std::string& data_directory);
// The file of the master key: the one given, else that of the data directory.
std::string secret_key_file(const std::string& data_directory, const std::string& given);
// What `restore` makes of it before it takes its place. Where it lies there without a store, the
// restoring was cut off.
std::string restored_file(const std::string& data_directory);
Result<> check_restored(const std::string& data_directory);  // conflict

}  // namespace tenken::serve
