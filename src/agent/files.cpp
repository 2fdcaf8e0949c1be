#include "agent/files.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <sys/stat.h>

namespace tenken::agent {
namespace {

constexpr mode_t directory_mode = 0700;

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

}  // namespace tenken::agent
