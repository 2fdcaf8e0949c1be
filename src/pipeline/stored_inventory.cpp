#include "pipeline/stored_inventory.h"

#include "base/json.h"
#include "store/inventory_query.h"

namespace tenken::pipeline {
namespace {

constexpr std::int64_t packages_at_once = 1'000;

void read_details(const store::Resource& resource, Inventory& inventory) {
  json::Parser parser;
  const auto details = parser.parse(resource.details);
  CHECK(details.has_value());  // ours
  const auto os = (*details)["os"];
  const auto text = [](const json::Value& value) { return std::string(value.string()); };
  inventory.os.id = text(os["id"]);
  inventory.os.version_id = text(os["versionId"]);
  inventory.os.pretty_name = text(os["prettyName"]);
  inventory.os.ecosystem = text(os["ecosystem"]);
  inventory.os.release = text(os["release"]);
  inventory.running_kernel = text((*details)["runningKernel"]);
}

void read_unread(const store::Resource& resource, Inventory& inventory) {
  json::Parser parser;
  const auto unread = parser.parse(resource.inventory_unknown);
  CHECK(unread.has_value());  // ours
  unread->for_each([&](const json::Value& one) {
    inventory.skips.push_back({.file = std::string(one["subject"].string()),
                               .reason = std::string(one["reason"].string())});
  });
}

}  // namespace

Inventory described_inventory(const store::Resource& resource) {
  Inventory out{.target = Inventory::Target::host, .name = resource.name, .databases_read = 1};
  if (out.name.empty()) out.name = resource.external_id;
  read_details(resource, out);
  read_unread(resource, out);
  return out;
}

Result<Inventory> inventory_of(sql::Connection& connection, const store::Resource& resource) {
  auto out = described_inventory(resource);
  store::PackageVersionId after{-1};
  while (true) {
    TRY(auto page, store::installed_versions(connection, resource.id, after, packages_at_once));
    for (auto& one : page) {
      if (!one.running.empty()) continue;
      out.esm_attached = out.esm_attached || one.version.host_state == "esm";
      one.version.package.location = std::move(one.location);
      out.packages.push_back(std::move(one.version.package));
    }
    if (std::ssize(page) < packages_at_once) return out;
    after = page.back().id;
  }
}

}  // namespace tenken::pipeline
