#include "agent/collection.h"

#include <algorithm>
#include <memory>

#include "host/cloud.h"
#include "host/facts.h"
#include "host/report.h"
#include "inventory/inspect.h"

namespace tenken::agent {
namespace {

constexpr std::uint32_t cloud_limit_ms = 2'000;

}  // namespace

Collection::Collection(CollectionOptions options, inventory::Root root)
    : options_(std::move(options)),
      root_(std::move(root)),
      watch_(options_.rootfs.empty() ? "/" : options_.rootfs) {}

Result<std::unique_ptr<Collection>> Collection::open(CollectionOptions options) {
  TRY(auto root, inventory::Root::at(options.rootfs.empty() ? "/" : options.rootfs));
  return std::unique_ptr<Collection>(new Collection(std::move(options), std::move(root)));
}

void Collection::ask_cloud() {
  if (is_running_host() && host::may_be_cloud_instance())
    cloud_ = host::ask_cloud(options_.cloud, cloud_limit_ms);
}

// The stamps are taken before the databases are read: what changes meanwhile is seen at the next
// sweep.
Result<Observation> Collection::observe() {
  if (!read_ || watch_.changed()) {
    watch_.keep();
    TRY(inventory_,
        is_running_host() ? inventory::inspect_host() : inventory::inspect_root(options_.rootfs));
    outdated_packages_.forget();
    read_ = true;
  }
  auto facts = is_running_host() ? host::facts_of_host() : host::facts_of_root(root_);
  facts.cloud = cloud_;
  outdated_packages_.name(root_, facts.outdated);
  Observation out{
      .lines = {}, .packages = inventory_.packages.size(), .partial = !inventory_.skips.empty()};
  host::HostReport report{.inventory = std::move(inventory_), .facts = std::move(facts)};
  out.lines = host::report_lines(report);
  inventory_ = std::move(report.inventory);
  return out;
}

}  // namespace tenken::agent
