#include "sbom/component.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "inventory/distributions.h"
#include "model/package_text.h"
#include "sbom/purl.h"

namespace tenken::sbom {
namespace {

constexpr std::size_t max_packages = 2'000'000;

std::string shown(const Component& component) {
  return component.version.empty() ? std::string(component.name)
                                   : fmt::format("{}@{}", component.name, component.version);
}

// The path of a Go module, whose capitals count. The purl's type definition has asked for lower case,
// and some tools write it so; the component's name has the path as it is.
std::string module_path(std::string from_purl, const Component& component) {
  for (auto path : {std::string(component.name),
                    fmt::format("{}/{}", component.group, component.name)})
    if (equal_ignoring_case(path, from_purl)) return path;
  return from_purl;
}

// What the document says beside the purl, where the purl is silent.
void complete(Package& package, const Component& component) {
  package.license = component.license;
  package.location = component.location;
  package.vendor = component.vendor;
  if (package.kind == "golang") package.name = module_path(std::move(package.name), component);
  if (!is_os_kind(package.kind)) return;
  if (package.arch.empty()) package.arch = component.arch;
  package.version = with_epoch(package.kind, package.version, component.epoch);
  if (package.source_name.empty()) package.source_name = component.source_name;
  const bool same_source =
      !component.source_name.empty() && package.source_name == component.source_name;
  if (package.source_version.empty() && same_source)
    package.source_version = component.source_version;
  if (package.module_label.empty()) package.module_label = component.module_label;
}

// Something can be said of it, given advisories.
bool is_identified(const Package& package) {
  return !package.ecosystem.empty() && !package.listed_only;
}

}  // namespace

Collector::Collector(std::string_view shown_name) : skips_(shown_name) {
  inventory_.target = Inventory::Target::sbom;
  inventory_.name = shown_name;
}

Result<> Collector::add(const Component& component) {
  if (component.role == Role::operating_system) {
    add_operating_system(component);
    return {};
  }
  if (component.purl.empty() && component.role == Role::package_if_purl) return {};
  if (component.purl.empty() && component.name.empty()) {
    skip("", "a component without name and purl");
    return {};
  }
  if (inventory_.packages.size() >= max_packages)
    return limit_exceeded(fmt::format("more than {} packages", max_packages));

  Package package;
  if (component.purl.empty()) {
    package.name = component.name;
    package.version = component.version;
  } else if (auto purl = parse_purl(component.purl, KeyCase::any); purl.has_value()) {
    if (purl->version.empty()) purl->version = component.version;
    package = package_from_purl(*purl);
  } else {
    skip(shown(component), fmt::format("purl '{}': {}", component.purl, purl.error().what));
    package.name = component.name.empty() ? component.purl : component.name;
    package.version = component.version;
  }
  package.purl = component.purl;
  complete(package, component);
  if (has_nul(package)) {
    skip(shown(component), "its text has a NUL byte");
    return {};
  }
  inventory_.packages.push_back(std::move(package));
  return {};
}

Result<> Collector::add_subject(const Component& component) {
  if (component.role == Role::operating_system || component.purl.empty()) return {};
  auto& packages = inventory_.packages;
  const auto before = packages.size();
  TRY_VOID(add(component));
  if (packages.size() == before) return {};
  const auto same = [&](const Package& part) {
    return part.purl == packages.back().purl && part.version == packages.back().version;
  };
  if (std::any_of(packages.begin(), packages.end() - 1, same)) packages.pop_back();
  return {};
}

void Collector::note_incomplete(std::string_view words) {
  if (is_incomplete_) return;
  is_incomplete_ = true;
  skip("", fmt::format("the document says itself that it is not complete: {}", words));
}

void Collector::add_operating_system(const Component& component) {
  if (has_operating_system_) {
    skip(shown(component), "a second operating system: no release is taken from either");
    is_ambiguous_ = true;
    return;
  }
  has_operating_system_ = true;
  auto& os = inventory_.os;
  os.id = distribution_id(component.name);
  os.version_id = split_once(component.version, ' ').first;  // "12 (bookworm)"
  os.codename = component.codename;
  os.pretty_name = component.pretty_name;
  const auto* distribution = inventory::find_distribution(os.id);
  if (distribution == nullptr) return;
  os.ecosystem = distribution->ecosystem;
  if (!os.ecosystem.empty()) os.release = distribution->release(os.ecosystem, os);
}

Inventory Collector::finish() && {
  if (is_ambiguous_) inventory_.os = {};
  const auto& os = inventory_.os;
  const auto* distribution = inventory::find_distribution(os.id);
  for (auto& package : inventory_.packages) {
    if (distribution == nullptr || package.kind != distribution->kind) continue;
    // A purl without namespace is of the document's system; one with another is not.
    const auto purl = parse_purl(package.purl, KeyCase::any);
    const bool unnamed = purl.has_value() && purl->ns.empty() && package.ecosystem.empty();
    if (unnamed) package.ecosystem = os.ecosystem;
    if (package.release.empty() && package.ecosystem == os.ecosystem) package.release = os.release;
  }
  if (std::ranges::none_of(inventory_.packages, is_identified))
    skip("", "the document names no package that can be identified");
  inventory_.skips = skips_.take_skips();
  return std::move(inventory_);
}

}  // namespace tenken::sbom
