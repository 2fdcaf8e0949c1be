// Conditions of a SELECT that a client chooses, put together piece by piece with their parameters.
// What a client says travels as a parameter only, never as SQL.
//
// AND between conditions. Of the tests of one value, EQUALS and PREFIX are alternatives, while
// every NOT_EQUALS holds; ranges and tags are alternatives (spec: inspector B.7). An absent value
// is '' as text and NULL as a number: EQUALS, PREFIX and ranges never hold of it, NOT_EQUALS
// always.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "findings/criteria.h"
#include "sql/sql.h"
#include "store/sql_text.h"

namespace tenken::store {

class Conditions {
 public:
  // "?7", to stand in a piece of SQL for the value.
  std::string parameter(OwnedValue value) { return bound_.bind(std::move(value)); }

  void require(std::string condition);
  // No tests or ranges: no condition.
  void require_text(std::string_view expression, std::span<const findings::TextTest> tests);
  void require_number(std::string_view expression, std::span<const findings::NumberRange> ranges);
  // A tag of the resource whose id the expression is.
  void require_tag(std::string_view resource_id, std::span<const findings::TagTest> tests);
  void require_one_of(std::string_view expression, std::span<const std::string> texts);

  std::string sql() const;  // "(…) AND (…)"; "1 = 1" where nothing is required
  // Borrows from this object.
  std::vector<sql::Value> values() const { return bound_.values(); }

 private:
  std::string conditions_;
  SqlText bound_;
};

}  // namespace tenken::store
