// What changed between two states of a feed's index of records, OSV's modified_id.csv:
// "<time>,<id>" a line. Comparing whole lines needs no trust in clocks or in the order.
//
// Source: OSV, "Data sources", modified_id.csv.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace tenken::fetch {

struct IndexDelta {
  std::vector<std::string_view> changed;  // ids that are new or have another time; sorted
  std::size_t removed = 0;                // ids that are gone
  std::size_t unreadable = 0;             // lines of the new index that are no "<time>,<id>"
  std::optional<Seconds> newest;          // greatest time of the new index
};

// Views into `fresh`. The archive must be fetched anew where records are gone or lines unreadable.
IndexDelta compare_indexes(std::string_view old, std::string_view fresh);

}  // namespace tenken::fetch
