// What the operations on exports have in common: an export is begun, looked up, cancelled. The
// work is done by exports/worker.h.
//
// Errors: of the API. Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/call.h"
#include "base/json_writer.h"
#include "store/exports.h"

namespace tenken::api::exports {

// Begins an export for the account; id and created are filled in. Returns the id.
// Errors: validation, where one of the kind is in progress.
Answer begin(Services& services, store::Export one);

// The export of that id and kind. Errors: resource_not_found.
ApiResult<store::Export> find(Services& services, std::string_view account, store::ExportKind kind,
                              std::string_view id);
// The answers of the Inspector API's operations that begin and cancel one.
// Errors: those of begin; resource_not_found, and validation where it has ended.
Answer answer_begun(const Call& call, store::Export one);
Answer answer_cancelled(const Call& call, store::ExportKind kind);

std::string_view status_name(store::ExportStatus status);  // "IN_PROGRESS"

// The destination of a request to the Inspector API, written into an export. Errors: access_denied,
// where the operator does not allow the bucket; validation.
ApiResult<store::Export> to_bucket(const Call& call, store::ExportKind kind);
// The members that GetFindingsReportStatus and GetSbomExport share; `destination` is the one's name
// for it.
void write_state(json::Writer& out, const store::Export& one, std::string_view destination);

}  // namespace tenken::api::exports
