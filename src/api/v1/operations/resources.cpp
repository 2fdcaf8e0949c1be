// Resources and their inventories.
#include "store/resources.h"

#include <array>

#include "api/v1/v1.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "inventory/document.h"
#include "sbom/sbom.h"

namespace tenken::api::v1 {
namespace resources_ {
namespace {

constexpr std::size_t most_tags = 50;

// 1 to 341 printable characters, as they will appear in findings.
bool is_resource_id(std::string_view id) {
  return !id.empty() && id.size() <= 341 && printable(id) == id && !id.starts_with(' ');
}

ApiResult<std::string> type_of(std::string_view type) {
  if (type.empty() || type == "host") return std::string("AWS_EC2_INSTANCE");
  if (type == "image") return std::string("AWS_ECR_CONTAINER_IMAGE");
  if (type == "function") return std::string("AWS_LAMBDA_FUNCTION");
  if (type == "repository") return std::string("CODE_REPOSITORY");
  return validation_failed("type: one of host, image, function, repository is needed");
}

// "7d", "12h", "30m": how long until a resource that does not report again is gone.
ApiResult<Seconds> lifetime_of(std::string_view text) {
  if (text.empty()) return Seconds{0};
  const auto number = parse_uint(text.substr(0, text.size() - 1));
  const auto unit = text.back() == 'd'   ? 86'400
                    : text.back() == 'h' ? 3'600
                    : text.back() == 'm' ? 60
                                         : 0;
  if (!number || *number == 0 || *number > 100'000 || unit == 0)
    return validation_failed("ttl: a time such as 7d, 12h or 30m is needed");
  return static_cast<Seconds>(*number) * unit;
}

ApiResult<pipeline::ResourceReport> report_of(const V1Call& call) {
  pipeline::ResourceReport out{.account = call.who.account,
                               .external_id = call.labels[0],
                               .received = call.services.clock()};
  if (!is_resource_id(out.external_id))
    return validation_failed("The resource id must be 1 to 341 printable characters");
  TRY(out.type, type_of(call.parameter("type")));
  TRY(const auto lifetime, lifetime_of(call.parameter("ttl")));
  out.expires = lifetime == 0 ? 0 : out.received + lifetime;
  for (const auto& [name, value] : call.query) {
    if (name != "tag") continue;
    const auto [key, rest] = split_once(value, '=');
    if (key.empty() || !rest) return validation_failed("tag: name=value is needed");
    out.tags.emplace_back(key, *rest);
  }
  if (out.tags.size() > most_tags) return validation_failed("tag: more than 50");
  return out;
}

http::Response acknowledged(const pipeline::ResourceReport& report, bool unchanged) {
  json::Writer out;
  out.begin_object();
  out.member("resourceId", report.external_id);
  out.member("digest", report.digest);
  out.key("unchanged").boolean(unchanged);
  out.end_object();
  return json_response(200, out.take());
}

ApiResult<Inventory> inventory_of(const V1Call& call) {
  const auto& body = call.request.body;
  if (call.request.headers.get("content-type").starts_with(inventory::document_type)) {
    TRY(auto inventory, inventory::read_document(body));
    return inventory;
  }
  TRY(auto inventory, sbom::read_sbom(body, "the SBOM"));
  inventory.databases_read = 1;
  return inventory;
}

// With ?digest=… and no body: is the resource's inventory still that one? 412 asks for the whole.
ApiResult<http::Response> put_inventory(const V1Call& call) {
  TRY(auto report, report_of(call));
  const auto digest = call.parameter("digest");
  if (!digest.empty() && call.request.body.empty()) {
    report.digest = std::string(digest);
    TRY(const auto confirmed, call.services.ingest->confirm(report.account, report.external_id,
                                                            report.digest, report.received));
    if (confirmed) return acknowledged(report, true);
    return json_response(412, R"({"message":"The inventory is another: send it whole"})");
  }
  report.digest = crypto::to_hex(crypto::view(crypto::sha256(call.request.body)));
  TRY(auto inventory, inventory_of(call));
  TRY(const auto confirmed, call.services.ingest->confirm(report.account, report.external_id,
                                                          report.digest, report.received));
  if (confirmed && report.tags.empty()) return acknowledged(report, true);
  TRY_VOID(call.services.ingest->put(pipeline::stored_inventory(report, std::move(inventory))));
  return acknowledged(report, false);
}

constexpr std::array operations{
    V1Operation{"PUT", "/v1/resources/{id}/inventory", access::Permission::ingest, put_inventory},
};

}  // namespace
}  // namespace resources_

extern constinit const V1Family resources{.id = "resources", .operations = resources_::operations};

}  // namespace tenken::api::v1
