// The one operation of AWS STS that clients need beside Inspector: GetCallerIdentity, in the query
// protocol (form in, XML out). Terraform's provider learns its account from it.
//
// Source: AWS STS API 2011-06-15. Thread rule: pure functions.
#pragma once

#include <string_view>

#include "access/principal.h"
#include "http/server.h"

namespace tenken::api {

// "POST /" or "GET /": no operation of the other services has this path.
bool is_sts(const http::Request& request);
http::Response answer_sts(const http::Request& request, const access::Principal& who);
http::Response sts_error(std::string_view code, std::string_view message, int status);

}  // namespace tenken::api
