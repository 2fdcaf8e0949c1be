// Lists of findings: criteria, an order and a place in it become one page, which begins after the
// place where the last one ended (keyset). The cost of a page depends neither on its depth nor on
// how rare its findings are (store/finding_statements.h): the beginning of the order is tried
// first; then what is few by some index is gathered and sorted; what is common is found by walking
// on. A page that is not full after so much walking is shown as it is, even empty, with where the
// next one begins: only a page without `next` is the last.
//
// In descending order what has no score comes last.
//
// Errors: those of the engine; limit. Thread rule: functions over the caller's connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "findings/criteria.h"
#include "sql/sql.h"
#include "store/finding_conditions.h"
#include "store/finding_rows.h"

namespace tenken::store {

enum class FindingOrder : std::uint8_t {
  score,
  account,
  first_observed,
  last_observed,
  status,  // by its name
  resource_type,
  image_repository,  // what is in none comes first; the same holds of the next
  image_registry,
  vulnerability,
  vulnerability_source,
  epss,
  vendor_severity,  // by what the word means
};

// The sort key of a finding in an order, complete: no two findings share one.
using Position = std::vector<OwnedValue>;

struct FindingQuestion {
  std::vector<std::string> accounts;  // whose findings may be seen
  findings::Criteria criteria;
  FindingOrder order = FindingOrder::score;
  bool descending = true;
  std::size_t limit = 25;
  Position after;  // empty: from the start
};

struct FindingPage {
  std::vector<FindingRow> findings;  // with their packages
  std::vector<Position> places;      // of the findings, one each
  Position next;                     // empty: this was the last page
};

Result<FindingPage> list_findings(sql::Connection& connection, const FindingQuestion& question);

// A position as texts and back, for tokens. Errors: invalid.
std::vector<std::string> to_texts(const Position& position);
Result<Position> to_position(const std::vector<std::string>& texts, FindingOrder order);

}  // namespace tenken::store
