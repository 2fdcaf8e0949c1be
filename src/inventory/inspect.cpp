#include "inventory/inspect.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <span>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json.h"
#include "inventory/distributions.h"
#include "inventory/os_package_database.h"
#include "inventory/os_release.h"
#include "inventory/root.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t few_packages = 5;  // that may go at once

// Packages belong to the distribution only if they are of its kind: dpkg on an rpm distribution
// installs packages that its advisories do not speak of.
bool is_of_distribution(const Inventory& inventory, std::string_view kind) {
  const auto* distribution = find_distribution(inventory.os.id);
  return distribution != nullptr && distribution->kind == kind;
}

void add_packages(PackageList list, std::string_view kind, Inventory& inventory) {
  auto packages = list.take_packages();
  if (is_of_distribution(inventory, kind)) {
    for (auto& package : packages) {
      package.ecosystem = inventory.os.ecosystem;
      package.release = inventory.os.release;
    }
  }
  std::ranges::move(list.take_skips(), std::back_inserter(inventory.skips));
  if (inventory.packages.empty()) {
    inventory.packages = std::move(packages);
    return;
  }
  std::ranges::move(packages, std::back_inserter(inventory.packages));
}

void read_packages(const Root& root, Inventory& inventory) {
  bool found = false;
  std::string places;
  std::vector<std::pair<PackageList, std::string_view>> empty;
  for (const auto* database : os_package_databases()) {
    fmt::format_to(std::back_inserter(places), "{}{}", places.empty() ? "" : ", ",
                   database->places);
    auto list = database->read(root);
    if (!list && list.error().code == Errc::not_found) continue;
    found = true;
    if (list) {
      // One that gives faults and no package has told nothing.
      if (!list->packages().empty() || list->skips().empty()) ++inventory.databases_read;
      if (list->packages().empty() && list->skips().empty())
        empty.emplace_back(*std::move(list), database->kind);
      else
        add_packages(*std::move(list), database->kind, inventory);
    } else {
      inventory.skips.push_back({.file = std::string(database->id),
                                 .record = "",
                                 .reason = list.error().what,
                                 .may_pass = list.error().code != Errc::denied});
    }
  }
  for (auto& [list, kind] : empty) {
    // Tools leave one where the system has another kind of packages.
    const bool is_foreign =
        find_distribution(inventory.os.id) != nullptr && !is_of_distribution(inventory, kind);
    if (is_foreign && !inventory.packages.empty()) continue;
    list.skip("", "the package database lists no package");
    add_packages(std::move(list), kind, inventory);
  }
  if (!found)
    inventory.skips.push_back(
        {.file = "",
         .record = "",
         .reason = fmt::format("no package database: looked for {}", places)});
}

Inventory inspect(const Root& root, std::span<const Skip> unread = {}) {
  Inventory inventory;
  auto os_release = read_os_release(root, unread);
  inventory.os = std::move(os_release.os);
  inventory.skips = std::move(os_release.skips);
  read_packages(root, inventory);
  return inventory;
}

constexpr std::string_view ubuntu_pro_status = "var/lib/ubuntu-advantage/status.json";

// A host that is no Ubuntu has no such file.
void read_ubuntu_pro(const Root& root, Inventory& inventory) {
  constexpr auto path = ubuntu_pro_status;
  const auto attached = [&]() -> Result<bool> {
    TRY(const auto text, root.read(path, std::size_t{16} << 20));
    return parse_ubuntu_pro_status(text).within(path);
  }();
  if (attached)
    inventory.esm_attached = *attached;
  else if (attached.error().code != Errc::not_found)
    inventory.skips.push_back(
        {.file = std::string(path), .record = "", .reason = attached.error().what});
}

}  // namespace

Result<bool> parse_ubuntu_pro_status(std::string_view json) {
  json::Parser parser;
  TRY(const auto document, parser.parse(json));
  const auto attached = document["attached"].boolean();
  if (!attached) return invalid("does not say whether the host is attached");
  return *attached;
}

Result<Inventory> inspect_root(const std::string& directory) {
  TRY(const auto root, Root::at(directory));
  auto inventory = inspect(root);
  inventory.name = directory;
  return inventory;
}

Result<Inventory> inspect_host() {
  TRY(const auto root, Root::at("/"));
  auto inventory = inspect(root);
  inventory.target = Inventory::Target::host;
  utsname system{};
  if (::uname(&system) != 0) return from_errno(errno, "uname");
  inventory.name = system.nodename;
  inventory.running_kernel = system.release;
  read_ubuntu_pro(root, inventory);
  return inventory;
}

std::vector<std::string_view> inspected_files() {
  auto out = os_release_files();
  for (const auto* database : os_package_databases())
    out.insert(out.end(), database->files.begin(), database->files.end());
  out.push_back(ubuntu_pro_status);
  return out;
}

bool is_being_changed(const Root& root) {
  const auto held = [&](std::string_view path) {
    const auto file = root.open(path);
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return file && ::fcntl(file->get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  };
  return std::ranges::any_of(os_package_databases(), [&](const OsPackageDatabase* database) {
    return std::ranges::any_of(database->locks, held);
  });
}

// Its id alone says which database is the distribution's own; what the release is decides which
// advisories speak of the packages, not which packages there are.
bool hides_packages(const Skip& skip, const Inventory& inventory) {
  if (!skip.package.empty() || skip.file == ubuntu_pro_status) return false;
  const auto files = os_release_files();
  return inventory.os.id.empty() || std::ranges::find(files, skip.file) == files.end();
}

bool is_great_loss(std::size_t packages_before, std::size_t packages_now) {
  return packages_now + few_packages < packages_before &&
         packages_now < packages_before - packages_before / 10;
}

Result<Inventory> inspect_copy(const HostCopy& copy) {
  TRY(const auto root, Root::at(copy.directory));
  auto inventory = inspect(root, copy.skips);
  inventory.target = Inventory::Target::host;
  inventory.name = copy.name;
  inventory.running_kernel = copy.kernel;
  read_ubuntu_pro(root, inventory);
  inventory.skips.insert(inventory.skips.end(), copy.skips.begin(), copy.skips.end());
  return inventory;
}

}  // namespace tenken::inventory
