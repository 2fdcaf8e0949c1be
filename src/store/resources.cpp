#include "store/resources.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "store/holders.h"
#include "store/interned.h"
#include "store/jobs.h"
#include "store/kept_details.h"
#include "store/matches.h"
#include "store/resource_packages.h"
#include "store/sql_text.h"
#include "version/parts.h"

namespace tenken::store {
namespace {

// Enough for every distinct package version of a large fleet; 24 bytes each.
constexpr std::size_t most_known_versions = 4'000'000;
constexpr std::size_t compared_at_once = 500;

std::string tags_document(const std::vector<std::pair<std::string, std::string>>& tags) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : tags) out.member(name, value);
  out.end_object();
  return out.take();
}

Result<> put_tags(sql::Connection& connection, ResourceId id,
                  std::span<const std::pair<std::string, std::string>> tags) {
  TRY(const auto removed,
      connection.run("DELETE FROM resource_tag WHERE resource_id = ?1", id.value));
  CHECK(removed >= 0);
  for (const auto& [name, value] : tags) {
    TRY(const auto added, connection.run("INSERT INTO resource_tag (resource_id, name, value) "
                                         "VALUES (?1, ?2, ?3) ON CONFLICT (resource_id, name) "
                                         "DO UPDATE SET value = excluded.value",
                                         id.value, name, value));
    CHECK(added == 1);
  }
  return {};
}

// As Inspector has it: an instance with this tag, whatever its value, is not scanned.
bool is_excluded(std::string_view type, std::span<const std::pair<std::string, std::string>> tags) {
  return type == "AWS_EC2_INSTANCE" && std::ranges::any_of(tags, [](const auto& tag) {
           return tag.first == "InspectorEc2Exclusion";
         });
}

constexpr std::string_view resource_statement =
    "INSERT INTO resource (resource_id, account_id, external_id, type, region, name, "
    "platform, details, tags, inventory_digest, inventory_complete, inventory_unknown, "
    "packages, coverage_status, coverage_reason, created_at, seen_at, changed_at, "
    "expires_at, agentless, running_known_at, repository, registry, image_hash, "
    "image_architecture, image_id, vpc_id, subnet_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
    "?8, ?9, ?10, ?11, ?12, ?13, ?26, ?27, ?14, ?14, ?14, ?15, ?16, ?17, ?19, ?20, ?21, ?22, "
    "?23, ?24, ?25) "
    "ON CONFLICT (resource_id) DO UPDATE SET type = excluded.type, "
    "region = excluded.region, name = excluded.name, platform = excluded.platform, "
    "details = excluded.details, tags = excluded.tags, "
    "inventory_digest = excluded.inventory_digest, "
    "inventory_complete = excluded.inventory_complete, "
    "inventory_unknown = excluded.inventory_unknown, packages = excluded.packages, "
    "seen_at = excluded.seen_at, changed_at = excluded.changed_at, "
    "expires_at = excluded.expires_at, agentless = excluded.agentless, "
    "repository = excluded.repository, registry = excluded.registry, "
    "image_architecture = excluded.image_architecture, image_id = excluded.image_id, "
    "vpc_id = excluded.vpc_id, subnet_id = excluded.subnet_id, "
    // One that knew counted until it was confirmed last, which is before now. Where none counts
    // any more, one that names some counts from here on.
    "running_known_at = CASE WHEN excluded.running_known_at > 0 "
    "THEN excluded.running_known_at WHEN resource.running_known_at = resource.changed_at "
    "AND resource.seen_at > ?18 THEN resource.seen_at - 1 "
    "WHEN resource.running_known_at > ?18 THEN resource.running_known_at ELSE ?28 END, "
    // One that was gone is back, one that was expected is there, one is excluded or no
    // longer.
    "coverage_status = CASE WHEN resource.coverage_reason IN ('RESOURCE_TERMINATED', "
    "'NO_INVENTORY', 'EXCLUDED_BY_TAG') OR excluded.coverage_reason = 'EXCLUDED_BY_TAG' "
    "THEN excluded.coverage_status ELSE resource.coverage_status END, "
    "coverage_reason = CASE WHEN resource.coverage_reason IN ('RESOURCE_TERMINATED', "
    "'NO_INVENTORY', 'EXCLUDED_BY_TAG') OR excluded.coverage_reason = 'EXCLUDED_BY_TAG' "
    "THEN excluded.coverage_reason ELSE resource.coverage_reason END "
    "WHERE resource.account_id = excluded.account_id "
    "AND resource.external_id = excluded.external_id";

