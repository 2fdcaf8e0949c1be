// Exports of SBOMs: CreateSbomExport, CancelSbomExport, GetSbomExport.
#include <array>

#include "api/call.h"
#include "api/exports/requests.h"
#include "api/finding_question.h"

namespace tenken::api {
namespace sbom_exports_ {
namespace {

constexpr auto kind = store::ExportKind::sbom;

std::string id_document(std::string_view id) {
  json::Writer out;
  out.begin_object().member("reportId", id).end_object();
  return out.take();
}

Answer create(const Call& call) {
  TRY(auto wanted, exports::to_bucket(call, kind));
  wanted.criteria = criteria_text(call.input, "resourceFilterCriteria");
  TRY(const auto id, exports::begin(call.services, std::move(wanted)));
  return id_document(id);
}

Answer cancel(const Call& call) {
  const auto id = call.input.string("reportId");
  TRY_VOID(exports::cancel(call.services, call.who.account, kind, id));
  return id_document(id);
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
    HandledOperation{"CancelSbomExport", access::Permission::export_data, cancel},
    HandledOperation{"CreateSbomExport", access::Permission::export_data, create},
    HandledOperation{"GetSbomExport", access::Permission::read, get},
};

}  // namespace
}  // namespace sbom_exports_

extern constinit const Family sbom_exports{.id = "sbom_exports",
                                           .operations = sbom_exports_::operations};

}  // namespace tenken::api
