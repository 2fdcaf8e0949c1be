#include "store/kept_packages.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <tuple>

#include "base/text.h"

namespace tenken::store {
namespace {

// Of which several versions may be installed at once: all that no package manager of the system
// owns, and the kernels that rpm puts beside one another.
bool may_coexist(std::string_view kind, std::string_view name) {
  if (kind != "rpm") return kind != "deb" && kind != "apk";
  constexpr std::array<std::string_view, 6> replaced{"-tools", "-headers", "-macros",
                                                     "-doc",   "-abi-",    "-firmware"};
  return name.starts_with("kernel") &&
         std::ranges::none_of(replaced, [&](auto part) { return name.contains(part); });
}

// The packages that an incomplete inventory names, and the places of those that may coexist. One
// without a version could not be read, and takes no place.
class NamedPackages {
 public:
  explicit NamedPackages(std::span<const InstalledPackage> packages) {
    for (const auto& one : packages) {
      const auto& p = one.version.package;
      if (p.version.empty()) continue;
      auto& named = named_[{p.kind, p.name, p.arch}];
      named.versions.insert(p.version);
      for (const auto place : split(one.location, '\n')) named.places.insert(place);
    }
  }
  // Whether they come instead of a version that was at those places, each on a line; or are the
  // same: a kernel that ran and no longer does is another row.
  bool replace(const Package& package, std::string_view places) const {
    const auto found = named_.find({package.kind, package.name, package.arch});
    if (found == named_.end() || !may_coexist(package.kind, package.name))
      return found != named_.end();
    const auto& named = found->second;
    if (places.empty()) return package.kind == "rpm" && named.versions.contains(package.version);
    return std::ranges::all_of(
        split(places, '\n'), [&](std::string_view place) { return named.places.contains(place); });
  }

 private:
  struct Named {
    std::set<std::string_view> versions;
    std::set<std::string_view> places;
  };
  using Name = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Name, Named> named_;
};

}  // namespace

Result<std::set<std::int64_t>> kept_packages(sql::Connection& connection, ResourceId id,
                                             const InventoryWrite& inventory) {
  std::set<std::int64_t> out;
  if (inventory.complete) return out;
  const NamedPackages named(inventory.packages);
  TRY(auto rows, connection.query("SELECT p.package_version_id, p.kind, p.name, p.arch, p.version, "
                                  "r.location FROM resource_package r JOIN package_version p "
                                  "ON p.package_version_id = r.package_version_id "
                                  "WHERE r.resource_id = ?1 AND r.running = ''",
                                  id.value));
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    const Package package{.kind = row->string(1),
                          .name = row->string(2),
                          .version = row->string(4),
                          .arch = row->string(3)};
    if (!named.replace(package, row->text(5))) out.insert(row->integer(0));
  }
}

}  // namespace tenken::store
