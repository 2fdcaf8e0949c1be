#include "agent/watch.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenken::agent {
namespace {

// What inventory/os_packages read, and what says which operating system it is.
constexpr std::array<const char*, 14> files{
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite-wal",
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    "usr/lib/sysimage/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "etc/os-release",
    "usr/lib/os-release",
};
constexpr std::array<std::string_view, 6> directories{"var/lib/dpkg", "var/lib/dpkg/status.d",
                                                      "lib/apk/db",   "usr/lib/apk/db",
                                                      "var/lib/rpm",  "usr/lib/sysimage/rpm"};

constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_CREATE | IN_DELETE |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

Watch::Watch(std::string root_path)
    : root_path_(std::move(root_path)),
      root_(::open(root_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  watch_directories();
}

// Watching a directory again that is watched already changes nothing.
void Watch::watch_directories() {
  if (!inotify_.valid()) return;
  for (const auto directory : directories)
    ::inotify_add_watch(inotify_.get(), (root_path_ + "/" + std::string(directory)).c_str(),
                        events);
}

bool Watch::heard() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  return any;
}

std::vector<Watch::Stamp> Watch::look() const {
  std::vector<Stamp> out;
  out.reserve(files.size());
  for (const auto* path : files) {
    struct stat facts{};
    Stamp stamp;
    if (::fstatat(root_.get(), path, &facts, AT_NO_AUTOMOUNT) == 0)
      stamp = {.device = facts.st_dev,
               .inode = facts.st_ino,
               .size = facts.st_size,
               .modified_ns = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec};
    out.push_back(stamp);
  }
  return out;
}

bool Watch::changed() const {
  return look() != kept_;
}

void Watch::keep() {
  kept_ = look();
  watch_directories();
}

}  // namespace tenken::agent
