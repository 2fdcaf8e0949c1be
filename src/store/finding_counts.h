// How many ACTIVE findings there are of each severity: by resource, by title and by package, kept
// as the findings change, since counting millions of rows takes seconds. The tables finding_count,
// title_count and package_count have no other writer, and it has no other caller than what writes
// findings (finding_changes.h): in the same transaction, so that counts and findings never differ.
//
// A change is what findings counted for before taken away, and what they count for now added.
// Changes that are made together are written together, as one tally. Rows of title_count and
// package_count are split by the slice of the resource on PostgreSQL, where slices are written at
// the same time.
//
// Errors: those of the engine. Thread rule: over the caller's connection, inside the caller's
// transaction, with the slices locked that it writes to (store/findings.h).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/sql.h"
#include "store/findings.h"
#include "store/ids.h"
#include "store/sql_text.h"

namespace tenken::store {

// "CVE-2024-1 - a, b and 3 more", as the API titles a finding; names without doubles, in order.
std::string title_of(std::string_view vulnerability, const std::vector<std::string>& names);

// What an active finding counts for.
struct Counted {
  std::string account;
  std::int64_t score = 0;
  std::int64_t fix = 0;
  std::string packages;  // ids of package versions
  friend bool operator==(const Counted&, const Counted&) = default;
};
using FindingName = std::pair<std::int64_t, std::string>;  // resource, vulnerability

// What is to be added to the counts, once for each of their rows. A finding counts under the type
// that the findings of its resource are counted under already.
class CountTally {
 public:
  void add(FindingName name, Counted counted);
  void take_away(FindingName name, Counted counted);
  // From here on the resource's findings count under the type that it has now.
  void retype(ResourceId resource);
  Result<> write(sql::Connection& connection) const;

 private:
  struct Change {
    FindingName name;
    Counted counted;
    std::int64_t sign = 0;
    bool is_retyped = false;
  };
  void note(FindingName name, Counted counted, std::int64_t sign);

  std::vector<Change> changes_;
  std::set<std::int64_t> retyped_;
};

// Whether the resource is of another type than its findings are counted under.
Result<bool> is_counted_as_another(sql::Connection& connection, ResourceId resource);

// Removes rows that count nothing any more.
Result<std::int64_t> prune_counts(sql::Connection& connection);

}  // namespace tenken::store
