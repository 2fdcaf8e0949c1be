#include "api/finding_question.h"

namespace tenken::api {

std::string criteria_text(const Input& input, std::string_view member) {
  const auto value = input[member];
  const auto* const described = input.operation().input->member(member);
  CHECK(described != nullptr);
  if (!value.is_object()) return "{}";
  json::Writer out;
  write_value(out, *described->shape, value);
  return out.take();
}

ApiResult<findings::Criteria> criteria_of(std::string_view text) {
  auto criteria = findings::read_criteria(text);
  if (!criteria)
    return validation_failed("filterCriteria: " + criteria.error().what,
                             Reason::field_validation_failed);
  return *std::move(criteria);
}

}  // namespace tenken::api
