// CycloneDX 1.6, and 1.4 for readers that know no newer one. What the format has no place for
// stands in properties named "tenken:…".
#include <fmt/format.h>

#include "base/json_writer.h"
#include "sbom/document.h"
#include "sbom/sbom.h"

namespace tenken::sbom {
namespace {

// A version and what it says differently.
struct Version {
  std::string_view number;
  bool tools_are_components;        // since 1.5
  std::string_view directory_type;  // of a root directory: "platform" came with 1.5
};
constexpr Version v1_4{"1.4", false, "operating-system"};
constexpr Version v1_6{"1.6", true, "platform"};

void write_property(json::Writer& json, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  json.begin_object().member("name", name).member("value", value).end_object();
}

std::string_view subject_type(const Version& version, Inventory::Target target) {
  switch (target) {
    case Inventory::Target::host:
      return "device";
    case Inventory::Target::root:
      return version.directory_type;
    case Inventory::Target::sbom:
      return "application";
  }
  return version.directory_type;
}

void write_tools(json::Writer& json, const Version& version) {
  if (!version.tools_are_components) {
    json.key("tools").begin_array().begin_object().member("name", "tenken").end_object();
    json.end_array();
    return;
  }
  json.key("tools").begin_object().key("components").begin_array();
  json.begin_object().member("type", "application").member("name", "tenken").end_object();
  json.end_array().end_object();
}

void write_metadata(json::Writer& json, const Version& version, const Inventory& inventory,
                    Seconds timestamp, const Extras& extras) {
  json.key("metadata").begin_object();
  json.member("timestamp", format_time(timestamp));
  write_tools(json, version);
  json.key("component").begin_object();
  json.member("bom-ref", "subject").member("type", subject_type(version, inventory.target));
  json.member("name", inventory.name).end_object();
  if (!extras.properties.empty()) {
    json.key("properties").begin_array();
    for (const auto& [name, value] : extras.properties) write_property(json, name, value);
    json.end_array();
  }
  json.end_object();
}

void write_operating_system(json::Writer& json, const OperatingSystem& os) {
  if (os.id.empty()) return;
  json.begin_object().member("bom-ref", "operating-system").member("type", "operating-system");
  json.member("name", os.id).member_if("version", os.version_id);
  json.member_if("description", os.pretty_name);
  if (!os.codename.empty()) {
    json.key("properties").begin_array();
    write_property(json, "tenken:codename", os.codename);
    json.end_array();
  }
  json.end_object();
}

std::string package_ref(std::size_t index) {
  return fmt::format("package-{}", index);
}

void write_package(json::Writer& json, const Package& package, const OperatingSystem& os,
                   std::size_t index) {
  json.begin_object().member("bom-ref", package_ref(index));
  json.member("type", "library").member("name", package.name);
  json.member_if("version", package.version);
  if (!package.license.empty()) {
    json.key("licenses").begin_array().begin_object().key("license").begin_object();
    json.member("name", package.license).end_object().end_object().end_array();
  }
  json.member_if("purl", purl_text(package, os));
  if (!package.vendor.empty() || !package.location.empty()) {
    json.key("properties").begin_array();
    write_property(json, "tenken:location", package.location);
    write_property(json, "tenken:vendor", package.vendor);
    json.end_array();
  }
  json.end_object();
}

void write_vulnerabilities(json::Writer& json, const Extras& extras) {
  json.key("vulnerabilities").begin_array();
  for (const auto& one : extras.vulnerabilities) {
    json.begin_object().member("id", one.id).key("affects").begin_array();
    for (const auto index : one.packages)
      json.begin_object().member("ref", package_ref(index)).end_object();
    json.end_array().end_object();
  }
  json.end_array();
}

std::string write(const Version& version, const Inventory& inventory, Seconds timestamp,
                  const Extras& extras, std::string_view uuid) {
  json::Writer json(2);
  json.begin_object();
  json.member("$schema",
              fmt::format("http://cyclonedx.org/schema/bom-{}.schema.json", version.number));
  json.member("bomFormat", "CycloneDX").member("specVersion", version.number);
  json.member("serialNumber", fmt::format("urn:uuid:{}", uuid)).key("version").integer(1);
  write_metadata(json, version, inventory, timestamp, extras);
  json.key("components").begin_array();
  write_operating_system(json, inventory.os);
  for (std::size_t i = 0; i < inventory.packages.size(); ++i)
    write_package(json, inventory.packages[i], inventory.os, i);
  json.end_array();
  if (!inventory.skips.empty()) {
    json.key("compositions").begin_array().begin_object();
    json.member("aggregate", "incomplete").end_object().end_array();
  }
  if (!extras.vulnerabilities.empty()) write_vulnerabilities(json, extras);
  json.end_object();
  return json.take() + "\n";
}

std::string write(const Version& version, const Inventory& inventory, Seconds timestamp,
                  const Extras& extras) {
  const auto uuid = content_uuid(write(version, inventory, timestamp, extras, ""));
  return write(version, inventory, timestamp, extras, uuid);
}

}  // namespace

std::string write_cyclonedx(const Inventory& inventory, Seconds timestamp) {
  return write(v1_6, inventory, timestamp, {});
}

std::string write_cyclonedx_1_4(const Inventory& inventory, Seconds timestamp,
                                const Extras& extras) {
  return write(v1_4, inventory, timestamp, extras);
}

}  // namespace tenken::sbom
