// Why a vulnerability is or is not reported for a resource.
#include <array>

#include "api/v1/explanation.h"
#include "api/v1/pieces.h"
#include "api/v1/v1.h"
#include "pipeline/stored_inventory.h"

namespace tenken::api::v1 {
namespace explain_ {
namespace {

constexpr std::size_t longest_id = 128;

ApiResult<http::Response> explain(const V1Call& call) {
  const auto& vulnerability = call.labels[1];
  if (vulnerability.empty() || vulnerability.size() > longest_id)
    return validation_failed("The vulnerability's id must be 1 to 128 characters");
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resource, store::find_resource(*connection, call.who.account, call.labels[0]));
  if (!resource) return resource_not_found("There is no such resource");
  TRY(const auto inventory, pipeline::inventory_of(*connection, *resource));
  pipeline::Explanation explanation;
  if (const auto generation = call.services.generation(); generation != nullptr) {
    TRY(explanation, pipeline::explain(*generation, vulnerability, inventory.packages,
                                       {.now = call.services.clock(),
                                        .running_kernel = inventory.running_kernel,
                                        .esm_attached = inventory.esm_attached}));
  }
  json::Writer out;
  out.begin_object();
  out.member("resourceId", resource->external_id).member("vulnerabilityId", vulnerability);
  out.key("known").boolean(explanation.known);
  write_explanation(out, inventory.packages, explanation);
  write_database(out, call.services);
  out.end_object();
  return json_response(200, out.take());
}

constexpr std::array operations{
    V1Operation{.method = "GET",
                .path = "/v1/resources/{id}/explain/{vulnerability}",
                .needs = access::Permission::read,
                .handle = explain},
};

}  // namespace
}  // namespace explain_

extern constinit const V1Family explain{.id = "explain", .operations = explain_::operations};

}  // namespace tenken::api::v1
