#include "inventory/sqlite_snapshot.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "inventory/file_state.h"

namespace tenken::inventory {
namespace {

constexpr off_t max_copy_bytes = off_t{1} << 30;  // of all files together

struct File {
  std::string_view suffix;  // "" or "-wal"
  Fd fd;
  FileState state;
};

// A rollback journal with its magic means that a transaction was cut off in the middle. It is never
// handed to SQLite: a journal may name another file, which SQLite would then delete.
Result<> check_journal(const Root& root, std::string_view path) {
  constexpr std::string_view magic = "\xD9\xD5\x05\xF9\x20\xA1\x63\xD7";
  const auto fd = root.open(fmt::format("{}-journal", path));
  if (!fd && fd.error().code == Errc::not_found) return {};
  if (!fd) return fd.error();
  std::array<char, magic.size()> start{};
  if (::pread(fd->get(), start.data(), start.size(), 0) < 0)
    return from_errno(errno, fmt::format("{}-journal", path));
  if (std::string_view(start.data(), start.size()) != magic) return {};
  return unavailable("a transaction was cut off: a rollback journal stands beside the database");
}

// The database first, then its write-ahead log where that holds anything.
Result<std::vector<File>> open_files(const Root& root, std::string_view path) {
  std::vector<File> files;
  for (const std::string_view suffix : {"", "-wal"}) {
    const auto name = fmt::format("{}{}", path, suffix);
    auto fd = root.open(name);
    if (!fd && fd.error().code == Errc::not_found && !suffix.empty()) continue;
    if (!fd) return std::move(fd).error();
    TRY(const auto state, state_of(*fd, name));
    if (state.size > 0 || suffix.empty())
      files.push_back({.suffix = suffix, .fd = *std::move(fd), .state = state});
  }
  return files;
}

Result<bool> unchanged(const std::vector<File>& files) {
  for (const auto& file : files) {
    TRY(const auto now, state_of(file.fd, "the database"));
    if (now != file.state) return false;
  }
  return true;
}

// A directory only this user may enter, removed with what SQLite and this file put into it.
// (std::filesystem would bring all of the standard library's locales into the static agent.)
class PrivateDirectory {
 public:
  static Result<PrivateDirectory> create() {
    const char* set = ::secure_getenv("TMPDIR");
    std::string path = fmt::format("{}/tenken-XXXXXX", set != nullptr ? set : "/tmp");
    if (::mkdtemp(path.data()) == nullptr) return from_errno(errno, path);
    return PrivateDirectory(std::move(path));
  }
  PrivateDirectory(PrivateDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateDirectory& operator=(PrivateDirectory&&) = delete;
  ~PrivateDirectory() {
    if (path_.empty()) return;
    // Nothing can be done about a temporary file that stays.
    for (const std::string_view suffix : {"", "-wal", "-shm", "-journal"})
      ::unlink(fmt::format("{}{}", database(), suffix).c_str());
    ::rmdir(path_.c_str());
  }
  std::string database() const { return path_ + "/rpmdb.sqlite"; }

 private:
  explicit PrivateDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<> copy(const File& file, const std::string& target) {
  const Fd out(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out.valid()) return from_errno(errno, target);
  off_t offset = 0;
  while (offset < file.state.size) {
    const auto rest = static_cast<std::size_t>(file.state.size - offset);
    const auto count = ::sendfile(out.get(), file.fd.get(), &offset, rest);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return from_errno(errno, target);
    if (count == 0) break;  // it has become shorter; the caller notices
  }
  return {};
}

Result<> read_once(const std::vector<File>& files,
                   const std::function<Result<>(const std::string&, SqliteAccess)>& read) {
  if (files.size() == 1)
    return read(fmt::format("/proc/self/fd/{}", files[0].fd.get()), SqliteAccess::immutable);
  if (files[0].state.size > max_copy_bytes - std::min(files[1].state.size, max_copy_bytes))
    return limit_exceeded("a database of more than 1 GB with a write-ahead log");
  TRY(const auto directory, PrivateDirectory::create());
  const auto target = directory.database();
  for (const auto& file : files) TRY_VOID(copy(file, fmt::format("{}{}", target, file.suffix)));
  return read(target, SqliteAccess::recover);
}

}  // namespace

Result<> with_sqlite_at_rest(
    const Root& root, std::string_view path,
    const std::function<Result<>(const std::string&, SqliteAccess)>& read) {
  for (int attempt = 0; attempt < max_attempts_at_rest; ++attempt) {
    TRY_VOID(check_journal(root, path));
    TRY(const auto files, open_files(root, path));
    auto result = read_once(files, read);
    TRY(const bool at_rest, unchanged(files));
    if (at_rest) return result;
  }
  return unavailable("it changes while it is read");
}

}  // namespace tenken::inventory
