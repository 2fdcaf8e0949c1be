#include "agent/watch.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenken::agent {
namespace {

constexpr std::string_view all_of_directory = "/*";
constexpr std::size_t most_names = 100'000;
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_CREATE | IN_DELETE |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::string_view directory_of(std::string_view file) {
  return file.substr(0, file.rfind('/'));
}

// One of another name, size or time is another; one that is not there has no line.
void add_stamp(int directory, const char* name, std::string_view shown, std::string& out) {
  struct stat facts{};
  if (::fstatat(directory, name, &facts, AT_NO_AUTOMOUNT) != 0) return;
  fmt::format_to(std::back_inserter(out), "{} {}:{} {} {}.{:09} {}.{:09}\n", shown, facts.st_dev,
                 facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
                 facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

void add_directory(int root, const std::string& path, std::string& out) {
  Fd fd(::openat(root, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return;
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd.get()));
  if (directory == nullptr) return;
  const int open = fd.release();
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && names.size() < most_names) names.emplace_back(name);
  }
  std::ranges::sort(names);
  for (const auto& name : names)
    add_stamp(open, name.c_str(), fmt::format("{}/{}", path, name), out);
}

}  // namespace

Watch::Watch(std::string root_path, std::vector<std::string_view> files)
    : root_path_(std::move(root_path)),
      files_(files.begin(), files.end()),
      root_(::open(root_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  watch_directories();
}

// Watching a directory again that is watched already changes nothing.
void Watch::watch_directories() {
  if (!inotify_.valid()) return;
  std::string_view last;
  for (const auto& file : files_) {
    const auto directory = directory_of(file);
    if (std::exchange(last, directory) == directory) continue;
    ::inotify_add_watch(inotify_.get(), fmt::format("{}/{}", root_path_, directory).c_str(),
                        events);
  }
}

bool Watch::heard() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  return any;
}

std::string Watch::look() const {
  std::string out;
  for (const auto& file : files_) {
    if (file.ends_with(all_of_directory))
      add_directory(root_.get(), std::string(directory_of(file)), out);
    else
      add_stamp(root_.get(), file.c_str(), file, out);
  }
  return out;
}

void Watch::keep() {
  kept_ = look();
  watch_directories();
}

}  // namespace tenken::agent
