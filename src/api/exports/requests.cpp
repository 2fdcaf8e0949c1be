#include "api/exports/requests.h"

#include <fmt/format.h>

#include "crypto/random.h"

namespace tenken::api::exports {
namespace {

ApiError no_such_export(std::string_view id) {
  return resource_not_found(fmt::format("No report with the id {} was found", id));
}

std::string id_document(std::string_view id) {
  json::Writer out;
  out.begin_object().member("reportId", id).end_object();
  return out.take();
}

}  // namespace

Answer begin(Services& services, store::Export one) {
  one.id = crypto::random_uuid();
  one.created = services.clock();
  TRY(auto connection, services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto added, store::add_export(*connection, one));
  if (!added) return validation_failed("Cannot have multiple reports in-progress");
  TRY_VOID(transaction.commit());
  return one.id;
}

ApiResult<store::Export> find(Services& services, std::string_view account, store::ExportKind kind,
                              std::string_view id) {
  TRY(auto connection, services.pool->lease());
  TRY(auto found, store::find_export(*connection, account, id));
  if (!found || found->kind != kind) return no_such_export(id);
  return *std::move(found);
}

Answer answer_begun(const Call& call, store::Export one) {
  TRY(const auto id, begin(call.services, std::move(one)));
  return id_document(id);
}

Answer answer_cancelled(const Call& call, store::ExportKind kind) {
  const auto id = call.input.string("reportId");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(auto found, store::find_export(*connection, call.who.account, id));
  if (!found || found->kind != kind) return no_such_export(id);
  found->status = store::ExportStatus::cancelled;
  found->ended = call.services.clock();
  TRY(const auto cancelled, store::end_export(*connection, *found));
  if (!cancelled) return validation_failed("Only a report that is in progress can be cancelled");
  TRY_VOID(transaction.commit());
  return id_document(id);
}

std::string_view status_name(store::ExportStatus status) {
  switch (status) {
    case store::ExportStatus::in_progress:
      return "IN_PROGRESS";
    case store::ExportStatus::succeeded:
      return "SUCCEEDED";
    case store::ExportStatus::failed:
      return "FAILED";
    case store::ExportStatus::cancelled:
      return "CANCELLED";
  }
  return "FAILED";
}

ApiResult<store::Export> to_bucket(const Call& call, store::ExportKind kind) {
  const auto destination = call.input["s3Destination"];
  store::Export out{.account = call.who.account,
                    .id = {},
                    .kind = kind,
                    .format = std::string(call.input.string("reportFormat")),
                    .bucket = std::string(destination["bucketName"].string()),
                    .key_prefix = std::string(destination["keyPrefix"].string()),
                    .kms_key = std::string(destination["kmsKeyArn"].string()),
                    .bucket_owner = std::string(destination["expectedBucketOwner"].string())};
  if (out.bucket.empty()) return validation_failed("s3Destination.bucketName is empty");
  if (!call.services.exports.allows(out.account, out.bucket))
    return access_denied(
        fmt::format("The server's operator does not allow account {} to export to this bucket "
                    "(tenken serve --export-bucket)",
                    out.account));
  return out;
}

void write_state(json::Writer& out, const store::Export& one, std::string_view destination) {
  out.member("reportId", one.id);
  out.member("status", status_name(one.status));
  out.member_if("errorCode", one.error_code);
  out.member_if("errorMessage", one.error_message);
  if (!one.local_name.empty()) return;
  out.key(destination).begin_object();
  out.member("bucketName", one.bucket).member_if("keyPrefix", one.key_prefix);
  out.member_if("expectedBucketOwner", one.bucket_owner);
  out.member("kmsKeyArn", one.kms_key).end_object();
}

}  // namespace tenken::api::exports
