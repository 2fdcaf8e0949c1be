#include "agent/reporter.h"

#include <algorithm>

#include "host/report.h"

namespace tenken::agent {

Result<Reporter> Reporter::open(const State& state) {
  TRY(auto spool, Spool::open(state.path("spool")));
  Reporter out(state, std::move(spool));
  const auto last = state.last_report();
  out.sequence_ = std::max({last.sequence, out.spool_.last_sequence(), state.last_sequence()});
  // Made while there is room for it.
  (void)state.put_sequence(out.sequence_);
  if (last.sequence > 0) out.digest_ = host::report_digest(last.lines);
  out.packages_ = host::count_packages(last.lines);
  return out;
}

// Where not even its number can be kept, the server sees it used twice, and asks for the whole.
std::uint64_t Reporter::next_sequence() {
  (void)state_->put_sequence(++sequence_);
  return sequence_;
}

Result<> Reporter::put(SpooledReport report, const std::vector<std::string>& lines) {
  report.sequence = next_sequence();
  auto done = spool_.put(report);
  if (!done && done.error().code == Errc::limit) {
    spool_.clear();
    report.base.clear();
    report.body = host::whole_body(lines);
    done = spool_.put(report);
  }
  if (done) done = state_->put_report({.sequence = sequence_, .lines = lines});
  digest_ = report.digest;
  packages_ = host::count_packages(lines);
  in_memory_.reset();
  if (done) return {};
  // The disk takes nothing: this one goes from memory, and stands on nothing before it.
  spool_.clear();
  report.base.clear();
  report.body = host::whole_body(lines);
  in_memory_ = std::move(report);
  return done;
}

Result<bool> Reporter::note(std::vector<std::string> lines) {
  auto digest = host::report_digest(lines);
  if (digest == digest_) return false;
  const auto before = state_->last_report();
  const bool follows =
      before.sequence > 0 && !in_memory_ && host::report_digest(before.lines) == digest_;
  SpooledReport report{
      .sequence = 0,
      .base = follows ? digest_ : std::string(),
      .digest = std::move(digest),
      .body = follows ? host::difference_body(before.lines, lines) : host::whole_body(lines)};
  TRY_VOID(put(std::move(report), lines));
  return true;
}

Result<> Reporter::send_whole(std::uint64_t sequence) {
  sequence_ = std::max(sequence_, sequence);
  // What the disk did not take is newer than what is on it, and is the whole already.
  if (in_memory_) {
    in_memory_->sequence = next_sequence();
    return {};
  }
  const auto last = state_->last_report();
  spool_.clear();
  if (last.sequence == 0) {
    digest_.clear();  // the next look makes it
    return {};
  }
  return put({.sequence = 0,
              .base = {},
              .digest = host::report_digest(last.lines),
              .body = host::whole_body(last.lines)},
             last.lines);
}

void Reporter::begin_anew() {
  spool_.clear();
  in_memory_.reset();
  digest_.clear();
}

std::optional<SpooledReport> Reporter::next() {
  if (in_memory_) return in_memory_;
  return spool_.oldest();
}

void Reporter::acknowledged(std::uint64_t sequence) {
  spool_.remove(sequence);
  if (in_memory_ && in_memory_->sequence == sequence) in_memory_.reset();
}

}  // namespace tenken::agent
