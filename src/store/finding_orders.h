// The orders of a list of findings: what is walked in each, and its key.
//
// Thread rule: constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "store/finding_statements.h"

namespace tenken::store {

// What is walked in an order. Each has an index that brings findings in that order.
enum class Walk : std::uint8_t { scores, times, vulnerabilities, resources };

struct Order {
  FindingOrder order;
  Walk walk;
  std::array<KeyColumn, 7> columns;
  std::size_t size;
  std::size_t outer = 0;              // columns of vulnerability or resource, which lead
  std::string_view outer_index = "";  // of resource
};

// Any order but those by account and by status, which are lists by score one after the other.
const Order& find_order(FindingOrder order);

}  // namespace tenken::store
