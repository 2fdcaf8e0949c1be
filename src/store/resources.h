// Resources and the package versions that they have: the tables resource, resource_tag and
// package_version. Which of them has which is written by resource_packages.h.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/finding.h"
#include "sql/sql.h"
#include "store/agents.h"
#include "store/ids.h"
#include "store/resource_facts.h"

namespace tenken::store {

struct InstalledPackage {
  explicit InstalledPackage(PackageVersion of, std::string at = "")
      : hash(package_version_hash(of)), version(std::move(of)), location(std::move(at)) {}
  PackageVersionHash hash;
  PackageVersion version;
  std::string location;
};

// A package of which processes run files that were replaced.
struct RunningPackage {
  std::string name;
  std::string files;      // their paths as they were, each on a line
  std::string processes;  // JSON: [{"executable", "pids"}]
};

// A report that does not know the processes keeps what one before it knew for so long.
inline constexpr Seconds running_is_kept = 7 * 86'400;

// One acknowledged inventory.
struct InventoryWrite {
  std::string account;
  std::string external_id;
  std::string type;  // "AWS_EC2_INSTANCE", …
  std::string region;
  std::string name;
  std::string platform;  // "ALMALINUX_9"
  std::string details;   // JSON: what resources[].details is made from
  std::vector<std::pair<std::string, std::string>> tags;
  std::string digest;  // of the bytes that were sent
  // False where a part of the host could not be read: what was known of that part stays.
  bool complete = true;
  std::string unknown = "[]";  // JSON: what could not be read, with reasons
  Seconds received = 0;
  Seconds expires = 0;     // 0: never
  bool agentless = false;  // fetched from the host by somebody else
  std::vector<InstalledPackage> packages;
  // By name, each once. A version of such a package that is installed no longer stays with the
  // resource, as running.
  std::vector<RunningPackage> running;
  // False: what ran before and is not named still does, for running_is_kept.
  bool knows_running = false;
  // Of an agent: stored with the inventory, or neither of them.
  std::optional<ReportWrite> report;
};

// Package versions this process knows to be in the store, so that they are not offered again.
class KnownVersions {
 public:
  bool contains(const PackageVersionHash& version) const {
    const auto at = rests_.find(version.id.value);
    return at != rests_.end() && at->second == version.rest;
  }
  void insert(const PackageVersionHash& version);
  void clear() { rests_.clear(); }
  // The store's epoch (store/interned.h) at which they were there; at another all are forgotten.
  std::int64_t epoch() const { return epoch_; }
  void move_to(std::int64_t epoch) {
    if (epoch != epoch_) rests_.clear();
    epoch_ = epoch;
  }

 private:
  std::int64_t epoch_ = 0;
  std::unordered_map<std::int64_t, std::uint64_t> rests_;  // PackageVersionHash::rest, by id
};

// Writes them all, each of another resource, and leaves an evaluate job for each; not those whose
// report is older than the one that is there. known is brought up to date by the caller after the
// commit, from `interned`. Errors: conflict where an id is another's: nothing may be committed
// then.
struct InventoriesWritten {
  std::vector<PackageVersionHash> interned;
  std::int64_t epoch = 0;  // of interned
  std::vector<ResourceId> resources;
};
Result<InventoriesWritten> put_inventories(sql::Connection& connection,
                                           std::span<const InventoryWrite* const> inventories,
                                           const KnownVersions& known);

// A host that has an agent and has never reported: it is listed with NO_INVENTORY. One that is
// there stays as it is, but for its tags.
struct ResourceWithoutInventory {
  std::string account;
  std::string external_id;
  std::string region;
  std::string name;
  std::vector<std::pair<std::string, std::string>> tags;
};
Result<ResourceId> put_resource_without_inventory(sql::Connection& connection,
                                                  const ResourceWithoutInventory& resource,
                                                  Seconds now);

// What a resource says that reports again.
struct Confirmation {
  std::string account;
  std::string external_id;
  std::string type;
  std::vector<std::pair<std::string, std::string>> tags;
  std::string digest;
  Seconds received = 0;
  Seconds expires = 0;  // 0: never
  bool agentless = false;
};
// Notes that a resource reported again what it reported before, tags, type and way included.
// nullopt: it did not, is unknown, or has running packages that nobody knew of for
// running_is_kept: the whole inventory is needed.
Result<std::optional<ResourceId>> confirm_inventory(sql::Connection& connection,
                                                    const Confirmation& confirmation);

struct Resource {
  ResourceId id;
  std::string account;
  std::string external_id;
  std::string type;
  std::string region;
  std::string name;
  std::string platform;
  std::string details;
  std::string tags;  // JSON object
  std::string inventory_digest;
  bool inventory_complete = false;
  std::string inventory_unknown;
  std::int64_t packages = 0;
  std::string coverage_status;
  std::string coverage_reason;
  Seconds created = 0;
  Seconds seen = 0;
  Seconds changed = 0;
  Seconds evaluated = 0;
  Seconds expires = 0;
  ResourceFacts facts;
  std::string scan_mode;  // of lists of coverage only
};
// The columns in the order of Resource, for statements that read resources.
extern const std::string_view resource_columns;
Resource read_resource(const sql::Row& row, int first_column = 0);

Result<std::optional<Resource>> find_resource(sql::Connection& connection, std::string_view account,
                                              std::string_view external_id);

// Its name and account, "i-0a of 111122223333", for the log.
Result<std::string> resource_name(sql::Connection& connection, ResourceId resource);

// The resource is gone: nothing is said of it until it reports again. What was installed stays to
// be read, what ran does not. False: it was gone before.
Result<bool> terminate_resource(sql::Connection& connection, ResourceId resource, Seconds now);

// Resources that were seen so many seconds and more after their last evaluation, with the digest of
// their inventory; the longest ago evaluated first.
Result<std::vector<std::pair<ResourceId, std::string>>> confirmed_resources(
    sql::Connection& connection, Seconds since, std::int64_t limit);
// Resources whose time has passed, the longest ago first.
Result<std::vector<ResourceId>> expired_resources(sql::Connection& connection, Seconds now,
                                                  std::int64_t limit);
// The same as terminate_resource where its time has passed still. False: it reported again.
Result<bool> expire_resource(sql::Connection& connection, ResourceId resource, Seconds now);
// Resources that went before that time and have no findings, by id, those after `after`.
Result<std::vector<ResourceId>> gone_resources(sql::Connection& connection, Seconds before,
                                               ResourceId after, std::int64_t limit);
// Removes one of them with all it had. False: it is back, or gone since.
Result<bool> forget_resource(sql::Connection& connection, ResourceId resource, Seconds before);

// Notes which package versions no resource has, since now, and which are in use again.
Result<> mark_unused_versions(sql::Connection& connection, Seconds now);
// Those that are not in use since before that time, by id, those after `after`.
Result<std::vector<PackageVersionId>> unused_versions(sql::Connection& connection, Seconds before,
                                                      PackageVersionId after, std::int64_t limit);
// Removes one with its matches, under lock_interned. False: it is in use.
Result<bool> remove_unused_version(sql::Connection& connection, PackageVersionId version);

}  // namespace tenken::store
