// SARIF 2.1.0 (OASIS), as code hosts read it: rules are vulnerabilities, results are findings.
// Ignored findings are results with a suppression (3.27.23); what could not be decided stands as
// notifications of the run (3.20.21), so that a reader sees that the run is not complete.
#include <fmt/format.h>

#include "base/text.h"
#include "report/format.h"
#include "report/pieces.h"

namespace tenken::report {
namespace sarif_ {
namespace {

constexpr std::string_view schema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

std::string_view level(SeverityLevel severity) {
  switch (severity) {
    case SeverityLevel::critical:
    case SeverityLevel::high:
      return "error";
    case SeverityLevel::medium:
    case SeverityLevel::unknown:
      return "warning";
    case SeverityLevel::low:
    case SeverityLevel::none:
      return "note";
  }
  return "warning";
}

// RFC 3986 path characters stay, everything else is percent-encoded.
std::string uri_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (is_alnum(c) || std::string_view("-._~/!$&'()*+,;=@").contains(c))
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// The same fault of the same package in the next scan, also after an update that did not fix it.
std::string fingerprint(const Finding& finding, const Package& package) {
  return fmt::format("{}/{}:{}/{}/{}/{}", finding.id, package.ecosystem, package.release,
                     package.name, package.arch, package.location);
}

void text_object(json::Writer& json, std::string_view key, std::string_view text) {
  json.key(key).begin_object().member("text", text).end_object();
}

// The greatest score of each vulnerability's findings.
std::vector<std::int16_t> rule_scores(const ScanResult& result) {
  std::vector<std::int16_t> out(result.vulnerabilities.size(), no_score);
  for (const auto* findings : {&result.findings, &result.ignored})
    for (const Finding& finding : *findings)
      out[finding.vulnerability] = std::max(out[finding.vulnerability], finding.score);
  return out;
}

void write_rule(json::Writer& json, const Vulnerability& known, std::int16_t score) {
  const std::string& id = known.id;
  const auto short_text = title(known);
  json.begin_object().member("id", id);
  text_object(json, "shortDescription", short_text.empty() ? id : short_text);
  text_object(json, "fullDescription", known.details.empty() ? id : known.details);
  if (!known.references.empty()) json.member("helpUri", known.references.front().url);
  json.key("properties").begin_object();
  if (score != no_score) json.member("security-severity", fmt::format("{:.1f}", score / 10.0));
  json.key("tags").begin_array().string("security").string("vulnerability");
  if (known.exploited) json.string("known-exploited");
  for (const auto& cwe : known.cwes) json.string("external/cwe/" + ascii_lower(cwe));
  json.end_array().end_object().end_object();
}

std::string message(Lang lang, const Finding& finding, const Package& package,
                    const Vulnerability& known) {
  const auto short_text = title(known);
  const auto fix = finding.fixed_version.empty()
                       ? say(lang, Message::cell_no_fix)
                       : say(lang, Message::cell_fixed_in, finding.fixed_version);
  return fmt::format("{} {}: {}{}{} ({})", package.name, package.version, finding.id,
                     short_text.empty() ? "" : ": ", short_text, fix);
}

void write_location(json::Writer& json, const ScanResult& result, const Package& package) {
  const auto& path = package.location.empty() ? result.inventory.name : package.location;
  json.key("locations").begin_array().begin_object();
  json.key("physicalLocation").begin_object();
  json.key("artifactLocation").begin_object().member("uri", uri_path(path)).end_object();
  // Code hosts want a region; a package database has no line worth naming.
  json.key("region").begin_object().key("startLine").integer(1).end_object().end_object();
  json.key("logicalLocations").begin_array().begin_object().member("name", package.name);
  json.member("fullyQualifiedName", package.purl.empty() ? package.name : package.purl);
  json.member("kind", "package").end_object().end_array().end_object().end_array();
}

void write_result(json::Writer& json, const ScanResult& result, const RenderOptions& options,
                  const Finding& finding) {
  const Package& package = report::package(result, finding);
  const Vulnerability& known = vulnerability(result, finding);
  json.begin_object().member("ruleId", finding.id).key("ruleIndex").integer(finding.vulnerability);
  json.member("level", level(finding.severity));
  text_object(json, "message", message(options.lang, finding, package, known));
  write_location(json, result, package);
  json.key("partialFingerprints").begin_object();
  json.member("tenkenFinding/v1", fingerprint(finding, package)).end_object();
  if (const auto& excluded = finding.excluded) {
    json.key("suppressions").begin_array().begin_object().member("kind", "external");
    json.member("status", "accepted");
    json.member("justification", excluded->by + ": " + excluded->reason);
    json.end_object().end_array();
  }
  json.key("properties").begin_object().member("severity", name(finding.severity));
  json.member("status", name(finding.status)).member("package", package.name);
  json.member("version", package.version).member("fixed_version", finding.fixed_version);
  json.strings("advisories", finding.advisories).end_object().end_object();
}

void write_notifications(json::Writer& json, const ScanResult& result) {
  const auto notification = [&](std::string_view kind, std::string_view text) {
    json.begin_object().key("descriptor").begin_object().member("id", kind).end_object();
    json.member("level", "warning");
    text_object(json, "message", text);
    json.end_object();
  };
  json.key("invocations").begin_array().begin_object().key("executionSuccessful").boolean(true);
  json.key("toolExecutionNotifications").begin_array();
  for (const Unknown& unknown : result.unknown)
    notification(unknown.kind,
                 fmt::format("{} ({}): {}", unknown.subject, unknown.count, unknown.reason));
  for (const auto& warning : result.warnings) notification("warning", warning);
  json.end_array().end_object().end_array();
}

Result<> write_rules(Pieces& pieces, const ScanResult& result) {
  pieces.json.key("rules").begin_array();
  const auto scores = rule_scores(result);
  for (std::size_t i = 0; i < result.vulnerabilities.size(); ++i) {
    write_rule(pieces.json, result.vulnerabilities[i], scores[i]);
    TRY_VOID(pieces.flush());
  }
  pieces.json.end_array();
  return {};
}

Result<> write(const ScanResult& result, const RenderOptions& options, const Output& out) {
  Pieces pieces(options, out);
  json::Writer& json = pieces.json;
  json.begin_object().member("$schema", schema).member("version", "2.1.0");
  json.key("runs").begin_array().begin_object();
  json.key("tool").begin_object().key("driver").begin_object().member("name", "tenken");
  json.member_if("version", options.tool_version);
  TRY_VOID(write_rules(pieces, result));
  json.end_object().end_object();
  write_notifications(json, result);
  json.key("results").begin_array();
  for (const auto* findings : {&result.findings, &result.ignored}) {
    for (const Finding& finding : *findings) {
      write_result(json, result, options, finding);
      TRY_VOID(pieces.flush());
    }
  }
  json.end_array().end_object().end_array().end_object();
  return pieces.finish();
}

}  // namespace
}  // namespace sarif_

extern constinit const Format sarif{
    .id = "sarif", .media_type = "application/sarif+json", .write = sarif_::write};

}  // namespace tenken::report
