#include "api/sbom_report.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "api/finding_document.h"
#include "base/text.h"

namespace tenken::api {
namespace {

constexpr std::string_view prefix = "amazon:inspector:sbom_scanner:";
constexpr std::size_t references_shown = 100;
constexpr std::string_view skipped = "Component skipped: no advisories for packages of this kind.";

// A vulnerability with all of its findings.
struct Found {
  const Vulnerability* known = nullptr;
  std::vector<const Finding*> findings;
  SeverityLevel severity = SeverityLevel::unknown;  // the worst
};

std::vector<Found> found_of(const ScanResult& result) {
  std::map<std::uint32_t, Found> by_number;
  for (const auto& finding : result.findings) {
    auto& one = by_number[finding.vulnerability];
    one.known = &result.vulnerabilities[finding.vulnerability];
    one.findings.push_back(&finding);
    one.severity = std::max(one.severity, finding.severity);
  }
  std::vector<Found> out;
  for (auto& [number, one] : by_number) out.push_back(std::move(one));
  return out;
}

const std::string& id_of(const Found& found) {
  return found.findings.front()->id;
}

std::int64_t count(const std::vector<Found>& found, SeverityLevel level) {
  return std::ranges::count(found, level, &Found::severity);
}

std::string_view source_name(std::string_view id) {
  if (id.starts_with("CVE-")) return "NVD";
  return id.starts_with("GHSA-") ? "GITHUB" : split_once(id, '-').first;
}

std::string_view method_name(std::string_view cvss_version) {
  if (cvss_version == "2.0") return "CVSSv2";
  if (cvss_version == "3.0") return "CVSSv3";
  return cvss_version == "3.1" ? "CVSSv31" : "CVSSv4";
}

void write_property(json::Writer& out, std::string_view name, std::string_view value) {
  out.begin_object();
  out.member("name", fmt::format("{}{}", prefix, name)).member("value", value).end_object();
}

void write_source(json::Writer& out, std::string_view name, std::string_view url) {
  out.key("source").begin_object().member("name", name).member_if("url", url).end_object();
}

void write_ratings(json::Writer& out, const Found& found) {
  out.key("ratings").begin_array();
  for (const auto& one : found.known->cvss) {
    out.begin_object();
    write_source(out, scorer_name(one.source), "");
    out.key("score").number(one.tenths / 10.0);
    out.member("severity", name(level_of_score(one.tenths)));
    out.member("method", method_name(cvss_version(one.vector))).member("vector", one.vector);
    out.end_object();
  }
  // The severity that counts here, under the name by which clients know the service's own.
  out.begin_object();
  write_source(out, "AMAZON_INSPECTOR", "");
  out.member("severity", name(found.severity)).member("method", "other").end_object();
  if (const auto& prediction = found.known->prediction) {
    out.begin_object();
    write_source(out, "EPSS", "https://www.first.org/epss/");
    out.key("score").number(prediction->probability);
    out.member("severity", "none").member("method", "other");
    if (prediction->date != 0)
      out.member("vector", fmt::format("date:{}", format_date(prediction->date)));
    out.end_object();
  }
  out.end_array();
}

// "CWE-79" as 79.
void write_cwes(json::Writer& out, const Vulnerability& known) {
  out.key("cwes").begin_array();
  for (const std::string_view cwe : known.cwes) {
    const auto number =
        cwe.starts_with("CWE-") ? parse_uint(cwe.substr(4)) : std::optional<std::uint64_t>();
    if (number && *number <= 100'000) out.integer(static_cast<std::int64_t>(*number));
  }
  out.end_array();
}

std::string_view description(const Vulnerability& known) {
  return known.details.empty() ? known.summary : known.details;
}

void write_times(json::Writer& out, const Vulnerability& known) {
  if (known.published != 0) out.member("created", format_time(known.published));
  if (known.modified != 0) out.member("updated", format_time(known.modified));
}

void write_properties(json::Writer& out, const SbomReport& report, const Found& found) {
  out.key("properties").begin_array();
  write_property(out, "exploit_available", found.known->exploited ? "true" : "false");
  if (const auto& exploited = found.known->exploited) {
    write_property(out, "cisa_kev_date_added", format_time(exploited->added));
    if (exploited->due != 0) write_property(out, "cisa_kev_date_due", format_time(exploited->due));
  }
  std::set<std::string_view> said;
  for (const auto* finding : found.findings) {
    const auto& reference = report.references[finding->package];
    if (!finding->fixed_version.empty() && said.insert(reference).second)
      write_property(out, fmt::format("fixed_version:{}", reference), finding->fixed_version);
  }
  out.end_array();
}

void write_references(json::Writer& out, const Vulnerability& known) {
  out.key("advisories").begin_array();
  const auto shown = std::min(references_shown, known.references.size());
  for (std::size_t i = 0; i < shown; ++i)
    out.begin_object().member("url", known.references[i].url).end_object();
  out.end_array();
}

void write_vulnerability(json::Writer& out, const SbomReport& report, const Found& found,
                         std::size_t number) {
  const auto& id = id_of(found);
  out.begin_object().member("bom-ref", fmt::format("vuln-{}", number)).member("id", id);
  write_source(out, source_name(id), vulnerability_url(id));
  out.key("references").begin_array();
  for (const auto& alias : found.known->aliases) {
    if (alias == id) continue;
    out.begin_object().member("id", alias);
    write_source(out, source_name(alias), vulnerability_url(alias));
    out.end_object();
  }
  out.end_array();
  write_ratings(out, found);
  write_cwes(out, *found.known);
  out.member("description", description(*found.known));
  write_references(out, *found.known);
  write_times(out, *found.known);
  out.key("affects").begin_array();
  std::set<std::string_view> said;
  for (const auto* finding : found.findings) {
    const auto& reference = report.references[finding->package];
    if (said.insert(reference).second) out.begin_object().member("ref", reference).end_object();
  }
  out.end_array();
  write_properties(out, report, found);
  out.end_object();
}

void write_components(json::Writer& out, const SbomReport& report) {
  const auto& packages = report.result.inventory.packages;
  std::set<std::size_t> hit;
  for (const auto& finding : report.result.findings) hit.insert(finding.package);
  out.key("components").begin_array();
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const auto& package = packages[i];
    out.begin_object().member("bom-ref", report.references[i]).member("type", "library");
    out.member("name", package.name).member_if("version", package.version);
    out.member_if("purl", package.purl);
    out.key("properties").begin_array();
    if (!package.location.empty()) write_property(out, "path", package.location);
    if (package.ecosystem.empty())
      write_property(out, "warning", skipped);
    else if (!hit.contains(i))
      write_property(out, "info", "Component scanned: no vulnerabilities found.");
    out.end_array().end_object();
  }
  out.end_array();
}

void write_metadata(json::Writer& out, const SbomReport& report, const std::vector<Found>& found) {
  out.key("metadata").begin_object().key("properties").begin_array();
  const auto critical = count(found, SeverityLevel::critical);
  const auto high = count(found, SeverityLevel::high);
  const auto medium = count(found, SeverityLevel::medium);
  const auto low = count(found, SeverityLevel::low);
  write_property(out, "critical_vulnerabilities", std::to_string(critical));
  write_property(out, "high_vulnerabilities", std::to_string(high));
  write_property(out, "medium_vulnerabilities", std::to_string(medium));
  write_property(out, "low_vulnerabilities", std::to_string(low));
  write_property(out, "other_vulnerabilities",
                 std::to_string(std::ssize(found) - critical - high - medium - low));
  out.end_array();
  out.key("tools").begin_object().key("components").begin_array();
  out.begin_object().member("type", "application").member("name", "tenken").end_object();
  out.end_array().end_object();
  out.member("timestamp", format_time(report.now)).end_object();
}

// What could not be decided, which is not "no vulnerabilities".
std::string text_of(const Unknown& unknown) {
  return fmt::format("{} {}: {} ({})", unknown.kind, unknown.subject, unknown.reason,
                     unknown.count);
}

// Each package that was skipped, then what of the others could not be decided.
void write_messages(json::Writer& out, const ScanResult& result) {
  out.key("messages").begin_array();
  for (const auto& package : result.inventory.packages) {
    if (!package.ecosystem.empty()) continue;
    out.begin_object().member("name", package.name).member_if("purl", package.purl);
    out.member("info", skipped).end_object();
  }
  for (const auto& unknown : result.unknown) {
    out.begin_object().member("name", unknown.subject);
    out.member("info", text_of(unknown)).end_object();
  }
  out.end_array();
}

void write_cvss(json::Writer& out, const Found& found) {
  out.key("cvss").begin_array();
  for (const auto& one : found.known->cvss) {
    const char major = cvss_version(one.vector).front();
    out.begin_object().member("source", scorer_name(one.source));
    out.member("severity", name(level_of_score(one.tenths)));
    out.key(fmt::format("cvss{}_base_score", major)).number(one.tenths / 10.0);
    out.member(fmt::format("cvss{}_base_vector", major), one.vector).end_object();
  }
  out.end_array();
}

void write_plain_vulnerability(json::Writer& out, const SbomReport& report, const Found& found) {
  const auto& id = id_of(found);
  const auto& known = *found.known;
  out.begin_object().member("id", id).member("severity", name(found.severity));
  out.member("source", vulnerability_url(id));
  out.strings("related", known.aliases);
  out.member("description", description(known));
  out.key("references").begin_array();
  const auto shown = std::min(references_shown, known.references.size());
  for (std::size_t i = 0; i < shown; ++i) out.string(known.references[i].url);
  out.end_array();
  write_times(out, known);
  out.key("properties").begin_object();
  write_cwes(out, known);
  write_cvss(out, found);
  if (known.prediction) out.key("epss").number(known.prediction->probability);
  out.key("exploit_available").boolean(known.exploited.has_value());
  if (known.exploited) {
    out.member("cisa_kev_date_added", format_time(known.exploited->added));
    if (known.exploited->due != 0)
      out.member("cisa_kev_date_due", format_time(known.exploited->due));
  }
  out.end_object();
  out.key("affects").begin_array();
  for (const auto* finding : found.findings) {
    const auto& package = report.result.inventory.packages[finding->package];
    out.begin_object().member("bom_ref", report.references[finding->package]);
    out.member("installed_version", package.purl);
    out.member_if("fixed_version", finding->fixed_version).member_if("path", package.location);
    out.end_object();
  }
  out.end_array().end_object();
}

}  // namespace

void write_cyclonedx_1_5(json::Writer& out, const SbomReport& report) {
  const auto found = found_of(report.result);
  out.begin_object();
  out.member("bomFormat", "CycloneDX").member("specVersion", "1.5");
  out.member("serialNumber", fmt::format("urn:uuid:{}", report.serial)).key("version").integer(1);
  write_metadata(out, report, found);
  write_components(out, report);
  if (!report.result.inventory.skips.empty())
    out.key("compositions")
        .begin_array()
        .begin_object()
        .member("aggregate", "incomplete")
        .end_object()
        .end_array();
  out.key("vulnerabilities").begin_array();
  for (std::size_t i = 0; i < found.size(); ++i) write_vulnerability(out, report, found[i], i + 1);
  out.end_array();
  if (!report.result.unknown.empty()) {
    out.key("properties").begin_array();
    for (const auto& unknown : report.result.unknown)
      out.begin_object()
          .member("name", "tenken:unknown")
          .member("value", text_of(unknown))
          .end_object();
    out.end_array();
  }
  out.end_object();
}

void write_inspector(json::Writer& out, const SbomReport& report) {
  const auto found = found_of(report.result);
  out.begin_object();
  out.member("status",
             fmt::format("SBOM parsed successfully, {} vulnerabilities found", found.size()));
  out.key("vulnerability_count").begin_object();
  for (const auto level :
       {SeverityLevel::critical, SeverityLevel::high, SeverityLevel::medium, SeverityLevel::low})
    out.key(name(level)).integer(count(found, level));
  out.end_object();
  write_messages(out, report.result);
  out.key("vulnerabilities").begin_array();
  for (const auto& one : found) write_plain_vulnerability(out, report, one);
  out.end_array().end_object();
}

}  // namespace tenken::api