Result<> put_resource(sql::Connection& connection, ResourceId id, const InventoryWrite& one) {
  const auto tags = tags_document(one.tags);
  const bool excluded = is_excluded(one.type, one.tags);
  TRY(const auto host, host_details(connection, id, one));
  const auto facts = facts_of(one.type, one.account, one.external_id, host.details);
  TRY(const auto written,
      connection.run(
          resource_statement, id.value, one.account, one.external_id, one.type, one.region,
          one.name, host.platform, host.details, tags, one.digest, std::int64_t{one.complete},
          one.unknown, static_cast<std::int64_t>(one.packages.size()), one.received, one.expires,
          std::int64_t{one.agentless}, one.knows_running ? one.received : 0,
          one.received - running_is_kept, facts.repository, facts.registry, facts.image_hash,
          facts.image_architecture, facts.image_id, facts.vpc_id, facts.subnet_id,
          excluded ? "INACTIVE" : "ACTIVE", excluded ? "EXCLUDED_BY_TAG" : "PENDING_INITIAL_SCAN",
          one.running.empty() ? 0 : one.received));
  if (written != 1)
    return Error{Errc::conflict,
                 fmt::format("resource {}: its id is taken by another resource", one.external_id)};
  return put_tags(connection, id, one.tags);
}

// Where it is another number than the inventory's.
Result<> put_package_count(sql::Connection& connection, ResourceId id, std::int64_t packages) {
  TRY_VOID(connection.run("UPDATE resource SET packages = ?2 WHERE resource_id = ?1", id.value,
                          packages));
  return {};
}

using VersionsById = std::map<std::int64_t, const InstalledPackage*>;

Error is_taken(const InstalledPackage& one) {
  const auto& package = one.version.package;
  return {Errc::conflict, fmt::format("package {} {}: its id is taken by another package version",
                                      printable(package.name), printable(package.version))};
}

// Those that the store has must be the ones that are meant.
Result<> compare_with_stored(sql::Connection& connection, const VersionsById& versions) {
  auto next = versions.begin();
  while (next != versions.end()) {
    SqlText sql;
    std::vector<std::string> ids;
    for (; next != versions.end() && ids.size() < compared_at_once; ++next)
      ids.push_back(sql.bind(next->first));
    sql.add(fmt::format("SELECT {} FROM package_version WHERE package_version_id IN ({})",
                        package_version_columns, fmt::join(ids, ", ")));
    TRY(auto rows, connection.query(sql.text(), sql.values()));
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      const auto& meant = *versions.at(row->integer(0));
      if (package_version_hash(read_package_version(*row)) != meant.hash) return is_taken(meant);
    }
  }
  return {};
}

Result<> intern(sql::Connection& connection, const VersionsById& versions) {
  if (versions.empty()) return {};
  TRY(auto bulk,
      connection.bulk({.table = "package_version",
                       .columns = {"package_version_id", "ecosystem", "release", "kind", "name",
                                   "version", "arch", "source_name", "source_version",
                                   "module_label", "vendor", "purl", "host_state", "advisory_name",
                                   "epoch", "upstream_version", "upstream_release"},
                       .ignore_existing = true}));
  for (const auto& [id, package] : versions) {
    const auto& version = package->version;
    const auto& p = version.package;
    const auto parts = version::split_version(p.kind, p.version);
    const sql::Value row[] = {id,
                              p.ecosystem,
                              p.release,
                              p.kind,
                              p.name,
                              p.version,
                              p.arch,
                              p.source_name,
                              p.source_version,
                              p.module_label,
                              p.vendor,
                              p.purl,
                              version.host_state,
                              version.advisory_name,
                              parts.epoch,
                              parts.version,
                              parts.release};
    TRY_VOID(bulk->add(row));
  }
  TRY(const auto added, bulk->finish());
  if (added == std::ssize(versions)) return {};
  return compare_with_stored(connection, versions);
}

}  // namespace

void KnownVersions::insert(const PackageVersionHash& version) {
  if (rests_.size() >= most_known_versions) rests_.clear();
  rests_[version.id.value] = version.rest;
}

namespace {

// Writes the reports and drops the inventories of those that come too late.
Result<> put_reports(sql::Connection& connection,
                     std::map<std::int64_t, const InventoryWrite*>& by_id) {
  for (auto at = by_id.begin(); at != by_id.end();) {
    const auto& inventory = *at->second;
    bool newest = true;
    if (inventory.report) {
      TRY(newest, put_report(connection, {at->first}, *inventory.report, inventory.received));
    }
    at = newest ? std::next(at) : by_id.erase(at);
  }
  return {};
}

}  // namespace

