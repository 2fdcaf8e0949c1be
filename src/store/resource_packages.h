// What is installed on a resource, and what is not and still runs: the table resource_package (and
// who holds a package version: holders.h). It is written by its difference, so that an inventory
// like the last costs what changed. What an incomplete inventory says nothing of stays
// (kept_packages.h).
//
// Errors: those of the engine. Thread rule: functions over the caller's connection, inside the
// caller's transaction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/sql.h"
#include "store/ids.h"
#include "store/resources.h"

namespace tenken::store {

// A row of the table.
struct ResourcePackage {
  std::int64_t version = 0;
  std::string location;
  std::string running = {};  // the processes; empty: it is installed
  bool operator==(const ResourcePackage&) const = default;
};
struct NewPackage {
  ResourceId resource;
  ResourcePackage package;
};

// Removes what is gone and collects what is new. Answers how many packages are installed: what the
// inventory names, each once, and what stays beside it.
Result<std::int64_t> put_difference(sql::Connection& connection, ResourceId id,
                                    const InventoryWrite& inventory,
                                    std::vector<NewPackage>& fresh);
// Those that were collected, of any number of resources.
Result<> add_packages(sql::Connection& connection, std::span<const NewPackage> packages);

// Processes end with their host.
Result<> forget_running(sql::Connection& connection, ResourceId resource);

}  // namespace tenken::store
