// ByteWindow: bytes that a reader takes a piece at a time. Of a file only that piece is in memory:
// the database of an old host has hundreds of megabytes. (A mapping would fault where rpm, which
// writes in place, makes the file shorter.)
//
// Thread rule: a value, one thread; the descriptor or the bytes must outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "inventory/root.h"

namespace tenken::inventory {

class ByteWindow {
 public:
  // All of it is in memory.
  ByteWindow(std::string_view bytes) : memory_(bytes), size_(bytes.size()) {}
  // The first size_bytes of a file.
  ByteWindow(int fd, std::size_t size_bytes) : fd_(fd), size_(size_bytes) {}

  std::size_t size() const { return size_; }
  // They hold until the next call. Errors: invalid (beyond the end), unavailable (the file has
  // become shorter), those of pread(2).
  Result<std::string_view> at(std::size_t offset, std::size_t count);

 private:
  Result<> move_to(std::size_t offset, std::size_t count);

  std::string_view memory_;
  int fd_ = -1;
  std::size_t size_;
  std::size_t begin_ = 0;  // of the piece in the file
  std::string held_;
};

// read has a file that others may write, and again where it changed meanwhile. Errors: those of
// Root::open and of read, limit (a larger file), unavailable (it changes again and again).
Result<> with_file_at_rest(const Root& root, std::string_view path, std::size_t limit_bytes,
                           const std::function<Result<>(const ByteWindow&)>& read);

}  // namespace tenken::inventory
