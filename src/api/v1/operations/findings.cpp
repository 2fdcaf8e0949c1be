// Findings: a list, and one with its evidence and its history.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "api/finding_document.h"
#include "api/v1/explanation.h"
#include "api/v1/page.h"
#include "api/v1/pieces.h"
#include "api/v1/v1.h"
#include "base/text.h"
#include "findings/score.h"
#include "pipeline/stored_inventory.h"
#include "store/coverage_now.h"
#include "store/finding_query.h"

namespace tenken::api::v1 {
namespace findings_ {
namespace {

using tenken::findings::Comparison;
using tenken::findings::TextField;

void write_package(json::Writer& out, const store::FindingPackage& package) {
  out.begin_object();
  out.member("name", package.name).member("version", package.version);
  out.member("kind", package.kind).member_if("architecture", package.arch);
  out.member_if("location", package.location).member_if("fixedVersion", package.fixed_version);
  out.member_if("advisories", package.advisories);
  if (!package.running.empty()) out.key("running").document(package.running);
  out.end_object();
}

void write_score(json::Writer& out, const store::FindingRow& finding) {
  if (finding.score < 0) return;
  json::Parser parser({.bytes = std::size_t{16} << 20, .depth = 16});
  const auto document = parser.parse(finding.document);
  const auto origin = score_origin(finding, document ? *document : json::Value());
  out.key("score").number(static_cast<double>(finding.score) / 10);
  out.member_if("scoreSource", origin.source);
  out.key("scoreEstimated").boolean(!origin.cvss);
}

// What is installed is no longer affected; what runs is.
bool restart_needed(const store::FindingRow& finding) {
  return !finding.packages.empty() &&
         std::ranges::all_of(finding.packages,
                             [](const auto& package) { return !package.running.empty(); });
}

using Silences = std::map<std::int64_t, store::Silence>;

// Of which hosts nothing is heard, so that what was found there may not be so any more.
Result<Silences> silences(sql::Connection& connection, std::span<const store::FindingRow> findings,
                          Seconds now) {
  std::set<std::int64_t> ids;
  for (const auto& one : findings)
    if (one.status != store::Lifecycle::closed) ids.insert(one.key.resource.value);
  std::vector<store::ResourceId> resources;
  for (const auto id : ids) resources.push_back({id});
  return store::silent_resources(connection, resources, now);
}

void write_stale(json::Writer& out, const store::FindingRow& finding, const Silences& silences) {
  const auto silence = finding.status == store::Lifecycle::closed
                           ? silences.end()
                           : silences.find(finding.key.resource.value);
  const bool silent = silence != silences.end();
  const bool stale = finding.stale != store::Staleness::none;
  out.key("stale").boolean(stale || silent);
  if (!stale && !silent) return;
  out.key("staleReasons").begin_array();
  if (stale) {
    const bool covered = finding.stale == store::Staleness::undecided;
    out.begin_object().member("reason", covered ? "UNDECIDED" : "NOT_COVERED");
    out.member("message", covered ? "what is installed now could not be decided"
                                  : "the advisory data in use no longer covers it");
    out.end_object();
  }
  if (silent) {
    out.begin_object().member("reason", silence->second.reason);
    out.member("message", silence->second.reason == "STALE_INVENTORY"
                              ? "the host has been silent for more than seven days"
                              : "the host's agent was revoked, and nothing was heard since");
    write_time(out, "since", silence->second.since);
    out.end_object();
  }
  out.end_array();
}

void write_finding(json::Writer& out, const store::FindingRow& finding, const Silences& silences) {
  out.member("findingId", store::finding_id(finding.account, finding.key.resource,
                                            finding.key.vulnerability, finding.key.episode));
  out.member("vulnerabilityId", finding.key.vulnerability);
  out.member("title", finding_title(finding)).member("status", status_name(finding.status));
  out.member("severity", tenken::findings::inspector_severity(finding.score));
  write_score(out, finding);
  out.member("fixAvailable", fix_name(finding.fix));
  write_stale(out, finding, silences);
  out.key("restartNeeded").boolean(restart_needed(finding));
  out.key("resource").begin_object();
  out.member("resourceId", finding.resource_external_id);
  out.member("type", word_of_type(finding.resource_type));
  out.member_if("name", finding.resource_name).member_if("platform", finding.resource_platform);
  out.end_object();
  out.key("packages").begin_array();
  for (const auto& package : finding.packages) write_package(out, package);
  out.end_array();
  if (finding.epss >= 0) out.key("epss").number(finding.epss);
  write_time(out, "exploitedSince", finding.exploited);
  write_time(out, "firstObservedAt", finding.key.episode);
  write_time(out, "lastObservedAt", finding.last_observed);
  write_time(out, "updatedAt", finding.updated);
  write_time(out, "closedAt", finding.closed);
  out.member_if("suppressedBy", finding.suppressed_by).member("cause", finding.cause);
}

// A parameter that findings are chosen by.
struct Filter {
  std::string_view name;
  TextField field;
  std::string_view words;  // that it may be, separated by blanks; empty: any
};
constexpr std::array filters{
    Filter{"status", TextField::status, "ACTIVE SUPPRESSED CLOSED"},
    Filter{"severity", TextField::severity, "CRITICAL HIGH MEDIUM LOW INFORMATIONAL UNTRIAGED"},
    Filter{"resource", TextField::resource_id, ""},
    Filter{"vulnerability", TextField::vulnerability_id, ""},
    Filter{"fixAvailable", TextField::fix_available, "YES NO PARTIAL"},
};

bool is_one_of(std::string_view word, std::string_view words) {
  const auto all = split(words, ' ');
  return std::ranges::find(all, word) != all.end();
}

// Each parameter once or more: any of its values.
ApiResult<tenken::findings::Criteria> criteria_of(const V1Call& call) {
  constexpr std::size_t most_values = 100;
  if (call.query.size() > most_values) return validation_failed("more than 100 parameters");
  tenken::findings::Criteria out;
  for (const auto& filter : filters) {
    tenken::findings::TextCondition condition{.field = filter.field};
    for (const auto& [name, value] : call.query) {
      if (name != filter.name) continue;
      if (!filter.words.empty() && !is_one_of(value, filter.words))
        return validation_failed(fmt::format("{}: one of {} is needed", name, filter.words));
      condition.tests.push_back({.comparison = Comparison::equals, .value = value});
    }
    if (!condition.tests.empty()) out.texts.push_back(std::move(condition));
  }
  return out;
}

// By score, the highest first.
ApiResult<http::Response> list_findings(const V1Call& call) {
  TRY(const auto page, read_page(call));
  store::FindingQuestion question{.accounts = {call.who.account}};
  question.limit = static_cast<std::size_t>(page.limit);
  TRY(question.criteria, criteria_of(call));
  if (!page.position.empty()) {
    TRY(question.after, store::to_position(page.position, question.order));
  }
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto found, store::list_findings(*connection, question));
  TRY(const auto silent, silences(*connection, found.findings, call.services.clock()));
  json::Writer out;
  out.begin_object();
  out.key("findings").begin_array();
  for (const auto& finding : found.findings) {
    out.begin_object();
    write_finding(out, finding, silent);
    out.end_object();
  }
  out.end_array();
  if (!found.next.empty()) write_next_token(out, call, page, store::to_texts(found.next));
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

ApiResult<store::FindingRow> finding_of(const V1Call& call, sql::Connection& connection) {
  TRY(const auto key, store::find_finding(connection, call.who.account, call.labels[0]));
  if (!key) return resource_not_found("There is no such finding");
  TRY(auto rows, store::findings_of(connection, call.who.account, std::span(&*key, 1)));
  if (rows.empty()) return resource_not_found("There is no such finding");
  return std::move(rows.front());
}

// What the advisories say today of the packages that the finding names.
ApiResult<> write_evidence(json::Writer& out, const V1Call& call, sql::Connection& connection,
                           const store::FindingRow& finding) {
  std::vector<Package> packages;
  pipeline::Explanation explanation;
  const auto generation = call.services.generation();
  TRY(const auto resource,
      store::find_resource(connection, call.who.account, finding.resource_external_id));
  if (generation != nullptr && resource) {
    auto inventory = pipeline::described_inventory(*resource);
    TRY(auto versions, store::package_versions(connection, finding.package_ids));
    for (auto& version : versions) {
      inventory.esm_attached = inventory.esm_attached || version.host_state == "esm";
      packages.push_back(std::move(version.package));
    }
    TRY(explanation, pipeline::explain(*generation, finding.key.vulnerability, packages,
                                       {.now = call.services.clock(),
                                        .running_kernel = inventory.running_kernel,
                                        .esm_attached = inventory.esm_attached}));
  }
  out.key("evidence").begin_object();
  write_explanation(out, packages, explanation);
  out.end_object();
  return {};
}

ApiResult<http::Response> get_finding(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto finding, finding_of(call, *connection));
  TRY(const auto history,
      store::history(*connection, finding.key.resource, finding.key.vulnerability));
  TRY(const auto silent, silences(*connection, std::span(&finding, 1), call.services.clock()));
  json::Writer out;
  out.begin_object();
  write_finding(out, finding, silent);
  out.member_if("source", finding.source);
  write_time(out, "publishedAt", finding.published);
  write_time(out, "modifiedAt", finding.modified);
  out.key("vulnerability").document(finding.document);
  TRY_VOID(write_evidence(out, call, *connection, finding));
  out.key("history").begin_array();
  for (const auto& event : history) {
    out.begin_object();
    write_time(out, "at", event.happened);
    out.member("status", status_name(event.status)).member("cause", event.cause);
    out.end_object();
  }
  out.end_array();
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

constexpr std::array list_parameters{V1Parameter{"limit"},
                                     V1Parameter{"nextToken"},
                                     V1Parameter{"status", true},
                                     V1Parameter{"severity", true},
                                     V1Parameter{"resource", true},
                                     V1Parameter{"vulnerability", true},
                                     V1Parameter{"fixAvailable", true}};

constexpr std::array operations{
    V1Operation{.method = "GET",
                .path = "/v1/findings",
                .needs = access::Permission::read,
                .handle = list_findings,
                .parameters = list_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/findings/{id}",
                .needs = access::Permission::read,
                .handle = get_finding},
};

}  // namespace
}  // namespace findings_

extern constinit const V1Family findings{.id = "findings", .operations = findings_::operations};

}  // namespace tenken::api::v1
