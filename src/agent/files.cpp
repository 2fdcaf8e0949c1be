#include "agent/files.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace tenken::agent {
namespace {

constexpr mode_t directory_mode = 0700;
constexpr mode_t log_mode = 0600;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<> make_directory(const std::string& path) {
  for (std::size_t end = 1; end != std::string::npos && end < path.size();) {
    end = path.find('/', end + 1);
    const auto part = path.substr(0, end);
    if (::mkdir(part.c_str(), directory_mode) != 0 && errno != EEXIST)
      return from_errno(errno, part);
  }
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return from_errno(errno, path);
  if (!S_ISDIR(facts.st_mode)) return invalid(path + ": is no directory");
  return {};
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  if (!open) return from_errno(errno, directory);
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
  std::ranges::sort(out);
  return out;
}

Result<> log_into(const std::string& path) {
  struct stat facts{};
  const bool is_full =
      ::lstat(path.c_str(), &facts) == 0 && static_cast<std::size_t>(facts.st_size) > largest_log;
  if (is_full && ::rename(path.c_str(), (path + ".1").c_str()) != 0) return from_errno(errno, path);
  const Fd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, log_mode));
  if (!file.valid() || ::dup2(file.get(), STDERR_FILENO) < 0) return from_errno(errno, path);
  return {};
}

}  // namespace tenken::agent
