// Tests of texts as conditions of SQL, of which those on findings are made. Of the tests of one
// value the positive ones are alternatives, while every negative one holds.
//
// Thread rule: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "findings/criteria.h"
#include "store/sql_text.h"

namespace tenken::store {

// For LIKE … ESCAPE '\': "a%b" of a stranger means itself.
std::string prefix_pattern(std::string_view prefix);

std::string holds(SqlText& sql, std::string_view column, const findings::TextTest& test);
std::string column_holds(SqlText& sql, std::string_view column,
                         std::span<const findings::TextTest> tests);
// On the row t of resource_tag.
std::string tag_holds(SqlText& sql, const findings::TagTest& tag);
std::string any_of(const std::vector<std::string>& conditions);

// condition(test) for each: one of the positive ones, all of the negative ones.
template <typename F>
std::string combined(std::span<const findings::TextTest> tests, F&& condition) {
  std::vector<std::string> wanted;
  std::string out;
  for (const auto& test : tests) {
    if (test.comparison == findings::Comparison::not_equals)
      out += fmt::format("{}{}", out.empty() ? "" : " AND ", condition(test));
    else
      wanted.push_back(condition(test));
  }
  if (!wanted.empty()) out += fmt::format("{}{}", out.empty() ? "" : " AND ", any_of(wanted));
  return out;
}

// Whether the tests of the field let not everything pass; whether they give its whole values.
bool chooses(const findings::Criteria& criteria, findings::TextField field);
bool names(const findings::Criteria& criteria, findings::TextField field);

}  // namespace tenken::store
