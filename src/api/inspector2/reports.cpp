// Findings reports: CreateFindingsReport, CancelFindingsReport, GetFindingsReportStatus.
#include <array>

#include "api/call.h"
#include "api/exports/requests.h"
#include "api/finding_question.h"

namespace tenken::api {
namespace reports_ {
namespace {

constexpr auto kind = store::ExportKind::findings;

Answer create(const Call& call) {
  TRY(auto report, exports::to_bucket(call, kind));
  report.criteria = criteria_text(call.input);
  TRY_VOID(criteria_of(report.criteria));
  return exports::answer_begun(call, std::move(report));
}

Answer cancel(const Call& call) {
  return exports::answer_cancelled(call, kind);
}

// Without an id: the report in progress, else the last one.
ApiResult<store::Export> report_of(const Call& call) {
  if (const auto id = call.input.string("reportId"); !id.empty())
    return exports::find(call.services, call.who.account, kind, id);
  TRY(auto connection, call.services.pool->lease());
  TRY(auto latest, store::latest_export(*connection, call.who.account, kind));
  if (!latest) return resource_not_found("There is no report yet");
  return *std::move(latest);
}

Answer status(const Call& call) {
  TRY(const auto report, report_of(call));
  json::Writer out;
  out.begin_object();
  exports::write_state(out, report, "destination");
  out.key("filterCriteria").document(report.criteria);
  out.end_object();
  return out.take();
}

constexpr std::array operations{
    HandledOperation{"CancelFindingsReport", access::Permission::export_data, cancel, "reportId"},
    HandledOperation{"CreateFindingsReport", access::Permission::export_data, create,
                     "s3Destination.bucketName"},
    HandledOperation{"GetFindingsReportStatus", access::Permission::read, status},
};

}  // namespace
}  // namespace reports_

extern constinit const Family reports{.id = "reports", .operations = reports_::operations};

}  // namespace tenken::api
