// LastRun: of agents that report once and end, as cron starts them: what the one before has looked
// at and asked within the hour is not looked at and asked again, where nothing can have changed.
//
// Errors: none; what cannot be noted is done again. Thread rule: one thread.
#pragma once

#include <string_view>

#include "agent/collection.h"
#include "agent/state.h"

namespace tenken::agent {

class LastRun {
 public:
  // All of them outlive it. seldom_ms: for how long what was done holds.
  LastRun(const State& state, const Collection& collection, std::string_view version, int seldom_ms)
      : state_(state), collection_(collection), version_(version), seldom_ms_(seldom_ms) {}

  // The cloud of this host, since it was started.
  bool has_asked_cloud() const;
  // With this result, by the digest of its report.
  bool has_looked(std::string_view report) const;

  void note_question() const;
  void note_look(std::string_view report) const;

 private:
  bool is_recent(Seconds time) const;
  LastLook of_this_host() const;

  const State& state_;
  const Collection& collection_;
  std::string_view version_;
  int seldom_ms_;
};

}  // namespace tenken::agent
