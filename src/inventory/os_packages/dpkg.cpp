// dpkg: Debian, Ubuntu and their kin; images built without dpkg (distroless) keep one file for
// each package in status.d.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "inventory/dpkg_status.h"
#include "inventory/os_package_database.h"

namespace tenken::inventory {
namespace dpkg_ {

constexpr std::string_view status = "var/lib/dpkg/status";
constexpr std::string_view status_directory = "var/lib/dpkg/status.d";
constexpr std::string_view updates = "var/lib/dpkg/updates";
constexpr std::string_view files[] = {status, "var/lib/dpkg/status.d/*", "var/lib/dpkg/updates/*"};
// apt's lock-frontend is held while it downloads, too.
constexpr std::string_view locks[] = {"var/lib/dpkg/lock"};
constexpr std::size_t max_bytes = std::size_t{256} << 20;

// One file that cannot be read does not hide the others.
Result<PackageList> read_directory(const Root& root) {
  PackageList all(status_directory);
  TRY(const auto names, root.list(status_directory));
  for (const auto& name : names) {
    if (name.ends_with(".md5sums")) continue;
    const auto path = fmt::format("{}/{}", status_directory, name);
    const auto text = root.read(path, max_bytes);
    if (!text) {
      all.skip(name, text.error().what);
      continue;
    }
    TRY(auto list, parse_dpkg_status(*text, path, DpkgLayout::single_file));
    if (list.packages().empty() && list.skips().empty()) all.skip(name, "no package in it");
    TRY_VOID(all.append(std::move(list)));
  }
  return all;
}

// While it runs, and after it was killed, dpkg keeps changes in numbered files until it merges them
// into status; what they say is not known here.
void note_updates(const Root& root, PackageList& list) {
  const auto names = root.list(updates);
  if (!names) {
    if (names.error().code != Errc::not_found) list.skip(updates, names.error().what);
    return;
  }
  const auto is_update = [](const std::string& name) { return parse_uint(name).has_value(); };
  const auto count = std::ranges::count_if(*names, is_update);
  if (count > 0)
    list.skip_unsettled(updates, fmt::format("changes that dpkg has not merged yet: {}", count));
}

Result<PackageList> read_status(const Root& root) {
  TRY(const auto text, root.read(status, max_bytes));
  TRY(auto list, parse_dpkg_status(text, status, DpkgLayout::database));
  note_updates(root, list);
  return list;
}

Result<PackageList> read(const Root& root) {
  auto main = read_status(root);
  auto directory = read_directory(root);
  const auto absent = [](const auto& part) {
    return !part && part.error().code == Errc::not_found;
  };
  if (absent(directory)) return main;
  if (absent(main)) return directory;
  PackageList all(status);
  for (auto* part : {&main, &directory}) {
    if (*part)
      TRY_VOID(all.append(std::move(**part)));
    else
      all.skip("", part->error().what);
  }
  return all;
}

// "libssl3:amd64.list" has the paths of libssl3, one a line.
void list_files(const Root& root, FileOwners& query) {
  constexpr std::string_view directory = "var/lib/dpkg/info";
  constexpr std::string_view suffix = ".list";
  const auto names = root.list(directory);
  if (!names) return;
  for (const std::string_view name : *names) {
    if (!name.ends_with(suffix)) continue;
    const auto text = root.read(fmt::format("{}/{}", directory, name), max_bytes);
    if (!text) continue;
    const auto package = split_once(name.substr(0, name.size() - suffix.size()), ':').first;
    for_each_line(*text, [&](std::string_view path) { query.add(path, package); });
  }
}

}  // namespace dpkg_

extern constinit const OsPackageDatabase dpkg{
    .id = "dpkg",
    .kind = "deb",
    .places = "var/lib/dpkg/status, var/lib/dpkg/status.d",
    .files = dpkg_::files,
    .locks = dpkg_::locks,
    .read = dpkg_::read,
    .list_files = dpkg_::list_files,
};

}  // namespace tenken::inventory
