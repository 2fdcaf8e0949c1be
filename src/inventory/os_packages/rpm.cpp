// rpm: three formats of the database in three directories. var/lib/rpm is often a link to one of
// the others, so that a file is known by its device and inode.
#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "inventory/byte_window.h"
#include "inventory/os_package_database.h"
#include "inventory/rpm_header.h"
#include "inventory/rpmdb.h"
#include "inventory/sqlite_snapshot.h"

namespace tenken::inventory {
namespace rpm_ {

constexpr std::size_t max_bytes = std::size_t{512} << 20;

VisitRpmHeader collect_in(PackageList& list) {
  return [&list](std::string_view blob, std::uint64_t number) -> Result<> {
    auto package = parse_rpm_header(blob);
    if (package) return list.add(*std::move(package));
    list.skip(fmt::format("header {}", number), package.error().what);
    return {};
  };
}

Result<> visit_sqlite(const Root& root, std::string_view path, const std::function<void()>& begin,
                      const VisitRpmHeader& visit) {
  return with_sqlite_at_rest(root, path, [&](const std::string& file, SqliteAccess access) {
    begin();
    return read_rpmdb_sqlite(file, access, visit);
  });
}

template <Result<> (*read_format)(const ByteWindow&, const VisitRpmHeader&)>
Result<> visit_file(const Root& root, std::string_view path, const std::function<void()>& begin,
                    const VisitRpmHeader& visit) {
  return with_file_at_rest(root, path, max_bytes, [&](const ByteWindow& bytes) {
    begin();
    return read_format(bytes, visit);
  });
}

struct Format {
  std::string_view file;
  // Visits anew where the database changed while it was read; begin is called before each time.
  Result<> (*visit)(const Root& root, std::string_view path, const std::function<void()>& begin,
                    const VisitRpmHeader& visit);
};
constexpr std::string_view directories[] = {"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"};
// The newest format first: a database that was converted may leave its old file behind.
constexpr Format formats[] = {{"rpmdb.sqlite", visit_sqlite},
                              {"Packages.db", visit_file<read_rpmdb_ndb>},
                              {"Packages", visit_file<read_rpmdb_bdb>}};

// SQLite's file with what stands beside it.
constexpr std::string_view files[] = {"var/lib/rpm/rpmdb.sqlite",
                                      "var/lib/rpm/rpmdb.sqlite-wal",
                                      "var/lib/rpm/rpmdb.sqlite-journal",
                                      "var/lib/rpm/Packages.db",
                                      "var/lib/rpm/Packages",
                                      "usr/lib/sysimage/rpm/rpmdb.sqlite",
                                      "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
                                      "usr/lib/sysimage/rpm/rpmdb.sqlite-journal",
                                      "usr/lib/sysimage/rpm/Packages.db",
                                      "usr/lib/sysimage/rpm/Packages",
                                      "usr/share/rpm/rpmdb.sqlite",
                                      "usr/share/rpm/rpmdb.sqlite-wal",
                                      "usr/share/rpm/rpmdb.sqlite-journal",
                                      "usr/share/rpm/Packages.db",
                                      "usr/share/rpm/Packages"};

constexpr std::string_view locks[] = {"var/lib/rpm/.rpm.lock", "usr/lib/sysimage/rpm/.rpm.lock"};

// What was read before an error stays; the error is a skip.
PackageList collect(const Format& format, const Root& root, std::string_view path) {
  PackageList list(path);
  const auto read = format.visit(root, path, [&] { list = PackageList(path); }, collect_in(list));
  if (!read)
    list.skip_unsettled("",
                        fmt::format("the database is not read to its end: {}", read.error().what));
  return list;
}

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
        chosen = collect(format, root, path);
        continue;
      }
      auto other = collect(format, root, path);
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

// Wherever there is a database: a copy of one says the same.
void list_files(const Root& root, FileOwners& query) {
  const auto visit = [&query](std::string_view blob, std::uint64_t) -> Result<> {
    // A header that is no package has no files either.
    [[maybe_unused]] const auto listed = list_rpm_files(blob, query);
    return {};
  };
  for (const auto directory : directories) {
    for (const auto& format : formats) {
      // What stands before a fault counts.
      [[maybe_unused]] const auto read =
          format.visit(root, fmt::format("{}/{}", directory, format.file), [] {}, visit);
    }
  }
}

}  // namespace rpm_

extern constinit const OsPackageDatabase rpm{
    .id = "rpm",
    .kind = "rpm",
    .places =
        "rpmdb.sqlite, Packages.db, Packages (var/lib/rpm, usr/lib/sysimage/rpm, "
        "usr/share/rpm)",
    .files = rpm_::files,
    .locks = rpm_::locks,
    .read = rpm_::read,
    .list_files = rpm_::list_files,
};

}  // namespace tenken::inventory
