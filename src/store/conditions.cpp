#include "store/conditions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tenken::store {
namespace {

using findings::Comparison;

std::string either(const std::vector<std::string>& alternatives) {
  return fmt::format("{}", fmt::join(alternatives, " OR "));
}

}  // namespace

void Conditions::require(std::string condition) {
  if (!conditions_.empty()) conditions_ += " AND ";
  conditions_ += fmt::format("({})", condition);
}

void Conditions::require_text(std::string_view expression,
                              std::span<const findings::TextTest> tests) {
  std::vector<std::string> alternatives;
  for (const auto& test : tests) {
    if (test.comparison == Comparison::not_equals) {
      require(fmt::format("{} <> {}", expression, parameter(test.value)));
    } else if (test.value.empty()) {
      alternatives.emplace_back("1 = 0");  // that would be an absent value
    } else if (test.comparison == Comparison::equals) {
      alternatives.push_back(fmt::format("{} = {}", expression, parameter(test.value)));
    } else {
      const auto value = parameter(test.value);
      alternatives.push_back(
          fmt::format("substr({0}, 1, length(CAST({1} AS TEXT))) = {1}", expression, value));
    }
  }
  if (!alternatives.empty()) require(either(alternatives));
}

void Conditions::require_number(std::string_view expression,
                                std::span<const findings::NumberRange> ranges) {
  std::vector<std::string> alternatives;
  for (const auto& range : ranges) {
    auto condition = fmt::format("{} IS NOT NULL", expression);
    if (range.first) condition += fmt::format(" AND {} >= {}", expression, parameter(*range.first));
    if (range.last) condition += fmt::format(" AND {} <= {}", expression, parameter(*range.last));
    alternatives.push_back(fmt::format("({})", condition));
  }
  if (!alternatives.empty()) require(either(alternatives));
}

void Conditions::require_tag(std::string_view resource_id,
                             std::span<const findings::TagTest> tests) {
  std::vector<std::string> alternatives;
  for (const auto& test : tests) {
    auto condition = fmt::format("t.name = {}", parameter(test.name));
    if (test.value) condition += fmt::format(" AND t.value = {}", parameter(*test.value));
    alternatives.push_back(fmt::format("({})", condition));
  }
  if (!alternatives.empty())
    require(fmt::format("EXISTS (SELECT 1 FROM resource_tag t WHERE t.resource_id = {} AND ({}))",
                        resource_id, either(alternatives)));
}

void Conditions::require_one_of(std::string_view expression, std::span<const std::string> texts) {
  std::vector<std::string> parameters;
  for (const auto& text : texts) parameters.push_back(parameter(text));
  require(parameters.empty() ? "1 = 0"
                             : fmt::format("{} IN ({})", expression, fmt::join(parameters, ", ")));
}

std::string Conditions::sql() const {
  return conditions_.empty() ? "1 = 1" : conditions_;
}

}  // namespace tenken::store
