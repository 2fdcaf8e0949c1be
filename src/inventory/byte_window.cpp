#include "inventory/byte_window.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <unistd.h>

#include "inventory/file_state.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10;

Error changed() {
  return unavailable("it changes while it is read");
}

}  // namespace

Result<std::string_view> ByteWindow::at(std::size_t offset, std::size_t count) {
  if (offset > size_ || count > size_ - offset)
    return invalid(fmt::format("{} bytes wanted at offset {}, {} remain", count, offset,
                               size_ - std::min(offset, size_)));
  if (fd_ < 0) return memory_.substr(offset, count);
  if (offset < begin_ || offset + count > begin_ + held_.size()) TRY_VOID(move_to(offset, count));
  return std::string_view(held_).substr(offset - begin_, count);
}

// Who goes on where the piece ends reads ahead; who jumps gets what was asked for.
Result<> ByteWindow::move_to(std::size_t offset, std::size_t count) {
  const bool goes_on = offset >= begin_ && offset <= begin_ + held_.size();
  const auto wanted = std::min(size_ - offset, goes_on ? std::max(count, piece_bytes) : count);
  held_.resize(wanted);
  begin_ = offset;
  std::size_t used = 0;
  while (used < wanted) {
    const auto read =
        ::pread(fd_, held_.data() + used, wanted - used, static_cast<off_t>(offset + used));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) {
      held_.clear();
      return read == 0 ? changed() : from_errno(errno, "the database");
    }
    used += static_cast<std::size_t>(read);
  }
  return {};
}

Result<> with_file_at_rest(const Root& root, std::string_view path, std::size_t limit_bytes,
                           const std::function<Result<>(const ByteWindow&)>& read) {
  for (int attempt = 0; attempt < max_attempts_at_rest; ++attempt) {
    TRY(const auto fd, root.open(path));
    TRY(const auto before, state_of(fd, path));
    const auto size = static_cast<std::size_t>(before.size);
    if (size > limit_bytes)
      return limit_exceeded(
          fmt::format("{}: {} bytes, at most {} are read", path, size, limit_bytes));
    auto result = read(ByteWindow(fd.get(), size));
    TRY(const auto after, state_of(fd, path));
    if (before == after) return result;
  }
  return changed();
}

}  // namespace tenken::inventory
