// Findings: ListFindings, BatchGetFindingDetails, SearchVulnerabilities.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/call.h"
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
    SortField{"VULNERABILITY_ID", FindingOrder::vulnerability},
    SortField{"VULNERABILITY_SOURCE", FindingOrder::vulnerability_source},
    SortField{"EPSS_SCORE", FindingOrder::epss},
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

constexpr std::array operations{
    HandledOperation{"ListFindings", access::Permission::read, list_findings},
};

}  // namespace
}  // namespace findings_

extern constinit const Family findings{.id = "findings", .operations = findings_::operations};

}  // namespace tenken::api
