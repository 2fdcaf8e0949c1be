// SPDX 3.0 as JSON-LD: one @graph of elements, of which the software packages matter here.
#include <set>

#include <fmt/format.h>

#include "sbom/component.h"

namespace tenken::sbom {
namespace {

Role role_of(std::string_view purpose) {
  if (purpose == "operatingSystem") return Role::operating_system;
  for (const std::string_view other :
       {"archive", "bom", "container", "data", "device", "diskImage", "documentation", "evidence",
        "file", "filesystemImage", "model", "other", "platform", "source", "specification"})
    if (purpose == other) return Role::package_if_purl;
  return Role::package;
}

std::string_view read_purl(json::Value package) {
  auto purl = package["software_packageUrl"].string();
  package["externalIdentifier"].for_each([&](json::Value identifier) {
    const auto type = identifier["externalIdentifierType"].string();
    if (purl.empty() && (type == "packageUrl" || type == "purl"))
      purl = identifier["identifier"].string();
  });
  return purl;
}

// A relationship says of itself whether it names all that it should.
void read_completeness(json::Value element, Collector& collector) {
  const auto type = element["relationshipType"].string();
  if (type != "contains" && type != "dependsOn") return;
  bool is_unknown = false;
  element["to"].for_each([&](json::Value to) {
    is_unknown = is_unknown || to.string().ends_with("NoAssertionElement");
  });
  if (element["completeness"].string() == "incomplete" || is_unknown)
    collector.note_incomplete(
        fmt::format("{} {}", type, is_unknown ? "NoAssertion" : "incomplete"));
}

bool is_package(json::Value element) {
  return element["type"].string() == "software_Package";
}

// The one package that the document or its SBOM is about, where it has others beside it.
std::string_view find_subject(json::Value graph) {
  std::set<std::string_view> roots;
  std::size_t packages = 0;
  graph.for_each([&](json::Value element) {
    packages += is_package(element) ? 1 : 0;
    const auto type = element["type"].string();
    if (type != "SpdxDocument" && type != "software_Sbom") return;
    element["rootElement"].for_each([&](json::Value id) { roots.insert(id.string()); });
  });
  std::set<std::string_view> described;
  graph.for_each([&](json::Value element) {
    const auto id = element["spdxId"].string();
    if (is_package(element) && roots.contains(id)) described.insert(id);
  });
  return described.size() == 1 && packages > 1 ? *described.begin() : std::string_view();
}

}  // namespace

Result<Inventory> read_spdx3(json::Value root, std::string_view shown_name) {
  const auto graph = root["@graph"];
  if (!graph.is_array()) return invalid("SPDX 3 without an @graph");
  Collector collector(shown_name);
  const auto subject = find_subject(graph);
  std::vector<Component> described;  // more than one where the id stands twice
  Result<> added;
  graph.for_each([&](json::Value element) {
    read_completeness(element, collector);
    if (!added.has_value() || !is_package(element)) return;
    Component component{.role = role_of(element["software_primaryPurpose"].string()),
                        .name = element["name"].string(),
                        .version = element["software_packageVersion"].string(),
                        .purl = read_purl(element)};
    const auto id = element["spdxId"].string();
    const bool is_subject = !id.empty() && id == subject;
    if (is_subject && component.role != Role::operating_system)
      described.push_back(std::move(component));
    else
      added = collector.add(component);
  });
  TRY_VOID(std::move(added));
  for (const auto& component : described) TRY_VOID(collector.add_subject(component));
  return std::move(collector).finish();
}

}  // namespace tenken::sbom
