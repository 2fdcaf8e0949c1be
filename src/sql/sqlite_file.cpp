#include "sql/sqlite_file.h"

#include <cerrno>
#include <map>
#include <mutex>
#include <utility>

#include <sqlite3.h>
#include <sys/stat.h>

namespace tenken::sql {

Result<std::shared_ptr<SqliteFile>> SqliteFile::of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return from_errno(errno, path);
  static std::mutex mutex;
  static std::map<std::pair<dev_t, ino_t>, std::weak_ptr<SqliteFile>> files;
  const std::lock_guard lock(mutex);
  std::erase_if(files, [](const auto& one) { return one.second.expired(); });
  auto& known = files[{found.st_dev, found.st_ino}];
  auto out = known.lock();
  if (out == nullptr) {
    TRY(auto own, open_sqlite_file(path, SQLITE_OPEN_READWRITE));
    known = out = std::make_shared<SqliteFile>(std::move(own));
  }
  return out;
}

}  // namespace tenken::sql
