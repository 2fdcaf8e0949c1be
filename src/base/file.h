// Whole files in and out, and files mapped into memory.
//
// Thread rule: functions are safe from any thread; a MappedFile may be read from many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenken {

// An owned file descriptor, closed at the end.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Both ends are closed where another program is started. Errors: those of from_errno.
struct Pipe {
  Fd read;
  Fd write;
};
Result<Pipe> make_pipe();

// The regular file's bytes. Errors: not_found, denied, invalid (no regular file), limit.
Result<std::string> read_file(const std::string& path, std::size_t limit_bytes);
Result<std::string> read_fd(int fd, std::string_view shown_name, std::size_t limit_bytes);
// To the end of whatever the descriptor is: a pipe, standard input. Errors: denied, limit.
Result<std::string> read_stream(int fd, std::string_view shown_name, std::size_t limit_bytes);

// Writes all the bytes at the descriptor's position.
Result<> write_fd(int fd, std::string_view bytes, std::string_view shown_name);

// Writes a temporary file beside path, syncs it and renames it over path: a reader sees the old
// bytes or the new ones, and a full disk leaves the old ones. mode is the new file's permission.
// What is there and no regular file (a device, a pipe) is written as it is.
Result<> write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode = 0644);

// The same for text that comes in pieces: produce hands each to the function it is given.
using WritePiece = std::function<Result<>(std::string_view piece)>;
Result<> write_file_atomic(const std::string& path, unsigned mode,
                           const std::function<Result<>(const WritePiece&)>& produce);

// A regular file mapped read-only. The bytes live as long as the object.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::string_view bytes() const { return {data_, size_}; }
  // Gives the pages back to the system; they come again when they are touched.
  void release_pages() const;

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tenken
