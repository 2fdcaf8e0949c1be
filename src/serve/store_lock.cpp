#include "serve/store_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace tenken::serve {

Result<StoreLock> StoreLock::take(const std::string& data_directory) {
  const auto path = data_directory + "/serve.lock";
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return from_errno(errno, path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return StoreLock(std::move(file));
  if (errno != EWOULDBLOCK) return from_errno(errno, path);
  return Error{
      Errc::conflict,
      fmt::format("a server runs on {} already; more than one need PostgreSQL (--database)",
                  data_directory)};
}

std::string store_file(const std::string& data_directory) {
  return data_directory + "/tenken.sqlite";
}

std::string secret_key_file(const std::string& data_directory, const std::string& given) {
  return given.empty() ? data_directory + "/secret.key" : given;
}

std::string restored_file(const std::string& data_directory) {
  return store_file(data_directory) + ".restored";
}

Result<> check_restored(const std::string& data_directory) {
  const auto store = store_file(data_directory);
  const auto restored = restored_file(data_directory);
  if (::access(store.c_str(), F_OK) == 0 || ::access(restored.c_str(), F_OK) != 0) return {};
  return Error{Errc::conflict,
               fmt::format("{}: a restore was cut off; restore again, or remove it for a new store",
                           restored)};
}

}  // namespace tenken::serve
