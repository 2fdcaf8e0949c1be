// Filter criteria of a request, read as the store is asked: for lists, reports and filters.
//
// Thread rule: pure functions.
#pragma once

#include <string>

#include "api/errors.h"
#include "api/input.h"
#include "findings/criteria.h"

namespace tenken::api {

// The criteria as they are kept and as a page token is bound to: the members that the model knows,
// times as epoch seconds. "{}" where the request has none.
std::string criteria_text(const Input& input, std::string_view member = "filterCriteria");
ApiResult<findings::Criteria> criteria_of(std::string_view text);

}  // namespace tenken::api
