// rpm: three formats of the database in three directories. var/lib/rpm is often a link to one of
// the others, so that a file is known by its device and inode.
#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "inventory/os_package_database.h"
#include "inventory/rpm_header.h"
#include "inventory/rpmdb.h"
#include "inventory/sqlite_snapshot.h"

namespace tenken::inventory {
namespace rpm_ {

constexpr std::size_t max_bytes = std::size_t{512} << 20;

VisitRpmHeader collect(PackageList& list) {
  return [&list](std::string_view blob, std::uint64_t number) -> Result<> {
    auto package = parse_rpm_header(blob);
    if (package) return list.add(*std::move(package));
    list.skip(fmt::format("header {}", number), package.error().what);
    return {};
  };
}

// What was read before an error stays; the error is a skip.
PackageList finish(PackageList list, const Result<>& read) {
  if (!read)
    list.skip("", fmt::format("the database is not read to its end: {}", read.error().what));
  return list;
}

PackageList read_sqlite(const Root& root, std::string_view path) {
  PackageList list(path);
  const auto read =
      with_sqlite_at_rest(root, path, [&](const std::string& file, SqliteAccess access) {
        list = PackageList(path);
        return read_rpmdb_sqlite(file, access, collect(list));
      });
  return finish(std::move(list), read);
}

template <Result<> (*read_format)(std::string_view, const VisitRpmHeader&)>
PackageList read_whole(const Root& root, std::string_view path) {
  PackageList list(path);
  const auto bytes = root.read(path, max_bytes);
  if (!bytes) return finish(std::move(list), Result<>(bytes.error()));
  const auto read = read_format(*bytes, collect(list));
  return finish(std::move(list), read);
}

struct Format {
  std::string_view file;
  PackageList (*read)(const Root& root, std::string_view path);
};
constexpr std::string_view directories[] = {"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"};
// The newest format first: a database that was converted may leave its old file behind.
constexpr Format formats[] = {{"rpmdb.sqlite", read_sqlite},
                              {"Packages.db", read_whole<read_rpmdb_ndb>},
                              {"Packages", read_whole<read_rpmdb_bdb>}};

using FileIdentity = std::pair<dev_t, ino_t>;

Result<FileIdentity> identify(const Root& root, std::string_view path) {
  TRY(const auto fd, root.open(path));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return from_errno(errno, path);
  return FileIdentity(status.st_dev, status.st_ino);
}

// The first database that lists packages is the system's. rpm's library leaves an empty
// rpmdb.sqlite wherever it looked in vain, so an empty one is passed over; it counts only where
// there is no other. A further one that holds anything is named, not read.
Result<PackageList> read(const Root& root) {
  std::optional<PackageList> chosen;
  std::set<FileIdentity> seen;
  for (const auto directory : directories) {
    for (const auto& format : formats) {
      const auto path = fmt::format("{}/{}", directory, format.file);
      const auto identity = identify(root, path);
      if (!identity && identity.error().code == Errc::not_found) continue;
      if (identity && !seen.insert(*identity).second) continue;
      if (!chosen) {
        chosen = format.read(root, path);
        continue;
      }
      auto other = format.read(root, path);
      if (chosen->packages().empty()) std::swap(*chosen, other);
      if (!other.packages().empty())
        chosen->skip(path, "a second package database, not counted");
      else
        for (const auto& skip : other.skips()) chosen->skip(path, skip.reason);
    }
  }
  if (!chosen) return not_found("no rpm database");
  return *std::move(chosen);
}

}  // namespace rpm_

extern constinit const OsPackageDatabase rpm{
    .id = "rpm",
    .kind = "rpm",
    .places =
        "rpmdb.sqlite, Packages.db, Packages (var/lib/rpm, usr/lib/sysimage/rpm, "
        "usr/share/rpm)",
    .read = rpm_::read,
};

}  // namespace tenken::inventory
