#include "store/text_conditions.h"

#include <algorithm>

#include <fmt/ranges.h>

namespace tenken::store {

using findings::Comparison;
using findings::Criteria;
using findings::TextField;
using findings::TextTest;

std::string prefix_pattern(std::string_view prefix) {
  std::string out;
  for (const char c : prefix) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + '%';
}

namespace {

// The range says the same to an index, where the text after all that begin so is plain.
std::string prefix_holds(SqlText& sql, std::string_view column, const std::string& prefix) {
  auto out = fmt::format("{} LIKE {} ESCAPE '\\'", column, sql.bind(prefix_pattern(prefix)));
  if (prefix.empty() || prefix.back() < ' ' || prefix.back() > '}') return out;
  auto after = prefix;
  ++after.back();
  return fmt::format("({} AND {} >= {} AND {} < {})", out, column, sql.bind(prefix), column,
                     sql.bind(after));
}

}  // namespace

std::string holds(SqlText& sql, std::string_view column, const TextTest& test) {
  switch (test.comparison) {
    case Comparison::equals:
      return fmt::format("{} = {}", column, sql.bind(test.value));
    case Comparison::prefix:
      return prefix_holds(sql, column, test.value);
    case Comparison::not_equals:
      return fmt::format("{} <> {}", column, sql.bind(test.value));
  }
  return "1 = 0";
}

std::string column_holds(SqlText& sql, std::string_view column, std::span<const TextTest> tests) {
  return combined(tests, [&](const TextTest& test) { return holds(sql, column, test); });
}

std::string tag_holds(SqlText& sql, const findings::TagTest& tag) {
  auto out = fmt::format("t.name = {}", sql.bind(tag.name));
  if (tag.value) out += fmt::format(" AND t.value = {}", sql.bind(*tag.value));
  return fmt::format("({})", out);
}

std::string any_of(const std::vector<std::string>& conditions) {
  return fmt::format("({})", fmt::join(conditions, " OR "));
}

bool chooses(const Criteria& criteria, TextField field) {
  const auto* const condition = criteria.find(field);
  return condition != nullptr && !findings::passes_absent(condition->tests);
}

bool names(const Criteria& criteria, TextField field) {
  const auto* const condition = criteria.find(field);
  return condition != nullptr && std::ranges::all_of(condition->tests, [](const TextTest& test) {
           return test.comparison == Comparison::equals;
         });
}

}  // namespace tenken::store
