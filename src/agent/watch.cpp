#include "agent/watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace tenken::agent {
namespace {

constexpr std::string_view all_of_directory = "*";
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_CREATE | IN_DELETE |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * second_ns + time.tv_nsec;
}

// File systems that nobody but this kernel writes, and through which it sees each write.
bool is_of_this_host(const std::string& path) {
  constexpr std::array<std::uint32_t, 5> types{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                               F2FS_SUPER_MAGIC, TMPFS_MAGIC};
  struct statfs facts{};
  return ::statfs(path.c_str(), &facts) == 0 &&
         std::ranges::find(types, static_cast<std::uint32_t>(facts.f_type)) != types.end();
}

}  // namespace

Watch::Watch(std::string root_path, const inventory::Root& root,
             const std::vector<std::string_view>& files)
    : root_path_(std::move(root_path)),
      root_(&root),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  for (const auto file : files) {
    const auto slash = file.rfind('/');
    const std::string directory(file.substr(0, slash));
    auto place = std::ranges::find_if(places_, [&](auto& one) { return one.first == directory; });
    if (place == places_.end()) place = places_.insert(place, {directory, {}});
    place->second.emplace_back(file.substr(slash + 1));
  }
  watch_directories();
}

// Watching a directory again that is watched already changes nothing.
void Watch::watch_directories() {
  hears_all_ = inotify_.valid();
  if (!hears_all_) return;
  // Where a file is a link, also what it leads to.
  std::set<std::string> directories;
  const auto add = [&](const std::string& file) {
    const auto way = root_->way(file);
    directories.insert(way.directories.begin(), way.directories.end());
    if (!way.end && way.end.error().code != Errc::not_found) hears_all_ = false;
  };
  for (const auto& [directory, names] : places_)
    for (const auto& name : names) add(fmt::format("{}/{}", directory, name));
  for (const auto& stamp : kept_)
    if (!stamp.is_directory) add(stamp.path);
  std::set<int> watches;
  for (const auto& directory : directories) {
    const auto path = fmt::format("{}/{}", root_path_, directory);
    const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events);
    const bool absent = watch < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (!absent && (watch < 0 || !is_of_this_host(path))) hears_all_ = false;
    if (watch >= 0) watches.insert(watch);
  }
  // Where a link leads no more. Of a directory that is gone the kernel has removed it.
  for (const int watch : watches_)
    if (!watches.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
  watches_ = std::move(watches);
}

bool Watch::heard() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  return any;
}

Watch::Facts Watch::facts_of(const std::string& path) const {
  struct stat facts{};
  if (root_path_ == "/") {  // where the kernel follows links as the root does
    if (::stat(("/" + path).c_str(), &facts) != 0) return {};
  } else {
    const auto end = root_->way(path).end;
    if (!end) return {};
    facts = *end;
  }
  return {.device = facts.st_dev,
          .inode = facts.st_ino,
          .size = facts.st_size,
          .modified_ns = nanoseconds(facts.st_mtim),
          .changed_ns = nanoseconds(facts.st_ctim)};
}

// A directory before its files: what comes meanwhile is seen at the next look.
std::vector<Watch::Stamp> Watch::look() const {
  std::vector<Stamp> out;
  for (const auto& [directory, names] : places_) {
    out.push_back({.path = directory, .is_directory = true, .facts = facts_of(directory)});
    if (out.back().facts == Facts{}) continue;
    const bool all = names.front() == all_of_directory;
    const auto there = all ? root_->list(directory).value_or(std::vector<std::string>()) : names;
    for (const auto& name : there) {
      auto path = fmt::format("{}/{}", directory, name);
      const auto facts = facts_of(path);
      if (facts != Facts{}) out.push_back({.path = std::move(path), .facts = facts});
    }
  }
  return out;
}

bool Watch::changed() {
  const auto stays = [&](const Stamp& stamp) { return facts_of(stamp.path) == stamp.facts; };
  if (!kept_.empty() && std::ranges::all_of(kept_, stays)) return false;
  // Directories change by other files, too.
  auto now = look();
  const auto before = stamps();
  std::swap(kept_, now);
  if (stamps() == before) return false;
  std::swap(kept_, now);
  return true;
}

void Watch::keep() {
  kept_ = look();
  watch_directories();
}

std::string Watch::stamps() const {
  std::string out;
  for (const auto& [path, is_directory, facts] : kept_) {
    if (!is_directory)
      fmt::format_to(std::back_inserter(out), "{} {} {} {} {} {}\n", path, facts.device,
                     facts.inode, facts.size, facts.modified_ns, facts.changed_ns);
  }
  return out;
}

}  // namespace tenken::agent
