// Exports of SBOMs: CreateSbomExport, CancelSbomExport, GetSbomExport.
#include <array>

#include "api/call.h"
#include "api/exports/requests.h"
#include "api/finding_question.h"

namespace tenken::api {
namespace sbom_exports_ {
namespace {

constexpr auto kind = store::ExportKind::sbom;

Answer create(const Call& call) {
  TRY(auto wanted, exports::to_bucket(call, kind));
  wanted.criteria = criteria_text(call.input, "resourceFilterCriteria");
  return exports::answer_begun(call, std::move(wanted));
}

Answer cancel(const Call& call) {
  return exports::answer_cancelled(call, kind);
}

Answer get(const Call& call) {
  TRY(const auto found,
      exports::find(call.services, call.who.account, kind, call.input.string("reportId")));
  json::Writer out;
  out.begin_object();
  exports::write_state(out, found, "s3Destination");
  out.member("format", found.format);
  out.key("filterCriteria").document(found.criteria);
  out.end_object();
  return out.take();
}

constexpr std::array operations{
    HandledOperation{"CancelSbomExport", access::Permission::export_data, cancel, "reportId"},
    HandledOperation{"CreateSbomExport", access::Permission::export_data, create,
                     "s3Destination.bucketName"},
    HandledOperation{"GetSbomExport", access::Permission::read, get},
};

}  // namespace
}  // namespace sbom_exports_

extern constinit const Family sbom_exports{.id = "sbom_exports",
                                           .operations = sbom_exports_::operations};

}  // namespace tenken::api
