#include "api/v1/explanation.h"

namespace tenken::api::v1 {
namespace {

void write_evidence(json::Writer& out, std::string_view name, const std::vector<Evidence>& rows) {
  out.key(name).begin_array();
  for (const auto& row : rows) {
    out.begin_object();
    out.member("advisory", row.advisory).member("feed", row.feed);
    out.member("ecosystem", row.ecosystem).member("package", row.package);
    out.member("range", row.range).member_if("installed", row.installed);
    out.member_if("compared", row.compared).member_if("scheme", row.scheme);
    out.member("verdict", row.verdict).member("reason", row.reason);
    out.end_object();
  }
  out.end_array();
}

void write_finding(json::Writer& out, const Finding& finding) {
  out.begin_object();
  out.member("vulnerabilityId", finding.id).member("status", name(finding.status));
  out.member_if("statusNote", finding.status_note);
  out.member_if("fixedVersion", finding.fixed_version);
  out.strings("advisories", finding.advisories);
  write_evidence(out, "evidence", finding.evidence);
  out.end_object();
}

void write_package(json::Writer& out, const Package& package,
                   const pipeline::PackageExplanation& explanation) {
  out.begin_object();
  out.member("name", package.name).member("version", package.version);
  out.member_if("architecture", package.arch).member_if("sourceName", package.source_name);
  out.key("findings").begin_array();
  for (const auto& finding : explanation.findings) write_finding(out, finding);
  out.end_array();
  write_evidence(out, "others", explanation.others);
  out.end_object();
}

}  // namespace

void write_explanation(json::Writer& out, std::span<const Package> packages,
                       const pipeline::Explanation& explanation) {
  out.key("packages").begin_array();
  for (const auto& one : explanation.packages) write_package(out, packages[one.package], one);
  out.end_array();
  out.key("unknown").begin_array();
  for (const auto& one : explanation.unknown) {
    out.begin_object();
    out.member("kind", one.kind).member("subject", one.subject).member("reason", one.reason);
    out.key("count").integer(static_cast<std::int64_t>(one.count));
    out.end_object();
  }
  out.end_array();
}

}  // namespace tenken::api::v1
