// Hosts that the server asks over SSH, and how that goes.
#include <array>

#include "api/v1/pieces.h"
#include "api/v1/v1.h"
#include "base/json_writer.h"
#include "store/collect_targets.h"

namespace tenken::api::v1 {
namespace collections_ {
namespace {

ApiResult<http::Response> list_collections(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto targets, store::collect_targets(*connection, call.who.account));
  json::Writer out;
  out.begin_object();
  out.key("collections").begin_array();
  for (const auto& one : targets) {
    out.begin_object();
    out.member("host", one.host);
    out.key("port").integer(one.port);
    out.member_if("resourceId", one.resource);
    out.key("intervalSeconds").integer(one.interval);
    out.key("tags").document(one.tags);
    write_time(out, "createdAt", one.created);
    write_time(out, "nextAt", one.next);
    write_time(out, "attemptedAt", one.attempted);
    write_time(out, "succeededAt", one.succeeded);
    out.key("failures").integer(one.failures);
    out.member_if("lastError", one.last_error);
    out.end_object();
  }
  out.end_array().end_object();
  return json_response(200, out.take());
}

constexpr std::array operations{
    V1Operation{.method = "GET",
                .path = "/v1/collections",
                .needs = access::Permission::read,
                .handle = list_collections},
};

}  // namespace
}  // namespace collections_

extern constinit const V1Family collections{.id = "collections",
                                            .operations = collections_::operations};

}  // namespace tenken::api::v1
