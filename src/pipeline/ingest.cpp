#include "pipeline/ingest.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "host/facts.h"
#include "inventory/inspect.h"
#include "match/kernel.h"
#include "match/matcher.h"
#include "model/package_text.h"
#include "pipeline/running_packages.h"
#include "pipeline/together.h"

namespace tenken::pipeline {
namespace {

constexpr std::size_t most_waiting = 2'000;
constexpr std::size_t most_addresses = 50;  // of a family
constexpr std::size_t most_instance_text = 2048;
// As package databases have them. Names and two of them in a title are keys of indexes, which
// PostgreSQL holds to 2,700 bytes.
constexpr std::size_t longest_name = 1'024;
constexpr std::size_t longest_shown = 100;
// A batch is bounded so that readers and the evaluator get their turn.
constexpr std::size_t batch_packages = 250'000;
constexpr std::size_t batch_reports = 1'000;

std::string platform_of(const OperatingSystem& os) {
  if (os.id.empty()) return {};
  auto out = fmt::format("{}_{}", os.id, os.version_id);
  std::ranges::transform(out, out.begin(), [](char c) {
    if (c >= 'a' && c <= 'z') return static_cast<char>(c - 32);
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
  });
  while (out.ends_with('_')) out.pop_back();
  return out;
}

std::string host_state_of(const Package& package, const Inventory& inventory) {
  if (!inventory.running_kernel.empty() && match::is_kernel_image(package) &&
      !match::belongs_to_kernel(package, inventory.running_kernel))
    return "not_running";
  if (inventory.esm_attached && package.ecosystem == "Ubuntu") return "esm";
  return {};
}

bool is_address(std::string_view text, int family) {
  std::array<char, sizeof(in6_addr)> bytes;
  return ::inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

// Those of the family that reach further than their link, without their prefixes.
std::vector<std::string> addresses_of(const HostFacts& facts, int family) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view text) {
    const bool local = text.starts_with("169.254.") || text.starts_with("fe80:");
    if (local || !is_address(text, family) || out.size() == most_addresses) return;
    if (std::ranges::find(out, text) == out.end()) out.emplace_back(text);
  };
  for (const auto& one : facts.addresses) add(split_once(one.address, '/').first);
  add(facts.cloud.public_address);
  return out;
}

// As the Inspector API has them in resources[].details.awsEc2Instance.
void write_instance(json::Writer& out, const HostFacts& facts) {
  out.key("instance").begin_object();
  const auto& cloud = facts.cloud;
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (value.size() <= most_instance_text) out.member_if(name, value);
  };
  add("iamInstanceProfileArn", cloud.instance_profile);
  if (cloud.image.starts_with("ami-")) add("imageId", cloud.image);
  if (const auto v4 = addresses_of(facts, AF_INET); !v4.empty()) out.strings("ipV4Addresses", v4);
  if (const auto v6 = addresses_of(facts, AF_INET6); !v6.empty()) out.strings("ipV6Addresses", v6);
  add("keyName", cloud.key_name);
  if (const auto launched = parse_time(cloud.launched)) out.key("launchedAt").integer(*launched);
  add("subnetId", cloud.subnet);
  add("type", cloud.type);
  add("vpcId", cloud.vpc);
  out.end_object();
}

bool is_of_system(const Package& package) {
  return package.kind == "deb" || package.kind == "rpm" || package.kind == "apk";
}

// As the kernel has it, or as most of the distribution's packages: "x86_64", "amd64".
std::string architecture_of(const Inventory& inventory, const HostFacts& facts) {
  if (!facts.architecture.empty() && facts.architecture.size() <= most_instance_text)
    return facts.architecture;
  std::map<std::string_view, std::size_t> packages;
  for (const auto& one : inventory.packages) {
    const bool any = one.arch.empty() || one.arch == "all" || one.arch == "noarch";
    if (is_of_system(one) && !one.listed_only && !any) ++packages[one.arch];
  }
  const auto most =
      std::ranges::max_element(packages, {}, [](const auto& one) { return one.second; });
  return most == packages.end() ? std::string() : std::string(most->first);
}

