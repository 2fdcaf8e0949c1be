// Doubt: what a look saw may be the middle of a change: a package database that is cut, packages
// that are gone all at once. It is reported when a second look sees the same and no package manager
// is at work, and after a while as what it is.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <optional>

#include "agent/collection.h"
#include "agent/reporter.h"
#include "agent/state.h"

namespace tenken::agent {

class Doubt {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // All three outlive it.
  Doubt(const Collection& collection, const Reporter& reporter, const State& state,
        std::chrono::milliseconds at_most)
      : collection_(collection), reporter_(reporter), state_(state), at_most_(at_most) {}

  // Whether the second look is to wait, for a package manager is at work.
  bool is_too_early(Time now) const;
  // Whether what was seen is not to be reported yet.
  bool holds_back(const Observation& seen, Time now);

 private:
  bool is_over(Time now) const { return now - *since_ >= at_most_; }
  bool is_doubtful(const Observation& seen) const;

  const Collection& collection_;
  const Reporter& reporter_;
  const State& state_;
  std::chrono::milliseconds at_most_;
  std::optional<Time> since_;  // what was seen is not reported
};

}  // namespace tenken::agent
