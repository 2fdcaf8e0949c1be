// tenken's own API: what the Inspector APIs cannot say. Described by docs/openapi.yaml, signed as
// the service `inspector2`. Each file of
// v1/operations/ holds the rows of one family.
//
// Errors: JSON {"message", "code"} with the status of the code. Thread rule: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/principal.h"
#include "api/call.h"
#include "http/server.h"

namespace tenken::api::v1 {

struct V1Call {
  const access::Principal& who;
  const http::Request& request;
  Services& services;
  std::vector<std::string> labels;                         // of the path, decoded, in its order
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in its order

  // The first of the name; empty where there is none.
  std::string_view parameter(std::string_view name) const;
};

struct V1Operation {
  std::string_view method;
  std::string_view path;  // "/v1/resources/{id}/inventory"
  access::Permission needs = access::Permission::nobody;
  ApiResult<http::Response> (*handle)(const V1Call& call) = nullptr;
};

struct V1Family {
  std::string_view id;
  std::span<const V1Operation> operations;
};
// Generated from v1/operations/*.cpp.
std::span<const V1Family* const> v1_families();

http::Response json_response(int status, std::string body);

bool is_v1(const http::Request& request);
http::Response answer(const http::Request& request, const access::Principal& who,
                      Services& services);

}  // namespace tenken::api::v1
