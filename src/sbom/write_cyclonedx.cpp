// CycloneDX 1.6. What the format has no place for stands in properties named "tenken:…".
#include <fmt/format.h>

#include "base/json_writer.h"
#include "sbom/document.h"
#include "sbom/sbom.h"

namespace tenken::sbom {
namespace {

void write_property(json::Writer& json, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  json.begin_object().member("name", name).member("value", value).end_object();
}

std::string_view subject_type(Inventory::Target target) {
  switch (target) {
    case Inventory::Target::host:
      return "device";
    case Inventory::Target::root:
      return "platform";
    case Inventory::Target::sbom:
      return "application";
  }
  return "platform";
}

void write_metadata(json::Writer& json, const Inventory& inventory, Seconds timestamp) {
  json.key("metadata").begin_object();
  json.member("timestamp", format_time(timestamp));
  json.key("tools").begin_object().key("components").begin_array();
  json.begin_object().member("type", "application").member("name", "tenken").end_object();
  json.end_array().end_object();
  json.key("component").begin_object();
  json.member("bom-ref", "subject").member("type", subject_type(inventory.target));
  json.member("name", inventory.name).end_object();
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

void write_package(json::Writer& json, const Package& package, const OperatingSystem& os,
                   std::size_t index) {
  json.begin_object().member("bom-ref", fmt::format("package-{}", index));
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

std::string write(const Inventory& inventory, Seconds timestamp, std::string_view uuid) {
  json::Writer json(2);
  json.begin_object();
  json.member("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
  json.member("bomFormat", "CycloneDX").member("specVersion", "1.6");
  json.member("serialNumber", fmt::format("urn:uuid:{}", uuid)).key("version").integer(1);
  write_metadata(json, inventory, timestamp);
  json.key("components").begin_array();
  write_operating_system(json, inventory.os);
  for (std::size_t i = 0; i < inventory.packages.size(); ++i)
    write_package(json, inventory.packages[i], inventory.os, i);
  json.end_array();
  if (!inventory.skips.empty()) {
    json.key("compositions").begin_array().begin_object();
    json.member("aggregate", "incomplete").end_object().end_array();
  }
  json.end_object();
  return json.take() + "\n";
}

}  // namespace

std::string write_cyclonedx(const Inventory& inventory, Seconds timestamp) {
  return write(inventory, timestamp, content_uuid(write(inventory, timestamp, "")));
}

}  // namespace tenken::sbom