Result<InventoriesWritten> put_inventories(sql::Connection& connection,
                                           std::span<const InventoryWrite* const> inventories,
                                           const KnownVersions& known) {
  std::map<std::int64_t, const InventoryWrite*> by_id;
  for (const auto* one : inventories)
    by_id[resource_id(one->account, one->external_id).value] = one;
  if (by_id.size() != inventories.size())
    return Error{Errc::conflict, "two inventories of one resource, or an id that two share"};
  VersionsById versions;
  InventoriesWritten out;
  TRY_VOID(lock_interned(connection, Sharing::shared));
  TRY(out.epoch, interned_epoch(connection));
  TRY_VOID(put_reports(connection, by_id));
  const bool still_known = known.epoch() == out.epoch;
  for (const auto& [id, inventory] : by_id) {
    for (const auto& package : inventory->packages) {
      if (still_known && known.contains(package.hash)) continue;
      const auto [at, fresh] = versions.emplace(package.hash.id.value, &package);
      if (!fresh && at->second->hash != package.hash) return is_taken(package);
    }
  }
  // Package versions before resources: the order in which evaluation locks them.
  TRY_VOID(intern(connection, versions));
  std::vector<NewPackage> fresh;
  for (const auto& [id, inventory] : by_id) {
    TRY_VOID(put_resource(connection, {id}, *inventory));
    TRY(const auto packages, put_difference(connection, {id}, *inventory, fresh));
    if (packages != std::ssize(inventory->packages))
      TRY_VOID(put_package_count(connection, {id}, packages));
    TRY_VOID(enqueue(connection, "evaluate", fmt::format("{}", id), inventory->digest,
                     inventory->received));
    out.resources.push_back({id});
  }
  TRY_VOID(add_packages(connection, fresh));
  for (const auto& [id, package] : versions) out.interned.push_back(package->hash);
  return out;
}

Result<ResourceId> put_resource_without_inventory(sql::Connection& connection,
                                                  const ResourceWithoutInventory& resource,
                                                  Seconds now) {
  const auto id = resource_id(resource.account, resource.external_id);
  const auto tags = tags_document(resource.tags);
  TRY(const auto written,
      connection.run("INSERT INTO resource (resource_id, account_id, external_id, type, region, "
                     "name, tags, created_at, seen_at, changed_at) VALUES (?1, ?2, ?3, "
                     "'AWS_EC2_INSTANCE', ?4, ?5, ?6, ?7, ?7, ?7) "
                     "ON CONFLICT (resource_id) DO UPDATE SET tags = excluded.tags "
                     "WHERE resource.account_id = excluded.account_id "
                     "AND resource.external_id = excluded.external_id",
                     id.value, resource.account, resource.external_id, resource.region,
                     resource.name, tags, now));
  if (written != 1)
    return Error{Errc::conflict, fmt::format("resource {}: its id is taken by another resource",
                                             resource.external_id)};
  TRY_VOID(put_tags(connection, id, resource.tags));
  return id;
}

Result<std::optional<ResourceId>> confirm_inventory(sql::Connection& connection,
                                                    const Confirmation& confirmation) {
  const auto id = resource_id(confirmation.account, confirmation.external_id);
  const auto tags = tags_document(confirmation.tags);
  TRY(const auto changed,
      connection.run("UPDATE resource SET seen_at = ?2, expires_at = ?3 WHERE resource_id = ?1 "
                     "AND account_id = ?4 AND inventory_digest = ?5 AND type = ?6 AND tags = ?7 "
                     "AND agentless = ?8 AND (running_known_at IN (0, changed_at) "
                     "OR running_known_at > ?9) "
                     "AND CASE WHEN coverage_reason = 'EXCLUDED_BY_TAG' THEN 1 ELSE 0 END = ?10",
                     id.value, confirmation.received, confirmation.expires, confirmation.account,
                     confirmation.digest, confirmation.type, tags,
                     std::int64_t{confirmation.agentless}, confirmation.received - running_is_kept,
                     std::int64_t{is_excluded(confirmation.type, confirmation.tags)}));
  if (changed == 0) return std::optional<ResourceId>();
  return std::optional(id);
}

Result<std::string> resource_name(sql::Connection& connection, ResourceId resource) {
  TRY(auto name, connection.one_text("SELECT external_id || ' of ' || account_id FROM resource "
                                     "WHERE resource_id = ?1",
                                     resource.value));
  return std::move(name).value_or(std::to_string(resource.value));
}

Result<bool> terminate_resource(sql::Connection& connection, ResourceId resource, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE resource SET coverage_status = 'INACTIVE', "
                     "coverage_reason = 'RESOURCE_TERMINATED', inventory_digest = '', "
                     "changed_at = ?2, expires_at = 0 "
                     "WHERE resource_id = ?1 AND coverage_reason <> 'RESOURCE_TERMINATED'",
                     resource.value, now));
  if (changed == 1) TRY_VOID(forget_running(connection, resource));
  return changed == 1;
}

namespace {

template <typename Id, typename... Values>
Result<std::vector<Id>> read_ids(sql::Connection& connection, std::string_view sql,
                                 const Values&... values) {
  TRY(auto rows, connection.query(sql, values...));
  std::vector<Id> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({row->integer(0)});
  }
}

}  // namespace