std::string details_of(const Inventory& inventory, const HostFacts& facts) {
  json::Writer out;
  out.begin_object();
  out.key("os").begin_object();
  out.member_if("id", inventory.os.id).member_if("versionId", inventory.os.version_id);
  out.member_if("prettyName", inventory.os.pretty_name);
  out.member_if("ecosystem", inventory.os.ecosystem).member_if("release", inventory.os.release);
  out.end_object();
  out.member_if("runningKernel", inventory.running_kernel);
  out.member_if("architecture", architecture_of(inventory, facts));
  write_instance(out, facts);
  out.end_object();
  return out.take();
}

std::string unread_of(const Inventory& inventory) {
  json::Writer out;
  out.begin_array();
  for (const auto& skip : inventory.skips) {
    out.begin_object();
    out.member("kind", "inventory");
    out.member("subject",
               skip.record.empty() ? skip.file : fmt::format("{}: {}", skip.file, skip.record));
    out.member("reason", skip.reason);
    out.end_object();
  }
  out.end_array();
  return out.take();
}

bool is_too_long(const Package& package) {
  const std::array<std::string_view, 5> texts{package.ecosystem, package.name, package.version,
                                              package.source_name, package.source_version};
  return !package.listed_only && std::ranges::any_of(texts, [](std::string_view text) {
    return text.size() > longest_name;
  });
}

// Why no store can hold the package; empty: it can.
std::string_view fault_of(const Package& package) {
  if (has_nul(package)) return "its text has a NUL byte";
  if (is_too_long(package)) return "its name or version has more than 1,024 bytes";
  return {};
}

std::string shown(std::string_view text) {
  return printable(text.substr(0, longest_shown)) + (text.size() > longest_shown ? "..." : "");
}

// What no store can hold is unknown, by its name, and keeps nothing else from being stored.
void leave_out_unstorable(Inventory& inventory) {
  std::erase_if(inventory.packages, [&](const Package& package) {
    const auto fault = fault_of(package);
    if (fault.empty()) return false;
    inventory.skips.push_back(
        {.file = shown(inventory.name),
         .record = fmt::format("{} {}", shown(package.name), shown(package.version)),
         .reason = std::string(fault)});
    return true;
  });
}

// Of a package that could not be read its kind and name alone are known: it is unknown, and closes
// nothing of that kind and name.
void list_unread_packages(Inventory& inventory) {
  for (const auto& skip : inventory.skips) {
    if (!skip.package.empty())
      inventory.packages.push_back({.kind = skip.package_kind, .name = skip.package});
  }
}

}  // namespace

store::InventoryWrite stored_inventory(const ResourceReport& report, Inventory inventory,
                                       const HostFacts& facts) {
  list_unread_packages(inventory);
  leave_out_unstorable(inventory);
  store::InventoryWrite out{.account = report.account,
                            .external_id = report.external_id,
                            .type = report.type,
                            .region = report.region,
                            .name = printable(inventory.name),
                            .platform = platform_of(inventory.os),
                            .details = details_of(inventory, facts),
                            .tags = report.tags,
                            .digest = report.digest,
                            .unknown = unread_of(inventory),
                            .received = report.received,
                            .expires = report.expires,
                            .agentless = report.agentless,
                            .running = running_packages(facts),
                            .knows_running = host::knows_all_processes(facts)};
  const bool is_whole =
      inventory.databases_read > 0 && std::ranges::none_of(inventory.skips, [&](const Skip& skip) {
        return inventory::hides_packages(skip, inventory);
      });
  out.packages.reserve(inventory.packages.size());
  for (auto& package : inventory.packages) {
    if (package.listed_only) continue;
    store::PackageVersion version;
    version.host_state = host_state_of(package, inventory);
    version.advisory_name = match::advisory_name(package);
    // The place of a distribution's package is its database: the same for all.
    auto location = is_of_system(package) ? std::string() : std::move(package.location);
    package.location.clear();
    package.license.clear();
    version.package = std::move(package);
    out.packages.emplace_back(std::move(version), std::move(location));
  }
  // That nothing is installed is what a reader says that found nothing to read.
  out.complete = is_whole && !out.packages.empty();
  return out;
}

Ingest::Ingest(sql::Pool& pool, std::function<void()> written)
    : pool_(pool), written_(std::move(written)), writer_([this] { run(); }) {}

Ingest::~Ingest() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  writer_.join();
}

