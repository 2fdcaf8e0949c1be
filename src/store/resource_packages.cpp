#include "store/resource_packages.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "store/holders.h"
#include "store/kept_packages.h"

namespace tenken::store {
namespace {

using Packages = std::vector<ResourcePackage>;  // each version once, in their order

// What the inventory says; a version that is installed twice has both places.
Packages wanted_packages(const InventoryWrite& inventory) {
  std::vector<const InstalledPackage*> sorted;
  sorted.reserve(inventory.packages.size());
  for (const auto& one : inventory.packages) sorted.push_back(&one);
  std::ranges::sort(sorted, {}, [](const auto* one) { return std::pair(one->hash.id, one); });
  Packages out;
  out.reserve(sorted.size());
  for (const auto* one : sorted) {
    if (out.empty() || out.back().version != one->hash.id.value)
      out.push_back({one->hash.id.value, one->location});
    else if (!one->location.empty())
      out.back().location += "\n" + one->location;
  }
  return out;
}

Result<Packages> present_packages(sql::Connection& connection, ResourceId id) {
  TRY(auto rows, connection.query("SELECT package_version_id, location, running "
                                  "FROM resource_package WHERE resource_id = ?1 "
                                  "ORDER BY package_version_id",
                                  id.value));
  Packages out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({row->integer(0), row->string(1), row->string(2)});
  }
}

const RunningPackage* find_running(const InventoryWrite& inventory, std::string_view name) {
  const auto at = std::ranges::lower_bound(inventory.running, name, {}, &RunningPackage::name);
  return at != inventory.running.end() && at->name == name ? &*at : nullptr;
}

// What runs by an earlier report that is not too old, where this one does not know.
Result<Packages> known_running(sql::Connection& connection, ResourceId id, const Packages& present,
                               const InventoryWrite& inventory) {
  Packages out;
  if (inventory.knows_running) return out;
  std::ranges::copy_if(present, std::back_inserter(out),
                       [](const ResourcePackage& one) { return !one.running.empty(); });
  if (out.empty()) return out;
  TRY(const auto known,
      connection.one_integer("SELECT running_known_at FROM resource WHERE resource_id = ?1",
                             id.value));
  // Nothing counts, or only what this one names: put_resource has just said so.
  if (known.value_or(0) == 0 || known == inventory.received) out.clear();
  return out;
}

// Of what is there and not wanted, what processes still run. By name: which of several earlier
// versions a process has, nobody can tell. What is kept as installed was not replaced; what could
// not be read has no version.
Result<Packages> still_running(sql::Connection& connection, ResourceId id, const Packages& present,
                               const InventoryWrite& inventory,
                               const std::set<std::int64_t>& kept) {
  TRY(auto out, known_running(connection, id, present, inventory));
  if (inventory.running.empty() || present.empty()) return out;
  TRY(auto rows, connection.query("SELECT p.package_version_id, p.name FROM resource_package r "
                                  "JOIN package_version p "
                                  "ON p.package_version_id = r.package_version_id "
                                  "WHERE r.resource_id = ?1 AND p.kind IN ('deb', 'rpm', 'apk') "
                                  "AND p.version <> ''",
                                  id.value));
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    const auto* running = find_running(inventory, row->text(1));
    if (running == nullptr || kept.contains(row->integer(0))) continue;
    std::erase_if(out, [&](const ResourcePackage& one) { return one.version == row->integer(0); });
    out.push_back({row->integer(0), running->files, running->processes});
  }
}

const ResourcePackage* find_version(const Packages& packages, std::int64_t version) {
  const auto at = std::ranges::lower_bound(packages, version, {}, &ResourcePackage::version);
  return at != packages.end() && at->version == version ? &*at : nullptr;
}

// What is installed comes before what runs.
void add_running(Packages& wanted, Packages running) {
  const auto installed = wanted.size();
  for (auto& one : running) {
    const std::span present(wanted.data(), installed);
    if (!std::ranges::binary_search(present, one.version, {}, &ResourcePackage::version))
      wanted.push_back(std::move(one));
  }
  std::ranges::sort(wanted, {}, &ResourcePackage::version);
}

Result<> remove_package(sql::Connection& connection, ResourceId id, std::int64_t version) {
  TRY(const auto removed, connection.run("DELETE FROM resource_package WHERE resource_id = ?1 "
                                         "AND package_version_id = ?2",
                                         id.value, version));
  CHECK(removed == 1);
  return {};
}

constexpr std::size_t most_places = 100;  // of a version that incomplete inventories name

// Where an incomplete inventory did not see a package it names, that may be all the same.
void keep_places(Packages& wanted, const Packages& present) {
  for (auto& one : wanted) {
    const auto* before = find_version(present, one.version);
    if (before == nullptr || before->location.empty()) continue;
    auto places = split(one.location, '\n');
    for (const auto place : split(before->location, '\n')) {
      if (std::ranges::find(places, place) == places.end()) places.push_back(place);
    }
    std::erase(places, std::string_view());
    places.resize(std::min(places.size(), most_places));
    std::ranges::sort(places);
    one.location = fmt::format("{}", fmt::join(places, "\n"));
  }
}

}  // namespace

Result<std::int64_t> put_difference(sql::Connection& connection, ResourceId id,
                                    const InventoryWrite& inventory,
                                    std::vector<NewPackage>& fresh) {
  auto wanted = wanted_packages(inventory);
  TRY(const auto present, present_packages(connection, id));
  if (!inventory.complete) keep_places(wanted, present);
  TRY(const auto kept, kept_packages(connection, id, inventory));
  TRY(auto running, still_running(connection, id, present, inventory, kept));
  add_running(wanted, std::move(running));
  const auto is_installed = [](const ResourcePackage& one) { return one.running.empty(); };
  auto installed = std::ranges::count_if(wanted, is_installed);
  for (const auto& one : present) {
    const auto* again = find_version(wanted, one.version);
    const bool stays = again == nullptr && kept.contains(one.version);
    if (stays && is_installed(one)) ++installed;
    if (again != nullptr ? *again == one : stays) continue;
    TRY_VOID(remove_package(connection, id, one.version));
    if (again == nullptr) TRY_VOID(note_lost(connection, id, {one.version}));
  }
  std::vector<std::int64_t> gained;
  for (auto& one : wanted) {
    const auto* before = find_version(present, one.version);
    if (before == nullptr) gained.push_back(one.version);
    if (before == nullptr || *before != one) fresh.push_back({id, std::move(one)});
  }
  TRY_VOID(note_gained(connection, id, gained));
  return installed;
}

Result<> add_packages(sql::Connection& connection, std::span<const NewPackage> packages) {
  if (packages.empty()) return {};
  TRY(auto bulk,
      connection.bulk({.table = "resource_package",
                       .columns = {"resource_id", "package_version_id", "location", "running"}}));
  for (const auto& [resource, package] : packages) {
    const sql::Value values[] = {resource.value, package.version,
                                 std::string_view(package.location),
                                 std::string_view(package.running)};
    TRY_VOID(bulk->add(values));
  }
  TRY(const auto added, bulk->finish());
  CHECK(added == static_cast<std::int64_t>(packages.size()));
  return {};
}

Result<> forget_running(sql::Connection& connection, ResourceId resource) {
  TRY(const auto present, present_packages(connection, resource));
  for (const auto& one : present) {
    if (one.running.empty()) continue;
    TRY_VOID(remove_package(connection, resource, one.version));
    TRY_VOID(note_lost(connection, resource, {one.version}));
  }
  return {};
}

}  // namespace tenken::store
