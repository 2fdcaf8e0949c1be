// tenken's own API: what the Inspector APIs cannot say. Described by docs/openapi.yaml, signed as
// the service `inspector2`. Each file of v1/operations/ holds the rows of one family.
//
// Times are RFC 3339; a time that never came is left out. Lists come in pages (page.h).
// Errors: as those of the Inspector APIs (errors.h). Thread rule: any thread.
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

struct V1Operation;

struct V1Call {
  const V1Operation& operation;
  const access::Principal& who;
  const http::Request& request;
  Services& services;
  std::vector<std::string> labels;                         // of the path, decoded, in its order
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in its order

  // The first of the name; empty: not given.
  std::string_view parameter(std::string_view name) const;
};

// What an operation takes from the query string.
struct V1Parameter {
  std::string_view name;
  bool repeats = false;
};

struct V1Operation {
  std::string_view method;
  std::string_view path;  // "/v1/resources/{id}/inventory"
  access::Permission needs = access::Permission::nobody;
  ApiResult<http::Response> (*handle)(const V1Call& call) = nullptr;
  std::span<const V1Parameter> parameters = {};
  // Its name in the audit log; empty: not noted there.
  std::string_view noted_as = {};
  // What it is noted as done to, where no label of the path says so: a member of its JSON body.
  std::string_view target = {};
};

struct V1Family {
  std::string_view id;
  std::span<const V1Operation> operations;
};
// Generated from v1/operations/*.cpp.
std::span<const V1Family* const> v1_families();

http::Response json_response(int status, std::string body);

bool is_v1(const http::Request& request);

// What it asks for is noted in the audit log.
bool is_noted(const http::Request& request);

// The answer, and what the audit log is to say of it; nothing where action is empty.
struct V1Answer {
  http::Response response;
  std::string_view action;
  AuditNote note;
};
V1Answer answer(const http::Request& request, const access::Principal& who, Services& services);

}  // namespace tenken::api::v1
