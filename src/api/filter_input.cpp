#include "api/filter_input.h"

#include "api/validate.h"

namespace tenken::api {

std::string question_of(const Input& input) {
  json::Writer out;
  out.begin_object();
  for (const auto& member : input.operation().input->members) {
    if (member.name == "nextToken" || member.name == "maxResults" || !input.has(member.name))
      continue;
    out.key(member.name);
    write_value(out, *member.shape, input[member.name]);
  }
  out.end_object();
  return out.take();
}

findings::TextTests read_text_tests(json::Value filters) {
  using findings::Comparison;
  findings::TextTests out;
  filters.for_each([&](json::Value filter) {
    const auto word = filter["comparison"].string();
    out.push_back({.comparison = word == "PREFIX"       ? Comparison::prefix
                                 : word == "NOT_EQUALS" ? Comparison::not_equals
                                                        : Comparison::equals,
                   .value = std::string(filter["value"].string())});
  });
  return out;
}

std::vector<findings::NumberRange> read_ranges(json::Value filters) {
  std::vector<findings::NumberRange> out;
  filters.for_each([&](json::Value filter) {
    if (filter["startInclusive"] || filter["endInclusive"])
      out.push_back({.first = read_timestamp(filter["startInclusive"]),
                     .last = read_timestamp(filter["endInclusive"])});
    else
      out.push_back(
          {.first = filter["lowerInclusive"].number(), .last = filter["upperInclusive"].number()});
  });
  return out;
}

std::vector<findings::TagTest> read_tag_tests(json::Value filters) {
  std::vector<findings::TagTest> out;
  filters.for_each([&](json::Value filter) {
    findings::TagTest test{.name = std::string(filter["key"].string()), .value = std::nullopt};
    if (filter["value"].is_string()) test.value = std::string(filter["value"].string());
    out.push_back(std::move(test));
  });
  return out;
}

}  // namespace tenken::api
