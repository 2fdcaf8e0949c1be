// Messages checked against their shapes of the service model.
//
// Requests: types first, for a value of the wrong type is not understood at all (CANNOT_PARSE);
// then what the model demands, in AWS's words and paths ("filterCriteria.severity.1.member.value",
// lists counted from 1; what ails the plain elements of a list or map is said once, of the whole).
// A null is as good as absent, an unknown member is ignored. Values of strangers are never echoed.
//
// Bounds: 10 violations are told and then the walk ends; 100,000 values are looked at.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/errors.h"
#include "api/service_model.h"
#include "base/json.h"

namespace tenken::api {

// body: the members of the document; parameters: those of URI, query string and header, each
// under its member's name. A missing value stands for no members. Empty: the request is right.
std::optional<ApiError> validate(const Operation& operation, json::Value body,
                                 json::Value parameters);

// The self-check of an answer: types, required members, unions, enumerations, and no member or
// null that the model does not know. Bounds and patterns are not looked at: tenken's own ids may
// be longer than AWS's. Empty: the answer is right. For tests and debug runs.
std::vector<FieldError> check_output(const Operation& operation, json::Value document);
std::vector<FieldError> check_output(const Shape& shape, json::Value document);

// A moment as requests write it: epoch seconds with fraction as number or text, or RFC 3339.
// Empty where it is none of these or beyond the years 1 to 9999.
std::optional<double> read_timestamp(json::Value value);

}  // namespace tenken::api
