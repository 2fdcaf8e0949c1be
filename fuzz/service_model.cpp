// Requests of strangers against the service models: the first byte names the operation, the second
// the length of the query string, which follows; the rest is the body. A request that is accepted
// is accepted again in the form in which it would be kept, and that form is its own.
#include "api/service_model.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "api/errors.h"
#include "api/input.h"
#include "api/routes.h"
#include "api/validate.h"
#include "base/result.h"

namespace {

using tenken::api::Input;
using tenken::api::Operation;
using tenken::api::Router;
using tenken::api::ServiceModel;

struct Models {
  ServiceModel inspector2 = ServiceModel::inspector2();
  ServiceModel inspector_scan = ServiceModel::inspector_scan();
  const ServiceModel* all[2] = {&inspector2, &inspector_scan};
  Router router{all};
};

// The body of the request as tenken would keep it: the members that stand in the body.
std::string kept(const Operation& operation, const Input& input) {
  tenken::json::Writer out;
  out.begin_object();
  for (const auto& member : operation.input->members) {
    if (member.location != tenken::api::Member::Location::body || !input.has(member.name)) continue;
    out.key(member.name);
    write_value(out, *member.shape, input[member.name]);
  }
  out.end_object();
  return out.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Models models;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (rest.size() < 2) return 0;
  const auto first = static_cast<unsigned char>(rest[0]);
  const auto operations = models.inspector2.operations();
  const auto& operation = first % (operations.size() + 1) == operations.size()
                              ? models.inspector_scan.operations()[0]
                              : operations[first % (operations.size() + 1)];
  const auto query = rest.substr(2, static_cast<unsigned char>(rest[1]));
  const auto body = rest.substr(2 + query.size());

  const auto found = models.router.find(operation.method, query);
  auto route = models.router.find(operation.method, "/tags/x").value_or(tenken::api::Route{});
  if (found) route.labels = found->labels;
  route.operation = &operation;
  const auto input = Input::read(route, query, body);
  if (!input) {
    const auto response = to_response(input.error());
    CHECK(response.status == 400);
    CHECK(input.error().fields.size() <= 10);
    return 0;
  }
  const auto once = kept(operation, *input);
  const auto again = Input::read(route, query, once);
  CHECK(again.has_value());
  CHECK(kept(operation, *again) == once);
  return 0;
}