Result<std::vector<ResourceId>> expired_resources(sql::Connection& connection, Seconds now,
                                                  std::int64_t limit) {
  return read_ids<ResourceId>(connection,
                              "SELECT resource_id FROM resource WHERE expires_at > 0 "
                              "AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
                              now, limit);
}

Result<std::vector<std::pair<ResourceId, std::string>>> confirmed_resources(
    sql::Connection& connection, Seconds since, std::int64_t limit) {
  TRY(auto rows, connection.query("SELECT resource_id, inventory_digest FROM resource "
                                  "WHERE coverage_reason IN ('SUCCESSFUL', 'UNSUPPORTED_OS') "
                                  "AND seen_at >= evaluated_at + ?1 ORDER BY evaluated_at LIMIT ?2",
                                  since, limit));
  std::vector<std::pair<ResourceId, std::string>> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.emplace_back(ResourceId{row->integer(0)}, row->string(1));
  }
}

Result<bool> expire_resource(sql::Connection& connection, ResourceId resource, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE resource SET coverage_status = 'INACTIVE', "
                     "coverage_reason = 'RESOURCE_TERMINATED', inventory_digest = '', "
                     "changed_at = ?2, expires_at = 0 "
                     "WHERE resource_id = ?1 AND expires_at > 0 AND expires_at <= ?2",
                     resource.value, now));
  if (changed == 1) TRY_VOID(forget_running(connection, resource));
  return changed == 1;
}

Result<std::vector<ResourceId>> gone_resources(sql::Connection& connection, Seconds before,
                                               ResourceId after, std::int64_t limit) {
  return read_ids<ResourceId>(
      connection,
      "SELECT resource_id FROM resource WHERE coverage_reason = 'RESOURCE_TERMINATED' "
      "AND changed_at < ?1 AND resource_id > ?2 AND NOT EXISTS (SELECT 1 FROM finding f "
      "WHERE f.resource_id = resource.resource_id) ORDER BY resource_id LIMIT ?3",
      before, after.value, limit);
}

// The row goes first: a report that comes at the same time waits for it, and begins anew.
Result<bool> forget_resource(sql::Connection& connection, ResourceId resource, Seconds before) {
  TRY(const auto removed,
      connection.run("DELETE FROM resource WHERE resource_id = ?1 "
                     "AND coverage_reason = 'RESOURCE_TERMINATED' AND changed_at < ?2",
                     resource.value, before));
  if (removed == 0) return false;
  TRY_VOID(note_gone(connection, resource));
  for (const auto* table : {"resource_tag", "resource_package", "agent_report"}) {
    TRY(const auto rows, connection.run(fmt::format("DELETE FROM {} WHERE resource_id = ?1", table),
                                        resource.value));
    CHECK(rows >= 0);
  }
  return true;
}

namespace {

// A condition on a package version, under lock_interned: whoever asks brings the holders in first.
std::string is_held(sql::Engine engine, std::string_view version) {
  return fmt::format("EXISTS (SELECT 1 FROM {} h WHERE h.package_version_id = {})", holders(engine),
                     version);
}

}  // namespace

Result<> mark_unused_versions(sql::Connection& connection, Seconds now) {
  TRY_VOID(bring_in_holders(connection));
  const auto in_use = is_held(connection.engine(), "package_version.package_version_id");
  TRY(const auto again, connection.run(fmt::format("UPDATE package_version SET unused_since = 0 "
                                                   "WHERE unused_since > 0 AND {}",
                                                   in_use)));
  TRY(const auto unused, connection.run(fmt::format("UPDATE package_version SET unused_since = ?1 "
                                                    "WHERE unused_since = 0 AND NOT {}",
                                                    in_use),
                                        now));
  CHECK(again >= 0 && unused >= 0);
  return {};
}

Result<std::vector<PackageVersionId>> unused_versions(sql::Connection& connection, Seconds before,
                                                      PackageVersionId after, std::int64_t limit) {
  return read_ids<PackageVersionId>(
      connection,
      "SELECT package_version_id FROM package_version WHERE unused_since > 0 "
      "AND unused_since < ?1 AND package_version_id > ?2 ORDER BY package_version_id LIMIT ?3",
      before, after.value, limit);
}

Result<bool> remove_unused_version(sql::Connection& connection, PackageVersionId version) {
  TRY_VOID(bring_in_holders(connection));
  TRY(const auto removed,
      connection.run(fmt::format("DELETE FROM package_version WHERE package_version_id = ?1 "
                                 "AND unused_since > 0 AND NOT {}",
                                 is_held(connection.engine(), "?1")),
                     version.value));
  if (removed == 0) return false;
  TRY_VOID(remove_matches(connection, version));
  return true;
}

}  // namespace tenken::store
