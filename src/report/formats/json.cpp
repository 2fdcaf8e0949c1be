// tenken's own JSON, described by docs/scan-result.schema.json. Names and values are the same in
// every language; only reasons and warnings are in the user's. Texts and references of a
// vulnerability stand once, under "vulnerabilities"; findings refer to it by id.
#include "report/format.h"
#include "report/pieces.h"

namespace tenken::report {
namespace json_ {
namespace {

constexpr int schema_version = 1;

void time_member(json::Writer& json, std::string_view key, Seconds time) {
  json.key(key);
  time == 0 ? json.null() : json.string(format_time(time));
}

void text_or_null(json::Writer& json, std::string_view key, std::string_view text) {
  json.key(key);
  text.empty() ? json.null() : json.string(text);
}

json::Writer& count(json::Writer& json, std::string_view key, std::uint64_t number) {
  return json.key(key).integer(static_cast<std::int64_t>(number));
}

void write_target(json::Writer& json, const Inventory& inventory) {
  const OperatingSystem& os = inventory.os;
  json.key("target").begin_object();
  json.member("kind", target_kind(inventory.target)).member("name", inventory.name);
  json.key("os").begin_object();
  json.member("id", os.id).member("version_id", os.version_id).member("codename", os.codename);
  json.member("pretty_name", os.pretty_name).member("ecosystem", os.ecosystem);
  json.member("release", os.release).end_object();
  text_or_null(json, "running_kernel", inventory.running_kernel);
  json.end_object();
}

void write_database(json::Writer& json, const DatabaseState& database) {
  json.key("database").begin_object();
  json.member("path", database.path).member("generation", database.generation);
  time_member(json, "built", database.built);
  time_member(json, "newest_record", database.newest_record);
  json.key("starter").boolean(database.starter);
  json.key("feeds").begin_array();
  for (const FeedState& feed : database.feeds) {
    json.begin_object().member("id", feed.id);
    text_or_null(json, "newest", feed.newest);
    count(json, "records", feed.records);
    count(json, "skipped", feed.skipped).end_object();
  }
  json.end_array().key("used").begin_array();
  for (const UsedCoverage& used : database.used) {
    json.begin_object().member("ecosystem", used.ecosystem);
    count(json, "rows", used.rows);
    time_member(json, "newest", used.newest);
    json.key("partial").boolean(used.partial).end_object();
  }
  json.end_array().end_object();
}

void write_cvss(json::Writer& json, const CvssScore& cvss) {
  json.key("score").number(cvss.tenths / 10.0).member("version", cvss_version(cvss.vector));
  json.member("vector", cvss.vector).member("source", cvss.source);
}

void write_score(json::Writer& json, const Finding& finding, const Vulnerability& known) {
  json.key("score");
  finding.score == no_score ? json.null() : json.number(finding.score / 10.0);
  json.member("score_source", score_source(finding, known));
  json.key("score_estimated").boolean(finding.score_estimated);
  json.key("cvss");
  if (const auto* cvss = chosen_cvss(finding, known)) {
    json.begin_object();
    write_cvss(json, *cvss);
    json.key("foreign").boolean(finding.foreign_vector).end_object();
  } else {
    json.null();
  }
}

void write_package(json::Writer& json, const Package& package) {
  json.key("package").begin_object();
  json.member("name", package.name).member("version", package.version);
  json.member("arch", package.arch).member("source", package.source_name);
  json.member("source_version", package.source_version).member("purl", package.purl);
  json.member("ecosystem", package.ecosystem).member("release", package.release);
  json.member("location", package.location).end_object();
}

void write_evidence(json::Writer& json, const std::vector<Evidence>& evidence) {
  json.key("evidence").begin_array();
  for (const Evidence& row : evidence) {
    json.begin_object().member("advisory", row.advisory).member("feed", row.feed);
    json.member("ecosystem", row.ecosystem).member("package", row.package);
    json.member("range", row.range).member("installed", row.installed);
    json.member("compared", row.compared).member("scheme", row.scheme);
    json.member("verdict", row.verdict).member("reason", row.reason).end_object();
  }
  json.end_array();
}

void write_finding(json::Writer& json, const ScanResult& result, const Finding& finding) {
  json.begin_object().member("id", finding.id);
  json.strings("aliases", vulnerability(result, finding).aliases);
  json.strings("advisories", finding.advisories);
  json.member("status", name(finding.status)).member("status_note", finding.status_note);
  json.member("severity", name(finding.severity));
  json.member("severity_source", finding.severity_source);
  write_score(json, finding, vulnerability(result, finding));
  text_or_null(json, "fixed_version", finding.fixed_version);
  write_package(json, package(result, finding));
  write_evidence(json, finding.evidence);
  if (const auto& excluded = finding.excluded) {
    json.key("ignored").begin_object().member("by", excluded->by);
    json.member("status", excluded->status);
    json.member("reason", excluded->reason).end_object();
  }
  json.end_object();
}

Result<> write_findings(Pieces& pieces, std::string_view key, const ScanResult& result,
                        const std::vector<Finding>& findings) {
  pieces.json.key(key).begin_array();
  for (const Finding& finding : findings) {
    write_finding(pieces.json, result, finding);
    TRY_VOID(pieces.flush());
  }
  pieces.json.end_array();
  return {};
}

void write_unknown(json::Writer& json, const ScanResult& result) {
  json.key("unknown").begin_array();
  for (const Unknown& unknown : result.unknown) {
    json.begin_object().member("kind", unknown.kind).member("subject", unknown.subject);
    json.member("reason", unknown.reason);
    count(json, "count", unknown.count).end_object();
  }
  json.end_array();
  json.key("skips").begin_array();
  for (const Skip& skip : result.inventory.skips) {
    json.begin_object().member("file", skip.file).member("record", skip.record);
    json.member("reason", skip.reason).end_object();
  }
  json.end_array();
  json.strings("warnings", result.warnings);
}

void write_exploitation(json::Writer& json, const Vulnerability& vulnerability) {
  json.key("kev");
  if (const auto& kev = vulnerability.exploited) {
    json.begin_object().member("added", format_date(kev->added));
    text_or_null(json, "due", kev->due == 0 ? "" : format_date(kev->due));
    json.key("ransomware").boolean(kev->ransomware);
    json.member("name", kev->name).member("action", kev->action).end_object();
  } else {
    json.null();
  }
  json.key("epss");
  if (const auto& epss = vulnerability.prediction) {
    json.begin_object().key("probability").number(epss->probability).key("percentile");
    epss->percentile < 0 ? json.null() : json.number(epss->percentile);
    text_or_null(json, "date", epss->date == 0 ? "" : format_date(epss->date));
    json.end_object();
  } else {
    json.null();
  }
}

void write_vulnerability(json::Writer& json, const Vulnerability& vulnerability) {
  json.begin_object().strings("aliases", vulnerability.aliases);
  json.member("summary", vulnerability.summary).member("summary_ja", vulnerability.summary_ja);
  json.member("details", vulnerability.details);
  time_member(json, "published", vulnerability.published);
  time_member(json, "modified", vulnerability.modified);
  json.key("severity").begin_array();
  for (const Severity& severity : vulnerability.severity) {
    json.begin_object().member("type", severity.type).member("score", severity.score);
    json.member("source", severity.source).key("primary").boolean(severity.primary).end_object();
  }
  json.end_array().key("cvss");
  if (vulnerability.cvss.empty()) {
    json.null();
  } else {
    json.begin_object();
    write_cvss(json, vulnerability.cvss.front());
    json.end_object();
  }
  json.key("scores").begin_array();
  for (const CvssScore& cvss : vulnerability.cvss) {
    json.begin_object();
    write_cvss(json, cvss);
    json.end_object();
  }
  json.end_array().key("scores_disagree").boolean(scores_disagree(vulnerability));
  json.strings("cwes", vulnerability.cwes);
  json.key("references").begin_array();
  for (const Reference& reference : vulnerability.references)
    json.begin_object().member("type", reference.type).member("url", reference.url).end_object();
  json.end_array();
  write_exploitation(json, vulnerability);
  json.end_object();
}

Result<> write(const ScanResult& result, const RenderOptions& options, const Output& out) {
  Pieces pieces(options, out);
  json::Writer& json = pieces.json;
  json.begin_object().key("schema_version").integer(schema_version);
  json.key("tool").begin_object().member("name", "tenken");
  json.member("version", options.tool_version).end_object();
  time_member(json, "time", options.now);
  write_target(json, result.inventory);
  write_database(json, result.database);
  count(json, "packages", result.counted_packages);
  TRY_VOID(write_findings(pieces, "findings", result, result.findings));
  TRY_VOID(write_findings(pieces, "ignored", result, result.ignored));
  count(json, "hidden", result.hidden);
  write_unknown(json, result);
  json.key("vulnerabilities").begin_object();
  for (const Vulnerability& one : result.vulnerabilities) {
    json.key(one.id);
    write_vulnerability(json, one);
    TRY_VOID(pieces.flush());
  }
  json.end_object().end_object();
  return pieces.finish();
}

}  // namespace
}  // namespace json_

extern constinit const Format json{
    .id = "json", .media_type = "application/json", .write = json_::write};

}  // namespace tenken::report
