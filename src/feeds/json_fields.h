// Fields of a JSON document that several feeds read alike.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"

namespace tenken::feeds {

// Not there or null, which publishers use alike.
inline bool absent(json::Value value) {
  return value.type() == json::Value::Type::missing || value.type() == json::Value::Type::null;
}

// The text of a string, empty where absent. Errors: invalid where it is something else.
Result<std::string> text_field(json::Value object, std::string_view key);

// A list of strings, empty where absent. Errors: invalid where it is something else.
Result<std::vector<std::string>> text_list_field(json::Value object, std::string_view key);

// 0 where absent or empty, and for the year 1, which Go's zero time prints as
// "0001-01-01T00:00:00Z". What is no time is 0 and a skip: a record counts more than its date.
Seconds time_field(json::Value object, std::string_view key, const Document& document,
                   std::string_view record, Sink& sink);

// Sorted, each text once.
void sort_unique(std::vector<std::string>& texts);

}  // namespace tenken::feeds
