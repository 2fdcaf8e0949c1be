// CycloneDX VEX, 1.4 and later: vulnerabilities[].analysis says what holds for the components that
// affects[].ref names, by bom-ref in the same document or by BOM-Link into another one, whose
// fragment is then the bom-ref and usable where it is a package URL.
#include <map>

#include "base/text.h"
#include "findings/vex.h"

namespace tenken::findings {
namespace cyclonedx_ {
namespace {

bool recognises(json::Value root) {
  return root["bomFormat"].string() == "CycloneDX" && root["vulnerabilities"].is_array();
}

// bom-ref -> the component
using Components = std::map<std::string_view, VexProduct>;

Components components(json::Value root) {
  Components known;
  std::vector<json::Value> open{root["metadata"]["component"]};
  root["components"].for_each([&](json::Value component) { open.push_back(component); });
  while (!open.empty()) {
    const json::Value component = open.back();
    open.pop_back();
    const auto reference = component["bom-ref"].string();
    if (!reference.empty())
      known.try_emplace(reference, VexProduct{.name = std::string(component["name"].string()),
                                              .purl = std::string(component["purl"].string())});
    component["components"].for_each([&](json::Value part) { open.push_back(part); });
  }
  return known;
}

VexProduct product(const Components& known, std::string_view reference) {
  if (const auto at = known.find(reference); at != known.end()) return at->second;
  auto target = reference;
  if (target.starts_with("urn:cdx:")) target = split_once(target, '#').second.value_or("");
  return {.name = std::string(reference),
          .purl = target.starts_with("pkg:") ? std::string(target) : ""};
}

std::optional<VexStatus> status_of(std::string_view state) {
  if (state == "not_affected" || state == "false_positive") return VexStatus::not_affected;
  if (state == "resolved" || state == "resolved_with_pedigree") return VexStatus::fixed;
  if (state == "exploitable") return VexStatus::affected;
  if (state == "in_triage") return VexStatus::under_investigation;
  return std::nullopt;
}

// affects[].versions narrows the statement to versions, of which those called "affected" stay.
void add_products(const Components& known, json::Value affects, VexStatus status,
                  VexStatement& statement, std::vector<Skip>& skips) {
  const VexProduct whole = product(known, affects["ref"].string());
  const auto versions = affects["versions"];
  if (versions.size() == 0) {
    statement.products.push_back(whole);
    return;
  }
  versions.for_each([&](json::Value row) {
    const auto exact = row["version"].string();
    const bool keeps = row["status"].string() != "unaffected" &&
                       (status == VexStatus::not_affected || status == VexStatus::fixed);
    const auto purl = sbom::parse_purl(whole.purl, sbom::KeyCase::any);
    if (exact.empty() || keeps || !purl) {
      skips.push_back({"", statement.ids.front() + " " + whole.name,
                       exact.empty() ? "a range of versions" : "versions that disagree with it"});
      return;
    }
    auto one = *purl;
    one.version = exact;
    statement.products.push_back({.name = whole.name, .purl = sbom::to_string(one)});
  });
}

std::string reason_of(json::Value analysis) {
  std::string reason(analysis["justification"].string());
  const auto detail = trim(analysis["detail"].string());
  if (!reason.empty() && !detail.empty()) reason += ": ";
  return reason.append(detail);
}

Result<VexDocument> parse(json::Value root) {
  VexDocument document;
  const Components known = components(root);
  const auto document_time = parse_time(root["metadata"]["timestamp"].string()).value_or(0);
  root["vulnerabilities"].for_each([&](json::Value value) {
    const auto analysis = value["analysis"];
    if (!analysis) return;  // a vulnerability that is only listed states nothing
    VexStatement statement{.reason = reason_of(analysis)};
    if (!value["id"].string().empty()) statement.ids.emplace_back(value["id"].string());
    value["references"].for_each([&](json::Value reference) {
      if (!reference["id"].string().empty()) statement.ids.emplace_back(reference["id"].string());
    });
    const auto status = status_of(analysis["state"].string());
    if (!status || statement.ids.empty()) {
      document.skips.push_back({"", std::string(value["id"].string()),
                                status ? "no vulnerability id" : "state missing or not known"});
      return;
    }
    statement.status = *status;
    const auto updated = parse_time(analysis["lastUpdated"].string());
    statement.time = updated ? *updated : document_time;
    value["affects"].for_each([&](json::Value affects) {
      add_products(known, affects, *status, statement, document.skips);
    });
    if (!statement.products.empty()) document.statements.push_back(std::move(statement));
  });
  return document;
}

}  // namespace
}  // namespace cyclonedx_

extern constinit const VexFormat cyclonedx{
    .id = "cyclonedx", .recognises = cyclonedx_::recognises, .parse = cyclonedx_::parse};

}  // namespace tenken::findings
