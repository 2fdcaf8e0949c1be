// The lines of a file of /proc, read in pieces: such a file has no size, may be long, and is made
// while it is read.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <unistd.h>

#include "base/file.h"
#include "base/result.h"

namespace tenken::host {

enum class LinesEnd : std::uint8_t { all, stopped, limit };

// Calls f(line) for each until it returns false, or most_bytes are read, or a line is longer than
// any of /proc is. Errors: as read(2)'s.
template <typename F>
Result<LinesEnd> for_each_proc_line(int fd, std::string_view shown, std::size_t most_bytes, F&& f) {
  std::array<char, std::size_t{32} * 1024> buffer;
  std::size_t held = 0;
  std::size_t total = 0;
  for (;;) {
    if (held == buffer.size() || total >= most_bytes) return LinesEnd::limit;
    const auto count = ::read(fd, buffer.data() + held, buffer.size() - held);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return from_errno(errno, shown);
    if (count == 0) {
      const bool last = held == 0 || f(std::string_view(buffer.data(), held));
      return last ? LinesEnd::all : LinesEnd::stopped;
    }
    held += static_cast<std::size_t>(count);
    total += static_cast<std::size_t>(count);
    std::string_view rest(buffer.data(), held);
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (!f(rest.substr(0, end))) return LinesEnd::stopped;
      rest.remove_prefix(end + 1);
    }
    held = rest.size();
    std::memmove(buffer.data(), rest.data(), held);
  }
}

}  // namespace tenken::host
