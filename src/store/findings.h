// Findings: written from what is installed and what the advisories say, by joins over whole sets.
// The table finding and its history finding_event have no other writer.
//
// A finding is named by (resource, vulnerability, episode); an episode begins when the pair is
// first seen, or seen again more than seven days after it was closed, and is named by that second.
// Lifecycle: ACTIVE while some package of the resource matches; SUPPRESSED while a rule matches;
// CLOSED when no package does, and only where that is known: an incomplete inventory, an undecided
// version or a release that the advisories no longer cover closes nothing. In a release that they
// never covered, records that name a package close what they opened (matches.h, by_records).
// (spec: serve-decisions §4, inspector B.6.)
//
// Errors: those of the engine. Thread rule: functions over the caller's connection, inside the
// caller's transaction. Two nodes never write the same slice at once: lock_slice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/ids.h"

namespace tenken::store {

enum class Lifecycle : std::int64_t { active = 1, suppressed = 2, closed = 3 };
enum class Fix : std::int64_t { none = 0, partial = 1, all = 2 };  // fixAvailable NO, PARTIAL, YES

// What makes an open finding stale: only an earlier generation says it of a package that is there;
// or no package matches, and something that is there cannot be decided.
enum class Staleness : std::int64_t { none = 0, not_covered = 1, undecided = 2 };

inline constexpr Seconds reopen_window = 7 * 86'400;
// last_observed_at is when its resource was last seen with a package that matches. Where nothing
// else changes it is written once in so many seconds, as a sign of life.
inline constexpr Seconds sign_of_life = 43'200;

// Resources in parts of equal size by their ids, so that fleet-wide work comes in short
// transactions. Number: 0 to slices-1.
inline constexpr std::int64_t slices = 16;
ResourceRange slice_range(std::int64_t slice);
std::int64_t slice_of(ResourceId resource);
Result<> lock_slice(sql::Connection& connection, std::int64_t slice);
// The number of what is changed next in a slice that is locked: greater than every one before it
// there, whatever the clocks of the nodes say.
Result<std::int64_t> next_transition(sql::Connection& connection, std::int64_t slice, Seconds now);

struct Evaluation {
  Seconds now = 0;
  // Of next_transition: names what this evaluation closes; the number after it names what it opens,
  // the one after that what rules do. History is in the order of the numbers.
  std::int64_t transition = 0;
  std::string cause;  // "inventory <digest>", "advisories <generation>"; never empty
};

// How a finding was opened stands in the row itself, not among its events: most are as they were
// opened. Every UPDATE that changes the status keeps it: opened_by = opening_cause.
inline constexpr std::string_view opening_cause =
    "CASE WHEN opened_by = '' THEN cause ELSE opened_by END";

struct Changes {
  std::int64_t written = 0;  // opened, re-opened or changed
  std::int64_t closed = 0;
  std::int64_t suppressed = 0;
};

// Everything about some resources, each with a transition of its own: after inventories changed.
struct ResourceEvaluation {
  ResourceId resource;
  Evaluation evaluation;
};
Result<Changes> evaluate_resources(sql::Connection& connection,
                                   std::span<const ResourceEvaluation> resources);
// Everything about some vulnerabilities on the resources of a slice: after matches changed.
Result<Changes> evaluate_vulnerabilities(sql::Connection& connection,
                                         const std::vector<std::string>& vulnerabilities,
                                         std::int64_t slice, const Evaluation& evaluation);

// Closes everything of a resource that is gone.
Result<Changes> close_resource(sql::Connection& connection, ResourceId resource,
                               const Evaluation& evaluation);

// Deletes findings of a slice that were closed so long ago, of resources that are gone and of
// others, and history so old of findings that are no more. Returns how many findings.
struct PruneLimits {
  Seconds closed_before = 0;
  Seconds gone_before = 0;
  Seconds history_before = 0;
};
Result<std::int64_t> prune(sql::Connection& connection, std::int64_t slice,
                           const PruneLimits& limits);

struct FindingEvent {
  std::int64_t transition = 0;  // 0: it was opened
  Seconds happened = 0;
  Lifecycle status = Lifecycle::active;
  std::string cause;
};
// In the order in which it happened. `happened` is by the clock of the node that did it.
Result<std::vector<FindingEvent>> history(sql::Connection& connection, ResourceId resource,
                                          std::string_view vulnerability);

}  // namespace tenken::store
