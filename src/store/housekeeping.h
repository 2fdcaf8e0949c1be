// What time does to the store: resources that promised to report again and did not are gone, closed
// findings and their history end, and so does what nothing needs any more. Every step is a
// transaction of its own and does no harm when it is done again or by two nodes.
//
// Findings of a resource that is there end 30 days after they were closed, those of one that is
// gone after 3; but none ends within the 7 days in which it may open again (serve-decisions §4).
// A package version ends when no resource has had it for a month and no finding names it.
//
// Errors: those of the engine. Thread rule: over the caller's connection, outside transactions.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

struct HousekeepingOptions {
  Seconds keep_closed = 30 * 86'400;
  Seconds keep_gone = 3 * 86'400;  // closed findings of resources that are gone
  Seconds keep_history = 400 * 86'400;
  Seconds keep_unused = 31 * 86'400;  // package versions that no resource has
};

struct HousekeepingReport {
  std::int64_t expired = 0;    // resources that are gone now
  std::int64_t forgotten = 0;  // resources of which nothing is left
  std::int64_t findings = 0;   // deleted, and so the following
  std::int64_t agents = 0;     // that were retired or revoked
  std::int64_t versions = 0;
  std::int64_t vulnerabilities = 0;
};

Result<HousekeepingReport> keep_house(sql::Connection& connection, Seconds now,
                                      const HousekeepingOptions& options = {});

// Resources that were seen with an unchanged inventory for so long since they were evaluated are to
// be evaluated again, some at a time, as a sign of life of their findings (findings.h). Returns how
// many.
Result<std::int64_t> evaluate_confirmed(sql::Connection& connection, Seconds now);

// The first step alone: resources whose time has passed are gone (RESOURCE_TERMINATED) and their
// findings closed. Returns how many.
Result<std::int64_t> expire_resources(sql::Connection& connection, Seconds now);

}  // namespace tenken::store
