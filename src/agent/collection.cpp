#include "agent/collection.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "host/cloud.h"
#include "host/facts.h"
#include "host/report.h"

namespace tenken::agent {
namespace {

constexpr std::uint32_t cloud_limit_ms = 2'000;
constexpr const char* boot_id = "/proc/sys/kernel/random/boot_id";
constexpr std::size_t longest_boot_id = 64;

// "var/lib/dpkg/status: package 3: no version (and 2 more)"
std::string text_of(const std::vector<Skip>& skips) {
  if (skips.empty()) return {};
  const auto& first = skips.front();
  auto out = first.file;
  for (const auto* part : {&first.record, &first.reason})
    if (!part->empty()) out += ": " + *part;
  if (skips.size() > 1) out += fmt::format(" (and {} more)", skips.size() - 1);
  return printable(out);
}

}  // namespace

Collection::Collection(CollectionOptions options, inventory::Root root)
    : options_(std::move(options)),
      root_(std::move(root)),
      watch_(options_.rootfs.empty() ? "/" : options_.rootfs, root_, inventory::inspected_files()) {
}

Result<std::unique_ptr<Collection>> Collection::open(CollectionOptions options) {
  TRY(auto root, inventory::Root::at(options.rootfs.empty() ? "/" : options.rootfs));
  return std::unique_ptr<Collection>(new Collection(std::move(options), std::move(root)));
}

bool Collection::ask_cloud() {
  if (!is_running_host() || !host::may_be_cloud_instance(options_.sys)) return false;
  auto answer = host::ask_cloud(options_.cloud, cloud_limit_ms);
  if (answer.instance_id.empty()) return false;
  cloud_ = std::move(answer);
  return true;
}

// A host that was started anew may run another kernel and have another name.
std::string Collection::fingerprint() const {
  const auto start = is_running_host() ? read_file(boot_id, longest_boot_id).value_or("") : "";
  return crypto::to_hex(crypto::view(
      crypto::sha256(fmt::format("{}\n{}\n{}", options_.rootfs, start, watch_.stamps()))));
}

// The stamps are taken before the databases are read: what changes meanwhile is seen at the next
// sweep.
Result<Observation> Collection::observe() {
  Observation out;
  if (!read_ || watch_.changed()) {
    watch_.keep();
    TRY(inventory_,
        is_running_host() ? inventory::inspect_host() : inventory::inspect_root(options_.rootfs));
    outdated_packages_.forget();
    read_ = true;
    out.fresh = true;
  }
  auto facts = is_running_host() ? host::facts_of_host() : host::facts_of_root(root_);
  facts.cloud = cloud_;
  outdated_packages_.name(root_, facts.outdated);
  host::HostReport report{.inventory = std::move(inventory_), .facts = std::move(facts)};
  out.lines = host::report_lines(report);
  out.packages = host::count_packages(out.lines);
  for (const auto& skip : report.inventory.skips)
    if (skip.may_pass) out.doubts.push_back(host::skip_line(skip));
  out.unread = text_of(report.inventory.skips);
  inventory_ = std::move(report.inventory);
  return out;
}

}  // namespace tenken::agent
