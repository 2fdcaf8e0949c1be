// Collection: the host, or a root directory, as the lines of a report. What is installed is read
// anew only where a file that says so changed; the facts of a running host are read each time.
//
// Errors: the root cannot be opened. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/watch.h"
#include "base/result.h"
#include "host/cloud.h"
#include "host/outdated_packages.h"
#include "inventory/inspect.h"
#include "inventory/root.h"
#include "model/host_facts.h"
#include "model/inventory.h"

namespace tenken::agent {

struct CollectionOptions {
  std::string rootfs;                          // empty: the host that runs
  std::string cloud = host::metadata_address;  // where the metadata service answers
  std::string sys = "/sys";                    // which tells whether there may be one
};

struct Observation {
  std::vector<std::string> lines;  // of a report
  std::size_t packages = 0;        // among them
  // Among them, those that say of a package database what may not hold when it is read again: it
  // may be in the middle of a change.
  std::vector<std::string> doubts;
  std::string unread;  // the first record or file that could not be read, why, and how many are;
                       // empty: all was read
  bool fresh = false;  // what is installed was read anew
};

class Collection {
 public:
  static Result<std::unique_ptr<Collection>> open(CollectionOptions options);

  Result<Observation> observe();
  // The next observation reads the databases anew.
  void forget() { read_ = false; }
  // Asks the cloud, which may take two seconds. False: it has not answered, and what it said before
  // holds. Observations have its answer from then on.
  bool ask_cloud();
  // What it said to an earlier process.
  void remember(CloudInstance cloud) { cloud_ = std::move(cloud); }
  // A package manager is at work.
  bool is_being_changed() const { return inventory::is_being_changed(root_); }

  // Tells hosts, starts of them, and what is installed on them from each other, as the watch keeps
  // it.
  std::string fingerprint() const;

  Watch& watch() { return watch_; }
  const inventory::Root& root() const { return root_; }
  const CloudInstance& cloud() const { return cloud_; }
  bool is_running_host() const { return options_.rootfs.empty(); }

 private:
  Collection(CollectionOptions options, inventory::Root root);

  CollectionOptions options_;
  inventory::Root root_;
  Watch watch_;
  CloudInstance cloud_;
  Inventory inventory_;
  host::OutdatedPackages outdated_packages_;
  bool read_ = false;  // the inventory, as far as the watch knows
};

}  // namespace tenken::agent
