// SPDX 2.3. License texts as found need not be SPDX expressions: they stand in licenseComments.
#include <map>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "sbom/document.h"
#include "sbom/sbom.h"

namespace tenken::sbom {
namespace {

constexpr std::string_view subject_id = "SPDXRef-Subject";
constexpr std::string_view operating_system_id = "SPDXRef-OperatingSystem";

std::string package_id(std::size_t index) {
  return fmt::format("SPDXRef-Package-{}", index);
}

void begin_package(json::Writer& json, std::string_view id, std::string_view name,
                   std::string_view version) {
  json.begin_object().member("SPDXID", id).member("name", name);
  json.member_if("versionInfo", version).member("downloadLocation", "NOASSERTION");
  json.key("filesAnalyzed").boolean(false);
  json.member("licenseConcluded", "NOASSERTION").member("licenseDeclared", "NOASSERTION");
  json.member("copyrightText", "NOASSERTION");
}

void write_reference(json::Writer& json, std::string_view category, std::string_view type,
                     std::string_view locator) {
  json.begin_object().member("referenceCategory", category).member("referenceType", type);
  json.member("referenceLocator", locator).end_object();
}

// The vulnerabilities of each package, by its index.
using Affecting = std::map<std::size_t, std::vector<std::string_view>>;

Affecting affecting(const Extras& extras) {
  Affecting out;
  for (const auto& one : extras.vulnerabilities)
    for (const auto package : one.packages) out[package].push_back(one.id);
  return out;
}

void write_references(json::Writer& json, std::string_view purl,
                      std::span<const std::string_view> vulnerabilities) {
  if (purl.empty() && vulnerabilities.empty()) return;
  json.key("externalRefs").begin_array();
  if (!purl.empty()) write_reference(json, "PACKAGE-MANAGER", "purl", purl);
  for (const auto id : vulnerabilities) write_reference(json, "SECURITY", "vulnerability", id);
  json.end_array();
}

void write_package(json::Writer& json, const Inventory& inventory, std::size_t index,
                   const Affecting& affecting) {
  const auto& package = inventory.packages[index];
  begin_package(json, package_id(index), package.name, package.version);
  json.member("supplier", package.vendor.empty() ? "NOASSERTION"
                                                 : fmt::format("Organization: {}", package.vendor));
  if (!package.license.empty())
    json.member("licenseComments", fmt::format("stated as: {}", package.license));
  if (!package.location.empty())
    json.member("sourceInfo", fmt::format("found in: {}", package.location));
  const auto known = affecting.find(index);
  write_references(json, purl_text(package, inventory.os),
                   known == affecting.end() ? std::span<const std::string_view>() : known->second);
  json.end_object();
}

void write_packages(json::Writer& json, const Inventory& inventory, const Extras& extras) {
  const auto& os = inventory.os;
  json.key("packages").begin_array();
  begin_package(json, subject_id, inventory.name, "");
  json.member("primaryPackagePurpose",
              inventory.target == Inventory::Target::host ? "DEVICE" : "CONTAINER");
  json.end_object();
  if (!os.id.empty()) {
    begin_package(json, operating_system_id, os.id, os.version_id);
    json.member_if("description", os.pretty_name);
    json.member("primaryPackagePurpose", "OPERATING-SYSTEM").end_object();
  }
  const auto by_package = affecting(extras);
  for (std::size_t i = 0; i < inventory.packages.size(); ++i)
    write_package(json, inventory, i, by_package);
  json.end_array();
}

void write_relationship(json::Writer& json, std::string_view from, std::string_view type,
                        std::string_view to) {
  json.begin_object().member("spdxElementId", from).member("relationshipType", type);
  json.member("relatedSpdxElement", to).end_object();
}

std::string write(const Inventory& inventory, Seconds timestamp, const Extras& extras,
                  std::string_view uuid) {
  json::Writer json(2);
  json.begin_object().member("spdxVersion", "SPDX-2.3").member("dataLicense", "CC0-1.0");
  json.member("SPDXID", "SPDXRef-DOCUMENT").member("name", inventory.name);
  json.member("documentNamespace", fmt::format("urn:uuid:{}", uuid));
  json.key("creationInfo").begin_object().member("created", format_time(timestamp));
  json.key("creators").begin_array().string("Tool: tenken").end_array();
  if (!inventory.skips.empty())
    json.member("comment",
                fmt::format("entries that could not be read: {}", inventory.skips.size()));
  json.end_object();
  write_packages(json, inventory, extras);
  json.key("relationships").begin_array();
  write_relationship(json, "SPDXRef-DOCUMENT", "DESCRIBES", subject_id);
  if (!inventory.os.id.empty())
    write_relationship(json, subject_id, "CONTAINS", operating_system_id);
  for (std::size_t i = 0; i < inventory.packages.size(); ++i)
    write_relationship(json, subject_id, "CONTAINS", package_id(i));
  // What it has beside is not known (SPDX 2.3, 11.1).
  if (!inventory.skips.empty()) write_relationship(json, subject_id, "CONTAINS", "NOASSERTION");
  json.end_array().end_object();
  return json.take() + "\n";
}

}  // namespace

std::string write_spdx(const Inventory& inventory, Seconds timestamp, const Extras& extras) {
  const auto uuid = content_uuid(write(inventory, timestamp, extras, ""));
  return write(inventory, timestamp, extras, uuid);
}

std::string write_spdx(const Inventory& inventory, Seconds timestamp) {
  return write_spdx(inventory, timestamp, {});
}

}  // namespace tenken::sbom
