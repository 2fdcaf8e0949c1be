// Reporter: what the host is now becomes the next report: the difference from the one before, or
// the whole.
//
// Errors: those of files. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/spool.h"
#include "agent/state.h"
#include "base/result.h"

namespace tenken::agent {

class Reporter {
 public:
  // The state outlives it.
  static Result<Reporter> open(const State& state);

  // What was seen now: sorted lines, each once. False: nothing changed, and nothing is sent.
  // Where the disk is full, the report waits in memory, as the whole.
  Result<bool> note(std::vector<std::string> lines);
  // The server cannot use what it has: all that is on its way is dropped, and the next report, made
  // at once of what was seen last, is the whole, numbered after `sequence`.
  Result<> send_whole(std::uint64_t sequence);

  // What is on its way is dropped, and the next report is the whole.
  void begin_anew();

  std::optional<SpooledReport> next();
  void acknowledged(std::uint64_t sequence);
  // Of the last report that was made; empty and 0: none was.
  const std::string& digest() const { return digest_; }
  std::uint64_t sequence() const { return sequence_; }
  std::size_t packages() const { return packages_; }
  // Something is on its way.
  bool is_waiting() const { return in_memory_ || !spool_.empty(); }

 private:
  Reporter(const State& state, Spool spool) : state_(&state), spool_(std::move(spool)) {}
  std::uint64_t next_sequence();
  Result<> put(SpooledReport report, const std::vector<std::string>& lines);

  const State* state_;
  Spool spool_;
  std::optional<SpooledReport> in_memory_;  // the disk is full
  std::uint64_t sequence_ = 0;
  std::string digest_;
  std::size_t packages_ = 0;
};

}  // namespace tenken::agent
