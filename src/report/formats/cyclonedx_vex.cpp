// CycloneDX 1.6 (ECMA-424) with VEX: the packages that have findings as components, and one
// vulnerability entry for each (id, state, severity), since analysis and ratings belong to the
// entry and not to what it affects. What could not be decided stands as metadata properties.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "report/format.h"
#include "report/pieces.h"

namespace tenken::report {
namespace cyclonedx_vex_ {
namespace {

struct Analysis {
  std::string_view state;          // impactAnalysisState
  std::string_view justification;  // impactAnalysisJustification; empty: none
  std::string_view response;       // empty: none
};

// What is matched and not analysed is in triage: "exploitable" would claim more than is known here,
// whatever the vendor or KEV say of the vulnerability, and so it would of a finding that an ignore
// rule accepts for reasons of its own ("not reachable"). The response is the vendor's or the
// rule's.
Analysis analysis(const Finding& finding) {
  if (const auto& excluded = finding.excluded) {
    if (excluded->status == "not_affected") return {"not_affected", "", ""};
    if (excluded->status == "fixed") return {"resolved", "", ""};
    return {"in_triage", "", "will_not_fix"};
  }
  switch (finding.status) {
    case FindingStatus::affected:
      return {"in_triage", "", finding.fixed_version.empty() ? "" : "update"};
    case FindingStatus::will_not_fix:
      return {"in_triage", "", "will_not_fix"};
    case FindingStatus::end_of_life:
      return {"in_triage", "", "can_not_fix"};
    case FindingStatus::fix_deferred:
    case FindingStatus::under_investigation:
      return {"in_triage", "", ""};
    case FindingStatus::not_running:
      return {"not_affected", "code_not_reachable", ""};
  }
  return {"in_triage", "", ""};
}

std::string detail(const Finding& finding) {
  if (const auto& excluded = finding.excluded) return excluded->by + ": " + excluded->reason;
  return finding.status_note;
}

// A component's bom-ref is its purl; where packages share one, their index is added.
class References {
 public:
  explicit References(const ScanResult& result) : result_(result) {
    std::map<std::string_view, std::size_t> uses;
    for (const auto* findings : {&result.findings, &result.ignored})
      for (const Finding& finding : *findings) packages_.insert(finding.package);
    for (const auto package : packages_) ++uses[result.inventory.packages[package].purl];
    for (const auto& [purl, count] : uses)
      if (count > 1 || purl.empty()) shared_.insert(purl);
  }
  const std::set<std::size_t>& packages() const { return packages_; }
  std::string of(std::size_t package) const {
    const auto& purl = result_.inventory.packages[package].purl;
    if (!shared_.contains(purl)) return purl;
    return fmt::format("{}#package-{}", purl, package);
  }

