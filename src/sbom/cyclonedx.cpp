// CycloneDX JSON, 1.0 to 1.7: components, which may hold components, and the subject, which is a
// package like them where it has a purl.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "sbom/component.h"
#include "sbom/purl.h"

namespace tenken::sbom {
namespace {

constexpr std::array<std::string_view, 8> known_versions{"1.0", "1.1", "1.2", "1.3",
                                                         "1.4", "1.5", "1.6", "1.7"};

Role role_of(std::string_view type) {
  if (type == "operating-system") return Role::operating_system;
  for (const std::string_view other : {"container", "cryptographic-asset", "data", "device", "file",
                                       "machine-learning-model", "platform"})
    if (type == other) return Role::package_if_purl;
  return Role::package;
}

std::string read_licenses(json::Value licenses) {
  std::string out;
  licenses.for_each([&](json::Value entry) {
    auto text = entry["expression"].string();
    for (const std::string_view key : {"id", "name"})
      if (text.empty()) text = entry["license"][key].string();
    if (text.empty()) return;
    if (!out.empty()) out += " AND ";
    out += text;
  });
  return out;
}

// Facts that syft, Trivy and tenken itself keep in properties.
void read_properties(json::Value properties, Component& component) {
  constexpr std::string_view trivy = "aquasecurity:trivy:";
  constexpr std::string_view syft = "syft:metadata:";
  std::string_view source_version;
  std::string_view source_release;
  std::string_view source_epoch;
  std::string_view source_rpm;
  properties.for_each([&](json::Value property) {
    const auto name = property["name"].string();
    const auto value = property["value"].string();
    const auto is = [&](std::string_view prefix, std::string_view rest) {
      return name.starts_with(prefix) && name.substr(prefix.size()) == rest;
    };
    if (is(trivy, "SrcName") || is(syft, "source") || is(syft, "originPackage"))
      component.source_name = value;
    else if (is(trivy, "SrcVersion") || is(syft, "sourceVersion"))
      source_version = value;
    else if (is(trivy, "SrcRelease"))
      source_release = value;
    else if (is(trivy, "SrcEpoch"))
      source_epoch = value;
    else if (is(syft, "sourceRpm"))
      source_rpm = value;
    else if (is(syft, "epoch"))
      component.epoch = value;
    else if (is(syft, "architecture"))
      component.arch = value;
    else if (is(syft, "modularityLabel") || is(trivy, "Modularitylabel"))
      component.module_label = value;
    else if (is(trivy, "FilePath") || name == "syft:location:0:path" || name == "tenken:location")
      component.location = value;
    // Trivy's stand-in for a lock file or a package database.
    else if (is(trivy, "Class") && component.role == Role::package)
      component.role = Role::package_if_purl;
    else if (name == "syft:distro:id" && component.role == Role::operating_system)
      component.name = value;
    else if (name == "syft:distro:versionID" && component.role == Role::operating_system)
      component.version = value;
    else if (name == "tenken:codename")
      component.codename = value;
    else if (name == "tenken:vendor")
      component.vendor = value;
  });
  if (!source_rpm.empty()) {
    const auto source = read_source(source_rpm);
    component.source_name = source.name;
    component.source_version = source.version;
  }
  if (source_version.empty()) return;
  component.source_version = source_version;
  if (!source_release.empty()) component.source_version += fmt::format("-{}", source_release);
  if (!source_epoch.empty() && source_epoch != "0")
    component.source_version = fmt::format("{}:{}", source_epoch, component.source_version);
}

Component read_component(json::Value value) {
  Component component{.role = role_of(value["type"].string()),
                      .name = value["name"].string(),
                      .group = value["group"].string(),
                      .version = value["version"].string(),
                      .purl = value["purl"].string()};
  component.license = read_licenses(value["licenses"]);
  if (component.role == Role::operating_system)
    component.pretty_name = value["description"].string();
  read_properties(value["properties"], component);
  return component;
}

// A document may repeat a component, which must then say the same under the same bom-ref.
std::string identity(json::Value value) {
  const auto reference = value["bom-ref"].string();
  if (reference.empty()) return {};
  return fmt::format("{}\n{}\n{}\n{}", reference, value["purl"].string(), value["name"].string(),
                     value["version"].string());
}

// Whether a component stands for the subject and says less: it has no purl, the subject has.
bool repeats(json::Value value, json::Value subject) {
  const auto reference = value["bom-ref"].string();
  return !reference.empty() && reference == subject["bom-ref"].string() &&
         value["purl"].string().empty() && !subject["purl"].string().empty();
}

// What is known to be incomplete, or not known to be complete, may lack packages: of the whole or
// of one part, which is part of the whole. "not_specified" is what a document without compositions
// says, and those of vulnerabilities alone say nothing of components.
void read_compositions(json::Value compositions, Collector& collector) {
  const bool is_absent = !compositions || compositions.type() == json::Value::Type::null;
  if (!is_absent && !compositions.is_array()) return collector.skip("", "compositions is no array");
  compositions.for_each([&](json::Value one) {
    const auto aggregate = one["aggregate"].string();
    if (aggregate == "complete" || aggregate == "not_specified") return;
    const bool of_components = one["assemblies"] || one["dependencies"] || !one["vulnerabilities"];
    if (of_components) collector.note_incomplete(fmt::format("aggregate \"{}\"", aggregate));
  });
}

// The document's order is kept: the first component is on top of the stack.
void push(std::vector<json::Value>& stack, json::Value components) {
  const auto bottom = static_cast<std::ptrdiff_t>(stack.size());
  components.for_each([&](json::Value component) { stack.push_back(component); });
  std::reverse(stack.begin() + bottom, stack.end());
}

}  // namespace

Result<Inventory> read_cyclonedx(json::Value root, std::string_view shown_name) {
  const auto version = root["specVersion"].string();
  if (std::ranges::find(known_versions, version) == known_versions.end())
    return invalid(fmt::format("CycloneDX '{}' is not known; 1.0 to 1.7 are", printable(version)));
  const auto components = root["components"];
  if (components && !components.is_array() && components.type() != json::Value::Type::null)
    return invalid("components is no array");

  Collector collector(shown_name);
  std::vector<json::Value> stack;
  push(stack, components);
  const auto subject = root["metadata"]["component"];
  push(stack, subject["components"]);
  const auto whole = read_component(subject);
  if (whole.role == Role::operating_system) TRY_VOID(collector.add(whole));
  std::set<std::string> seen;
  while (!stack.empty()) {
    const auto value = stack.back();
    stack.pop_back();
    if (!value.is_object()) {
      collector.skip("", "a component that is no object");
      continue;
    }
    push(stack, value["components"]);
    const auto key = identity(value);
    if (!key.empty() && !seen.insert(key).second) continue;
    if (repeats(value, subject)) continue;
    TRY_VOID(collector.add(read_component(value)));
  }
  TRY_VOID(collector.add_subject(whole));
  read_compositions(root["compositions"], collector);
  return std::move(collector).finish();
}

}  // namespace tenken::sbom