Result<> Ingest::put(store::InventoryWrite inventory) {
  Waiting waiting;
  waiting.inventory = std::move(inventory);
  TRY_VOID(enqueue(std::move(waiting)));
  return {};
}

Result<bool> Ingest::report(store::InventoryWrite inventory) {
  Waiting waiting;
  waiting.inventory = std::move(inventory);
  return enqueue(std::move(waiting));
}

Result<bool> Ingest::confirm(const ResourceReport& report) {
  Waiting waiting;
  waiting.confirmation = {.account = report.account,
                          .external_id = report.external_id,
                          .type = report.type,
                          .tags = report.tags,
                          .digest = report.digest,
                          .received = report.received,
                          .expires = report.expires,
                          .agentless = report.agentless};
  return enqueue(std::move(waiting));
}

Result<bool> Ingest::enqueue(Waiting waiting) {
  auto answer = waiting.answer.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (auto admitted = admit(); !admitted) {
      ++counts_.refused;
      return std::move(admitted).error();
    }
    queue_.push_back(std::move(waiting));
  }
  arrived_.notify_one();
  return answer.get();
}

Result<> Ingest::admit() const {
  if (stopping_) return unavailable("the server is stopping");
  if (!refusal_.empty()) return unavailable(refusal_);
  if (queue_.size() >= most_waiting)
    return unavailable("more inventories are waiting than the store takes in: try again");
  return {};
}

void Ingest::refuse(std::string reason) {
  const std::lock_guard lock(mutex_);
  refusal_ = std::move(reason);
}

Ingest::Counts Ingest::counts() const {
  const std::lock_guard lock(mutex_);
  auto out = counts_;
  out.waiting = queue_.size() + taken_;
  return out;
}

void Ingest::answer(Waiting& waiting, Result<bool> answer) {
  {
    const std::lock_guard lock(mutex_);
    ++(!answer ? counts_.failed : waiting.inventory ? counts_.written : counts_.confirmed);
    --taken_;
  }
  waiting.answer.set_value(std::move(answer));
}

std::vector<Ingest::Waiting> Ingest::next_batch() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  std::vector<Waiting> batch;
  std::size_t packages = 0;
  std::set<std::pair<std::string, std::string>> resources;
  while (!queue_.empty() && batch.size() < batch_reports && packages < batch_packages) {
    if (const auto& inventory = queue_.front().inventory) {
      // A second report of a resource builds on what the first one left.
      if (!resources.emplace(inventory->account, inventory->external_id).second) break;
      packages += inventory->packages.size();
    }
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  taken_ = batch.size();
  return batch;
}

void Ingest::run() {
  while (true) {
    auto batch = next_batch();
    if (batch.empty()) return;
    write(std::move(batch));
  }
}

void Ingest::write(std::vector<Waiting> batch) {
  together_or_alone(
      std::span(batch), [&](std::span<Waiting> part) { return write_once(part); },
      [&](std::span<Waiting> part, const Result<std::vector<bool>>& written) {
        for (std::size_t i = 0; i < part.size(); ++i)
          answer(part[i], written ? Result<bool>((*written)[i]) : written.error());
      });
  written_();
}

Result<std::vector<bool>> Ingest::write_once(std::span<Waiting> batch) {
  TRY(auto connection, pool_.lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  std::vector<bool> answers(batch.size(), true);
  std::vector<const store::InventoryWrite*> inventories;
  for (const auto& one : batch) {
    if (one.inventory) inventories.push_back(&*one.inventory);
  }
  store::InventoriesWritten written;
  if (!inventories.empty()) {
    TRY(written, store::put_inventories(*connection, inventories, known_));
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (const auto& inventory = batch[i].inventory) {
      const auto id = store::resource_id(inventory->account, inventory->external_id);
      answers[i] = !inventory->report || std::ranges::binary_search(written.resources, id);
      continue;
    }
    TRY(const auto confirmed, store::confirm_inventory(*connection, batch[i].confirmation));
    answers[i] = confirmed.has_value();
  }
  TRY_VOID(transaction.commit());
  if (!inventories.empty()) known_.move_to(written.epoch);
  for (const auto id : written.interned) known_.insert(id);
  return answers;
}

}  // namespace tenken::pipeline