 private:
  const ScanResult& result_;
  std::set<std::size_t> packages_;
  std::set<std::string_view> shared_;
};

void property(json::Writer& json, std::string_view name, std::string_view value) {
  json.begin_object().member("name", name).member("value", value).end_object();
}

void write_metadata(json::Writer& json, const ScanResult& result, const RenderOptions& options) {
  json.key("metadata").begin_object();
  if (options.now != 0) json.member("timestamp", format_time(options.now));
  json.key("tools").begin_object().key("components").begin_array().begin_object();
  json.member("type", "application").member("name", "tenken");
  json.member_if("version", options.tool_version).end_object().end_array().end_object();
  json.key("component").begin_object();
  json.member("type", result.inventory.target == Inventory::Target::sbom ? "application"
                                                                         : "operating-system");
  json.member("bom-ref", "target").member("name", result.inventory.name);
  json.member_if("version", result.inventory.os.version_id).end_object();
  json.key("properties").begin_array();
  property(json, "tenken:database", result.database.generation);
  for (const Unknown& unknown : result.unknown)
    property(json, "tenken:unknown",
             fmt::format("{}: {} ({}): {}", unknown.kind, unknown.subject, unknown.count,
                         unknown.reason));
  json.end_array().end_object();
}

void write_component(json::Writer& json, const Package& package, const std::string& reference) {
  json.begin_object().member("type", "library").member("bom-ref", reference);
  json.member("name", package.name).member("version", package.version);
  json.member_if("purl", package.purl);
  json.key("properties").begin_array();
  if (!package.arch.empty()) property(json, "tenken:arch", package.arch);
  if (!package.source_name.empty())
    property(json, "tenken:source", trim(package.source_name + " " + package.source_version));
  if (!package.location.empty()) property(json, "tenken:location", package.location);
  json.end_array().end_object();
}

std::string_view method(const Severity& severity) {
  if (severity.type == "CVSS_V2") return "CVSSv2";
  if (severity.type == "CVSS_V4") return "CVSSv4";
  if (severity.type != "CVSS_V3") return "other";
  return severity.score.starts_with("CVSS:3.0") ? "CVSSv3" : "CVSSv31";
}

void write_source(json::Writer& json, const std::string& id) {
  const bool cve = id.starts_with("CVE-");
  if (!cve && !id.starts_with("GHSA-")) return;
  json.key("source").begin_object().member("name", cve ? "NVD" : "GitHub");
  json.member("url",
              (cve ? "https://nvd.nist.gov/vuln/detail/" : "https://github.com/advisories/") + id);
  json.end_object();
}

void write_ratings(json::Writer& json, const Finding& finding, const Vulnerability& known) {
  json.key("ratings").begin_array();
  json.begin_object();
  if (!finding.severity_source.empty())
    json.key("source").begin_object().member("name", finding.severity_source).end_object();
  json.member("severity", name(finding.severity)).end_object();
  for (const Severity& severity : known.severity) {
    if (method(severity) == "other") continue;  // a vendor's word is the rating above
    json.begin_object();
    if (!severity.source.empty())
      json.key("source").begin_object().member("name", severity.source).end_object();
    const auto scored = std::ranges::find(known.cvss, severity.score, &CvssScore::vector);
    if (scored != known.cvss.end()) json.key("score").number(scored->tenths / 10.0);
    json.member("method", method(severity)).member("vector", severity.score).end_object();
  }
  json.end_array();
}

void write_texts(json::Writer& json, const Vulnerability& known) {
  std::set<std::uint64_t> cwes;
  for (const auto& cwe : known.cwes)
    if (cwe.starts_with("CWE-"))
      if (const auto number = parse_uint(std::string_view(cwe).substr(4)); number && *number > 0)
        cwes.insert(*number);
  json.key("cwes").begin_array();
  for (const auto cwe : cwes) json.integer(static_cast<std::int64_t>(cwe));
  json.end_array();
  json.member_if("description", title(known)).member_if("detail", known.details);
  json.key("advisories").begin_array();
  for (const Reference& reference : known.references)
    json.begin_object().member("url", reference.url).end_object();
  json.end_array();
  if (known.published != 0) json.member("published", format_time(known.published));
  if (known.modified != 0) json.member("updated", format_time(known.modified));
}

// Findings that share everything an entry says of them.
using Key = std::tuple<std::string_view, SeverityLevel, std::string_view, std::string_view,
                       std::string_view, std::string>;
using Entries = std::map<Key, std::vector<const Finding*>>;

Entries group(const ScanResult& result) {
  Entries entries;
  for (const auto* findings : {&result.findings, &result.ignored}) {
    for (const Finding& finding : *findings) {
      const auto [state, justification, response] = analysis(finding);
      entries[{finding.id, finding.severity, state, justification, response, detail(finding)}]
          .push_back(&finding);
    }
  }
  return entries;
}

void write_entry(json::Writer& json, const ScanResult& result, const References& references,
                 const std::vector<const Finding*>& findings) {
  const Finding& first = *findings.front();
  const Vulnerability& known = vulnerability(result, first);
  json.begin_object().member("id", first.id);
  write_source(json, first.id);
  write_ratings(json, first, known);
  write_texts(json, known);
  const auto [state, justification, response] = analysis(first);
  json.key("analysis")
      .begin_object()
      .member("state", state)
      .member_if("justification", justification);
  if (!response.empty()) json.key("response").begin_array().string(response).end_array();
  json.member_if("detail", detail(first)).end_object();
  json.key("affects").begin_array();
  std::set<std::size_t> seen;  // affects must not repeat
  for (const Finding* finding : findings)
    if (seen.insert(finding->package).second)
      json.begin_object().member("ref", references.of(finding->package)).end_object();
  json.end_array();
  json.key("properties").begin_array();
  for (const Finding* finding : findings)
    if (!finding->fixed_version.empty())
      property(json, "tenken:fixed_version",
               package(result, *finding).name + " " + finding->fixed_version);
  if (known.exploited) property(json, "tenken:kev", format_date(known.exploited->added));
  if (known.prediction)
    property(json, "tenken:epss", fmt::format("{}", known.prediction->probability));
  json.end_array().end_object();
}

Result<> write(const ScanResult& result, const RenderOptions& options, const Output& out) {
  Pieces pieces(options, out);
  json::Writer& json = pieces.json;
  const References references(result);
  json.begin_object().member("bomFormat", "CycloneDX").member("specVersion", "1.6");
  json.key("version").integer(1);
  write_metadata(json, result, options);
  json.key("components").begin_array();
  for (const auto package : references.packages()) {
    write_component(json, result.inventory.packages[package], references.of(package));
    TRY_VOID(pieces.flush());
  }
  json.end_array().key("vulnerabilities").begin_array();
  for (const auto& [key, findings] : group(result)) {
    write_entry(json, result, references, findings);
    TRY_VOID(pieces.flush());
  }
  json.end_array().end_object();
  return pieces.finish();
}

}  // namespace
}  // namespace cyclonedx_vex_

extern constinit const Format cyclonedx_vex{
    .id = "cyclonedx_vex",
    .media_type = "application/vnd.cyclonedx+json; version=1.6",
    .write = cyclonedx_vex_::write};

}  // namespace tenken::report
