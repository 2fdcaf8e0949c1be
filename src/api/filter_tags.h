// What the operations on filters and those on their tags share.
//
// Thread rule: functions over the caller's connection.
#pragma once

#include <string>
#include <string_view>

#include "api/call.h"
#include "sql/sql.h"

namespace tenken::api {

// "arn:aws:inspector2:us-east-1:111122223333:owner/111122223333/filter/", with which the ARNs of
// an account's filters begin; the caller's.
std::string filter_arn_start(const Services& services, std::string_view account);
std::string filter_arn_start(const Call& call);

// Gives an ARN of the caller's the tags that the request names, inside the caller's transaction.
ApiResult<> put_requested_tags(sql::Connection& connection, const Call& call, std::string_view arn);

}  // namespace tenken::api
