// Exports into the server's own directory, which no client chooses: the client names a file in its
// account's folder there, or for SBOMs a folder.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/exports/requests.h"
#include "api/finding_question.h"
#include "api/v1/pieces.h"
#include "api/v1/v1.h"
#include "base/text.h"

namespace tenken::api::v1 {
namespace exports_ {
namespace {

namespace exports = tenken::api::exports;

// A kind of export, and the operation of the Inspector API whose request describes its criteria.
struct Kind {
  std::string_view format;
  store::ExportKind kind;
  std::string_view operation;
  std::string_view criteria;  // the member
};
constexpr std::array kinds{
    Kind{"CSV", store::ExportKind::findings, "CreateFindingsReport", "filterCriteria"},
    Kind{"JSON", store::ExportKind::findings, "CreateFindingsReport", "filterCriteria"},
    Kind{"CYCLONEDX_1_4", store::ExportKind::sbom, "CreateSbomExport", "resourceFilterCriteria"},
    Kind{"SPDX_2_3", store::ExportKind::sbom, "CreateSbomExport", "resourceFilterCriteria"},
};

bool is_file_name(std::string_view name) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && !name.starts_with('.') &&
         std::ranges::all_of(name, allowed);
}

// The first member that no request for this kind has; empty: there is none.
std::string unknown_member(json::Value body, const Kind& kind) {
  const std::array known{std::string_view("name"), std::string_view("format"), kind.criteria};
  std::string out;
  body.for_each_member([&](std::string_view name, json::Value) {
    if (out.empty() && std::ranges::find(known, name) == known.end()) out = name;
  });
  return out;
}

// The criteria, checked as those of the Inspector API's operation are.
ApiResult<std::string> criteria_of_kind(const Kind& kind, std::string_view body) {
  static const auto model = ServiceModel::inspector2();
  const auto* operation = model.operation(kind.operation);
  CHECK(operation != nullptr);
  json::Parser parser;
  TRY(const auto document, parser.parse(body));
  json::Writer request;
  request.begin_object().member("reportFormat", kind.format);
  request.key("s3Destination").begin_object();
  request.member("bucketName", "-").member("kmsKeyArn", "-").end_object();
  if (const auto criteria = document[kind.criteria]; criteria) {
    Shape any;
    any.type = Shape::Type::document;
    request.key(kind.criteria);
    write_value(request, any, criteria);
  }
  request.end_object();
  TRY(const auto input, Input::read({.operation = operation}, "", request.text()));
  auto text = criteria_text(input, kind.criteria);
  if (kind.kind == store::ExportKind::findings) TRY_VOID(criteria_of(text));
  return text;
}

void write_export(json::Writer& out, const store::Export& one) {
  out.begin_object();
  out.member("exportId", one.id).member("name", one.local_name).member("format", one.format);
  out.member("status", exports::status_name(one.status));
  out.member_if("errorCode", one.error_code).member_if("errorMessage", one.error_message);
  out.key("items").integer(one.items);
  write_time(out, "createdAt", one.created);
  write_time(out, "endedAt", one.ended);
  out.end_object();
}

ApiResult<http::Response> create(const V1Call& call) {
  if (call.services.exports.directory.empty())
    return validation_failed(
        "This server has no directory for exports (tenken serve --export-dir)");
  json::Parser parser;
  auto parsed = parser.parse(call.request.body);
  if (!parsed || !parsed->is_object())
    return validation_failed("The body must be a JSON object", Reason::cannot_parse);
  const auto name = (*parsed)["name"].string();
  if (!is_file_name(name))
    return validation_failed("name: 1 to 64 of A-Z a-z 0-9 . _ -, no dot at the start");
  const auto* const kind = std::ranges::find(kinds, (*parsed)["format"].string(), &Kind::format);
  if (kind == kinds.end())
    return validation_failed("format: one of CSV, JSON, CYCLONEDX_1_4, SPDX_2_3 is needed");
  if (const auto unknown = unknown_member(*parsed, *kind); !unknown.empty())
    return validation_failed(
        fmt::format("{}: an export as {} has no such member", printable(unknown), kind->format));
  store::Export one{.account = call.who.account,
                    .id = {},
                    .kind = kind->kind,
                    .format = std::string(kind->format),
                    .local_name = std::string(name)};
  TRY(one.criteria, criteria_of_kind(*kind, call.request.body));
  TRY(const auto id, exports::begin(call.services, std::move(one)));
  json::Writer out;
  out.begin_object().member("exportId", id).end_object();
  return json_response(202, out.take());
}

ApiResult<http::Response> get(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto found, store::find_export(*connection, call.who.account, call.labels[0]));
  if (!found || found->local_name.empty())
    return resource_not_found("No export with this id was found");
  json::Writer out;
  write_export(out, *found);
  return json_response(200, out.take());
}

constexpr std::array operations{
    V1Operation{.method = "POST",
                .path = "/v1/exports",
                .needs = access::Permission::export_data,
                .handle = create,
                .noted_as = "CreateExport",
                .target = "name"},
    V1Operation{.method = "GET",
                .path = "/v1/exports/{id}",
                .needs = access::Permission::read,
                .handle = get},
};

}  // namespace
}  // namespace exports_

extern constinit const V1Family exports{.id = "exports", .operations = exports_::operations};

}  // namespace tenken::api::v1
