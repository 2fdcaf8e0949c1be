#include "inventory/root.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <ranges>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t max_links = 40;      // as the kernel (path_resolution(7))
constexpr std::size_t max_depth = 256;     // directories held open at once
constexpr std::size_t max_pending = 4096;  // components that links may leave to be walked
constexpr std::size_t max_entries = 100'000;

Result<std::string> read_link(int fd, std::string_view shown) {
  std::array<char, PATH_MAX> target;
  const auto length = ::readlinkat(fd, "", target.data(), target.size());
  if (length < 0) return from_errno(errno, shown);
  if (length == 0 || static_cast<std::size_t>(length) == target.size())
    return invalid(fmt::format("{}: a link with an unusable target", shown));
  return std::string(target.data(), static_cast<std::size_t>(length));
}

// Resolves one path. The stack holds what has been walked, top last; empty means the root.
class Walk {
 public:
  Walk(int root, std::string_view path) : root_(root), shown_(path) {}

  Result<> run() {
    TRY_VOID(push_components(shown_));
    while (!pending_.empty()) {
      const std::string name = std::move(pending_.back());
      pending_.pop_back();
      TRY_VOID(step(name));
    }
    return {};
  }

  // What the path names, opened with flags. Links have been resolved, so none is followed.
  Result<Fd> reopen(int flags) const {
    const bool at_root = stack_.empty();
    const int parent = stack_.size() < 2 ? root_ : stack_[stack_.size() - 2].fd.get();
    const char* name = at_root ? "." : stack_.back().name.c_str();
    Fd fd(::openat(at_root ? root_ : parent, name, flags | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return from_errno(errno, shown_);
    return fd;
  }

  Result<struct stat> end() const {
    struct stat out{};
    if (::fstat(stack_.empty() ? root_ : stack_.back().fd.get(), &out) != 0)
      return from_errno(errno, shown_);
    return out;
  }

  // After run: those that links were followed in, and the one where the path ends.
  std::vector<std::string> directories(bool arrived) const {
    auto out = passed_;
    if (pending_.empty()) out.push_back(name_of(stack_.size() - (arrived && !stack_.empty())));
    return out;
  }

  bool is_regular() const { return !stack_.empty() && S_ISREG(stack_.back().mode); }

 private:
  struct Step {
    Fd fd;
    std::string name;
    mode_t mode = 0;
  };

  Result<> push_components(std::string_view path) {
    const auto parts = split(path, '/');
    if (parts.size() + pending_.size() > max_pending)
      return limit_exceeded(fmt::format("{}: the path is too long", shown_));
    for (const auto part : parts | std::views::reverse)
      if (!part.empty()) pending_.emplace_back(part);
    return {};
  }

  std::string name_of(std::size_t depth) const {
    std::string out;
    for (const auto& step : stack_ | std::views::take(depth))
      out.append(out.empty() ? "" : "/").append(step.name);
    return out;
  }

  Result<> step(const std::string& name) {
    if (!stack_.empty() && !S_ISDIR(stack_.back().mode)) return from_errno(ENOTDIR, shown_);
    if (name == ".") return {};
    if (name == "..") {
      if (!stack_.empty()) stack_.pop_back();
      return {};
    }
    const int top = stack_.empty() ? root_ : stack_.back().fd.get();
    Fd fd(::openat(top, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return from_errno(errno, shown_);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return from_errno(errno, shown_);
    if (S_ISLNK(status.st_mode)) return follow(fd.get());
    if (stack_.size() == max_depth)
      return limit_exceeded(fmt::format("{}: more than {} directories deep", shown_, max_depth));
    stack_.push_back({.fd = std::move(fd), .name = name, .mode = status.st_mode});
    return {};
  }

  Result<> follow(int link) {
    if (++links_ > max_links) return from_errno(ELOOP, shown_);
    passed_.push_back(name_of(stack_.size()));
    TRY(const auto target, read_link(link, shown_));
    if (target.starts_with('/')) stack_.clear();
    return push_components(target);
  }

  int root_;
  std::string_view shown_;
  std::vector<std::string> pending_;  // components still to walk, next one last
  std::vector<Step> stack_;
  std::vector<std::string> passed_;  // directories of the links that were followed
  std::size_t links_ = 0;
};

Result<> check_text(std::string_view path) {
  if (path.find('\0') == std::string_view::npos) return {};
  return invalid("a path with a NUL byte");
}

}  // namespace

Result<Root> Root::at(const std::string& directory) {
  TRY_VOID(check_text(directory));
  Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) return Root(std::move(fd));
  if (errno == ENOTDIR) return invalid(fmt::format("{}: not a directory", directory));
  return from_errno(errno, directory);
}

Result<Fd> Root::open(std::string_view path) const {
  TRY_VOID(check_text(path));
  Walk walk(directory_.get(), path);
  TRY_VOID(walk.run());
  // Looked at before it is opened: opening a device may already act on it.
  if (!walk.is_regular()) return invalid(fmt::format("{}: not a regular file", path));
  return walk.reopen(O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

Result<std::string> Root::read(std::string_view path, std::size_t limit_bytes) const {
  TRY(const auto fd, open(path));
  return read_fd(fd.get(), path, limit_bytes);
}

Result<std::vector<std::string>> Root::list(std::string_view path) const {
  TRY_VOID(check_text(path));
  Walk walk(directory_.get(), path);
  TRY_VOID(walk.run());
  TRY(auto fd, walk.reopen(O_RDONLY | O_DIRECTORY));
  const auto close = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> directory(::fdopendir(fd.get()));
  if (directory == nullptr) return from_errno(errno, path);
  fd.release();  // closedir closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return from_errno(errno, path);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == max_entries)
      return limit_exceeded(fmt::format("{}: more than {} entries", path, max_entries));
    names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Way Root::way(std::string_view path) const {
  Walk walk(directory_.get(), path);
  auto end = [&]() -> Result<struct stat> {
    TRY_VOID(check_text(path));
    TRY_VOID(walk.run());
    return walk.end();
  }();
  return {.directories = walk.directories(end.has_value()), .end = std::move(end)};
}

}  // namespace tenken::inventory
