// Findings: ListFindings, BatchGetFindingDetails, SearchVulnerabilities.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/call.h"
#include "api/database_age.h"
#include "api/finding_document.h"
#include "api/finding_question.h"
#include "api/organisation.h"
#include "api/page_token.h"
#include "store/finding_query.h"

namespace tenken::api {
namespace findings_ {
namespace {

using store::FindingOrder;

constexpr std::int64_t page_size = 25;  // the model lets no list be longer

struct SortField {
  std::string_view name;
  FindingOrder order;
};
// What no finding has, or all have alike, leaves the order to the score.
constexpr std::array sort_fields{
    SortField{"AWS_ACCOUNT_ID", FindingOrder::account},
    SortField{"FIRST_OBSERVED_AT", FindingOrder::first_observed},
    SortField{"LAST_OBSERVED_AT", FindingOrder::last_observed},
    SortField{"FINDING_STATUS", FindingOrder::status},
    SortField{"RESOURCE_TYPE", FindingOrder::resource_type},
    SortField{"ECR_IMAGE_REPOSITORY_NAME", FindingOrder::image_repository},
    SortField{"ECR_IMAGE_REGISTRY", FindingOrder::image_registry},
    SortField{"VULNERABILITY_ID", FindingOrder::vulnerability},
    SortField{"VULNERABILITY_SOURCE", FindingOrder::vulnerability_source},
    SortField{"EPSS_SCORE", FindingOrder::epss},
    SortField{"VENDOR_SEVERITY", FindingOrder::vendor_severity},
};

FindingOrder order_of(std::string_view field) {
  const auto* const found = std::ranges::find(sort_fields, field, &SortField::name);
  return found == sort_fields.end() ? FindingOrder::score : found->order;
}

Answer list_findings(const Call& call) {
  const auto criteria = criteria_text(call.input);
  const auto sort = call.input["sortCriteria"];
  store::FindingQuestion question{.order = order_of(sort["field"].string()),
                                  .descending = sort["sortOrder"].string() != "ASC"};
  TRY(question.criteria, criteria_of(criteria));
  question.limit = static_cast<std::size_t>(
      std::min(call.input.integer("maxResults").value_or(page_size), page_size));
  const auto asked = fmt::format("{} {} {}", sort["field"].string(), question.descending, criteria);
  if (const auto token = call.input.string("nextToken"); !token.empty()) {
    TRY(const auto texts, open_page_token(call, asked, token));
    TRY(question.after, store::to_position(texts, question.order));
  }
  TRY(auto connection, call.services.pool->lease());
  TRY(question.accounts, visible_accounts(*connection, call));
  TRY(const auto page, store::list_findings(*connection, question));
  json::Writer out;
  out.begin_object().key("findings").begin_array();
  for (const auto& finding : page.findings) write_finding(out, finding, call.services.region);
  out.end_array();
  if (!page.next.empty())
    out.member("nextToken", seal_page_token(call, asked, store::to_texts(page.next)));
  out.end_object();
  return out.take();
}

void write_cisa(json::Writer& out, Seconds added, Seconds due, std::string_view action) {
  out.key("cisaData").begin_object();
  out.member_if("action", action);
  if (added > 0) out.key("dateAdded").integer(added);
  if (due > 0) out.key("dateDue").integer(due);
  out.end_object();
}

void write_strings(json::Writer& out, std::string_view name, json::Value list) {
  out.key(name).begin_array();
  list.for_each([&](json::Value one) { out.string(one.string()); });
  out.end_array();
}

// Known exploitation is CISA's word; nothing more is known of who and how.
void write_detail(json::Writer& out, const store::FindingRow& finding, std::string_view region) {
  json::Parser parser({.bytes = std::size_t{16} << 20, .depth = 16});
  const auto parsed = parser.parse(finding.document);
  const auto document = parsed ? *parsed : json::Value();
  out.begin_object().member("findingArn", finding_arn(region, finding));
  if (const auto exploited = document["exploited"]; exploited.is_object())
    write_cisa(out, exploited["added"].integer().value_or(0),
               exploited["due"].integer().value_or(0), exploited["action"].string());
  if (finding.epss >= 0) out.key("epssScore").number(finding.epss);
  if (finding.score >= 0) out.key("riskScore").integer(finding.score);
  write_strings(out, "cwes", document["cwes"]);
  write_strings(out, "referenceUrls", document["references"]);
  out.end_object();
}

void write_not_found(json::Writer& out, std::string_view arn) {
  out.begin_object().member("errorCode", "FINDING_DETAILS_NOT_FOUND");
  out.member("errorMessage", "There is no such finding").member("findingArn", arn).end_object();
}

// The finding of an ARN, whichever of the accounts it belongs to.
Result<std::optional<store::FindingRow>> find_one(sql::Connection& connection,
                                                  const std::vector<std::string>& accounts,
                                                  std::string_view region, std::string_view arn) {
  for (const auto& account : accounts) {
    const auto start = finding_arn_start(region, account);
    if (!arn.starts_with(start)) continue;
    TRY(const auto key, store::find_finding(connection, account, arn.substr(start.size())));
    if (!key) break;
    TRY(auto rows, store::findings_of(connection, account, std::span(&*key, 1)));
    if (!rows.empty()) return std::optional(std::move(rows.front()));
  }
  return std::optional<store::FindingRow>();
}

Answer get_details(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto accounts, visible_accounts(*connection, call));
  json::Writer out;
  std::vector<std::string_view> missing;
  out.begin_object().key("findingDetails").begin_array();
  for (const auto arn : call.input.strings("findingArns")) {
    TRY(const auto finding, find_one(*connection, accounts, call.services.region, arn));
    if (finding)
      write_detail(out, *finding, call.services.region);
    else
      missing.push_back(arn);
  }
  out.end_array().key("errors").begin_array();
  for (const auto arn : missing) write_not_found(out, arn);
  out.end_array().end_object();
  return out.take();
}

// The vector of a major version that NVD, else the preferred source, gives.
void write_cvss(json::Writer& out, std::string_view name, const Vulnerability& vulnerability,
                std::string_view major) {
  const CvssScore* best = nullptr;
  for (const auto& one : vulnerability.cvss) {
    if (!cvss_version(one.vector).starts_with(major)) continue;
    if (best == nullptr || (one.source == "nvd@nist.gov" && best->source != one.source))
      best = &one;
  }
  if (best == nullptr) return;
  out.key(name).begin_object();
  out.key("baseScore").number(best->tenths / 10.0);
  out.member("scoringVector", best->vector).end_object();
}

void write_vulnerability(json::Writer& out, const Vulnerability& one) {
  out.begin_object().member("id", one.id).member("source", "NVD");
  out.member("sourceUrl", vulnerability_url(one.id));
  out.member("description", one.details.empty() ? one.summary : one.details);
  write_cvss(out, "cvss2", one, "2");
  write_cvss(out, "cvss3", one, "3");
  write_cvss(out, "cvss4", one, "4");
  out.strings("cwes", one.cwes).strings("relatedVulnerabilities", one.aliases);
  out.key("referenceUrls").begin_array();
  for (const auto& reference : one.references) out.string(reference.url);
  out.end_array();
  if (one.published > 0) out.key("vendorCreatedAt").integer(one.published);
  if (one.modified > 0) out.key("vendorUpdatedAt").integer(one.modified);
  if (one.prediction)
    out.key("epss").begin_object().key("score").number(one.prediction->probability).end_object();
  if (one.exploited)
    write_cisa(out, one.exploited->added, one.exploited->due, one.exploited->action);
  out.end_object();
}

// Of the advisories in use, whether a resource of the account has it or not.
Answer search_vulnerabilities(const Call& call) {
  const auto generation = call.services.generation();
  if (generation == nullptr) return no_database();
  json::Writer out;
  out.begin_object().key("vulnerabilities").begin_array();
  std::string_view id;
  call.input["filterCriteria"]["vulnerabilityIds"].for_each(
      [&](json::Value one) { id = one.string(); });
  TRY(const auto index, generation->find_vulnerability(id));
  if (index) {
    TRY(const auto vulnerability, generation->describe(*index));
    write_vulnerability(out, vulnerability);
  }
  out.end_array().end_object();
  return out.take();
}

constexpr std::array operations{
    HandledOperation{"BatchGetFindingDetails", access::Permission::read, get_details},
    HandledOperation{"SearchVulnerabilities", access::Permission::read, search_vulnerabilities},
    HandledOperation{"ListFindings", access::Permission::read, list_findings},
};

}  // namespace
}  // namespace findings_

extern constinit const Family findings{.id = "findings", .operations = findings_::operations};

}  // namespace tenken::api
