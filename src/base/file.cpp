#include "base/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenken {
namespace {

Result<std::size_t> regular_size(int fd, std::string_view shown_name) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return from_errno(errno, shown_name);
  if (!S_ISREG(status.st_mode)) return invalid(fmt::format("{}: not a regular file", shown_name));
  return static_cast<std::size_t>(status.st_size);
}

constexpr std::size_t first_read = 4096;  // of what does not say how long it is

// From where the descriptor stands to its end; `expected` bytes are likely.
Result<std::string> read_to_end(int fd, std::string_view shown_name, std::size_t limit_bytes,
                                std::size_t expected) {
  std::string bytes;
  // A file may grow while it is read: read to the end, one byte past the limit to notice. Files of
  // /proc say size 0, and those of /proc/sys give what they have to the first read alone.
  bytes.resize(expected == 0 ? first_read : expected + 1);
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) bytes.resize(bytes.size() + bytes.size() / 2 + 4096);
    const auto count = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return from_errno(errno, shown_name);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
    if (used > limit_bytes)
      return limit_exceeded(fmt::format("{}: more than {} bytes", shown_name, limit_bytes));
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> read_fd(int fd, std::string_view shown_name, std::size_t limit_bytes) {
  TRY(const auto size, regular_size(fd, shown_name));
  if (size > limit_bytes)
    return limit_exceeded(
        fmt::format("{}: {} bytes, at most {} are read", shown_name, size, limit_bytes));
  return read_to_end(fd, shown_name, limit_bytes, size);
}

Result<std::string> read_stream(int fd, std::string_view shown_name, std::size_t limit_bytes) {
  return read_to_end(fd, shown_name, limit_bytes, 0);
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return from_errno(errno, "pipe");
  return Pipe{.read = Fd(ends[0]), .write = Fd(ends[1])};
}

Result<std::string> read_file(const std::string& path, std::size_t limit_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return from_errno(errno, path);
  return read_fd(fd.get(), path, limit_bytes);
}

Result<> write_fd(int fd, std::string_view bytes, std::string_view shown_name) {
  // The page cache keeps what one call writes in folios of up to 2 MiB, and Linux maps a folio
  // whole: a reader of a few entries of a mapped file would be charged with all around them.
  constexpr std::size_t piece = 64 * 1024;
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), std::min(bytes.size(), piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return from_errno(errno, shown_name);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode) {
  return write_file_atomic(path, mode, [&](const WritePiece& write) { return write(bytes); });
}

namespace {

bool is_special(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

Result<> write_special(const std::string& path,
                       const std::function<Result<>(const WritePiece&)>& produce) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return from_errno(errno, path);
  return produce([&](std::string_view piece) { return write_fd(fd.get(), piece, path); });
}

}  // namespace

Result<> write_file_atomic(const std::string& path, unsigned mode,
                           const std::function<Result<>(const WritePiece&)>& produce) {
  if (is_special(path)) return write_special(path, produce);
  std::string temporary = path + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return from_errno(errno, temporary);
  const auto written = [&]() -> Result<> {
    TRY_VOID(produce([&](std::string_view piece) { return write_fd(fd.get(), piece, path); }));
    if (::fchmod(fd.get(), mode) != 0) return from_errno(errno, path);
    if (::fsync(fd.get()) != 0) return from_errno(errno, path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return from_errno(errno, path);
    return {};
  }();
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return from_errno(errno, path);
  TRY(const auto size, regular_size(fd.get(), path));
  MappedFile file;
  if (size == 0) return file;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return from_errno(errno, path);
  file.data_ = static_cast<const char*>(data);
  file.size_ = size;
  return file;
}

void MappedFile::release_pages() const {
  if (data_ != nullptr) ::madvise(const_cast<char*>(data_), size_, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

}  // namespace tenken
