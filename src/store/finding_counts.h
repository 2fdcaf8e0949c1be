// How many ACTIVE findings there are of each severity: by resource, by title and by package, kept
// as the findings change, since counting millions of rows takes seconds. The tables finding_count,
// title_count and package_count have no other writer, and it has no other caller than what writes
// findings: in the same transaction, so that counts and findings never differ.
//
// A change is counted by what its scope counted for before and counts for afterwards; what stayed
// as it was costs two reads. Changes that are made together are written together, as one tally.
// Rows of title_count and package_count are split by the slice of the resource on PostgreSQL, where
// slices are written at the same time.
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

// Which findings a change may touch.
inline constexpr std::int64_t critical_from = 90;  // scores in tenths
inline constexpr std::int64_t high_from = 70;
inline constexpr std::int64_t medium_from = 40;

// "CVE-2024-1 - a, b and 3 more", as the API titles a finding; names without doubles, in order.
std::string title_of(std::string_view vulnerability, const std::vector<std::string>& names);

struct CountedScope {
  ResourceRange resources;
  std::string vulnerability;  // empty: every one
};

// What an active finding counts for.
struct Counted {
  std::string account;
  std::string type;
  std::int64_t score = 0;
  std::int64_t fix = 0;
  std::string packages;  // ids of package versions
  friend bool operator==(const Counted&, const Counted&) = default;
};
using FindingName = std::pair<std::int64_t, std::string>;  // resource, vulnerability

// What is to be added to the counts, once for each of their rows.
class CountTally {
 public:
  void add(FindingName name, Counted counted);
  void take_away(FindingName name, Counted counted);
  Result<> write(sql::Connection& connection) const;

 private:
  struct Change {
    FindingName name;
    Counted counted;
    std::int64_t sign = 0;
  };
  std::vector<Change> changes_;
};

class CountChange {
 public:
  // Reads what the scope counts for now: before the change.
  static Result<CountChange> begin(sql::Connection& connection, CountedScope scope);
  // A resource is of another type than it was counted under: there is something to count even
  // where no finding changed.
  bool is_retyped() const { return retyped_; }
  // Reads again, after the change, and tallies the difference.
  Result<> finish(sql::Connection& connection, CountTally& tally);
  // The same, and writes it.
  Result<> finish(sql::Connection& connection);

 private:
  using Findings = std::map<FindingName, Counted>;

  explicit CountChange(CountedScope scope) : scope_(std::move(scope)) {}
  Result<Findings> read(sql::Connection& connection, bool after);

  CountedScope scope_;
  Findings before_;
  bool retyped_ = false;
};

// Runs an UPDATE of finding that does nothing but make findings ACTIVE, or nothing but end that
// (gained), and counts what it changed.
struct CountedUpdate {
  std::int64_t findings = 0;
  std::set<std::string> accounts;  // whose findings those were
};
Result<CountedUpdate> run_counted(sql::Connection& connection, SqlText update, bool gained);

// Removes rows that count nothing any more.
Result<std::int64_t> prune_counts(sql::Connection& connection);

}  // namespace tenken::store
