// SPDX JSON 2.2 and 2.3: a flat list of packages, relationships beside them.
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "sbom/component.h"

namespace tenken::sbom {
namespace {

Role role_of(std::string_view purpose) {
  if (purpose == "OPERATING-SYSTEM" || purpose == "OPERATING_SYSTEM") return Role::operating_system;
  for (const std::string_view other : {"ARCHIVE", "CONTAINER", "DEVICE", "FILE", "OTHER", "SOURCE"})
    if (purpose == other) return Role::package_if_purl;
  return Role::package;
}

std::string read_license(json::Value package) {
  for (const std::string_view key : {"licenseDeclared", "licenseConcluded"}) {
    const auto license = package[key].string();
    if (!license.empty() && license != "NOASSERTION" && license != "NONE")
      return std::string(license);
  }
  return {};
}

// Distinct purls; a package that stands in several repositories may have one for each.
std::set<std::string_view> read_purls(json::Value package) {
  std::set<std::string_view> purls;
  package["externalRefs"].for_each([&](json::Value reference) {
    if (reference["referenceType"].string().ends_with("purl"))
      purls.insert(reference["referenceLocator"].string());
  });
  purls.erase("");
  return purls;
}

// The one package that the document is about, if it is one among others.
std::string_view find_subject(json::Value root) {
  std::set<std::string_view> described;
  root["documentDescribes"].for_each([&](json::Value id) { described.insert(id.string()); });
  root["relationships"].for_each([&](json::Value relationship) {
    const auto type = relationship["relationshipType"].string();
    if (type == "DESCRIBES" && relationship["spdxElementId"].string() == "SPDXRef-DOCUMENT")
      described.insert(relationship["relatedSpdxElement"].string());
    if (type == "DESCRIBED_BY" && relationship["relatedSpdxElement"].string() == "SPDXRef-DOCUMENT")
      described.insert(relationship["spdxElementId"].string());
  });
  const bool about_one = described.size() == 1 && root["packages"].size() > 1;
  return about_one ? *described.begin() : std::string_view();
}

// "Known unknowns": something is contained or needed, and nobody says what.
void read_completeness(json::Value relationships, Collector& collector) {
  relationships.for_each([&](json::Value one) {
    const auto type = one["relationshipType"].string();
    const bool has_parts = type == "CONTAINS" || type == "DEPENDS_ON";
    if (has_parts && one["relatedSpdxElement"].string() == "NOASSERTION")
      collector.note_incomplete(fmt::format("{} NOASSERTION", type));
  });
}

bool is_own(json::Value root) {
  bool own = false;
  root["creationInfo"]["creators"].for_each(
      [&](json::Value creator) { own = own || creator.string() == "Tool: tenken"; });
  return own;
}

enum class Part : std::uint8_t { package, subject };

Result<> add_package(Collector& collector, json::Value package, Part part, bool own) {
  Component component{.role = role_of(package["primaryPackagePurpose"].string()),
                      .name = package["name"].string(),
                      .version = package["versionInfo"].string()};
  component.license = read_license(package);
  if (component.role == Role::operating_system)
    component.pretty_name = package["description"].string();
  // A supplier may be any person; only tenken's own documents mean the vendor of the package.
  constexpr std::string_view organization = "Organization: ";
  const auto supplier = package["supplier"].string();
  if (own && supplier.starts_with(organization))
    component.vendor = supplier.substr(organization.size());

  const auto add = [&] {
    return part == Part::subject ? collector.add_subject(component) : collector.add(component);
  };
  const auto purls = read_purls(package);
  if (purls.empty()) return add();
  for (const auto purl : purls) {
    component.purl = purl;
    TRY_VOID(add());
  }
  return {};
}

}  // namespace

Result<Inventory> read_spdx2(json::Value root, std::string_view shown_name) {
  const auto version = root["spdxVersion"].string();
  if (!version.starts_with("SPDX-2.2") && !version.starts_with("SPDX-2.3"))
    return invalid(fmt::format("'{}' is not known; SPDX-2.2 and SPDX-2.3 are", printable(version)));
  const auto packages = root["packages"];
  if (packages && !packages.is_array()) return invalid("packages is no array");

  Collector collector(shown_name);
  const auto subject = find_subject(root);
  const bool own = is_own(root);
  std::set<std::string_view> seen;
  std::vector<json::Value> described;  // more than one where the id stands twice
  Result<> added;
  packages.for_each([&](json::Value package) {
    if (!added.has_value()) return;
    if (!package.is_object()) return collector.skip("", "a package that is no object");
    const auto id = package["SPDXID"].string();
    const bool is_system =
        role_of(package["primaryPackagePurpose"].string()) == Role::operating_system;
    if (!id.empty() && id == subject && !is_system) {
      described.push_back(package);
      return;
    }
    if (!id.empty() && !seen.insert(id).second)
      collector.skip(id, "its SPDXID stands twice; both are read");
    added = add_package(collector, package, Part::package, own);
  });
  TRY_VOID(std::move(added));
  for (const auto package : described)
    TRY_VOID(add_package(collector, package, Part::subject, own));
  read_completeness(root["relationships"], collector);
  return std::move(collector).finish();
}

}  // namespace tenken::sbom
