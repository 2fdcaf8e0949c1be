// What requests of lists have in common: the question that a page token is bound to, and lists of
// filters as values. The input was checked against the model.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include "api/input.h"
#include "findings/criteria.h"

namespace tenken::api {

// Everything of the input but nextToken and maxResults, in the order of the model, so that the
// same question is the same text.
std::string question_of(const Input& input);

findings::TextTests read_text_tests(json::Value filters);
// Of numbers and of times.
std::vector<findings::NumberRange> read_ranges(json::Value filters);
std::vector<findings::TagTest> read_tag_tests(json::Value filters);

}  // namespace tenken::api
