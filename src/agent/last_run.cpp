#include "agent/last_run.h"

#include <tuple>
#include <utility>

#include "base/time.h"

namespace tenken::agent {

bool LastRun::is_recent(Seconds time) const {
  const auto passed = now() - time;
  return passed >= 0 && passed < seldom_ms_ / 1'000;
}

bool LastRun::has_asked_cloud() const {
  const auto last = state_.last_look();
  return is_recent(last.asked_cloud) && last.host == collection_.fingerprint();
}

bool LastRun::has_looked(std::string_view report) const {
  const auto last = state_.last_look();
  return is_recent(last.looked) && last.version == version_ && last.report == report &&
         last.host == collection_.fingerprint();
}

// Of a state that was copied to another host nothing counts there.
LastLook LastRun::of_this_host() const {
  auto host = collection_.fingerprint();
  auto last = state_.last_look();
  return last.host == host ? last : LastLook{.host = std::move(host)};
}

void LastRun::note_question() const {
  auto last = of_this_host();
  last.asked_cloud = now();
  std::ignore = state_.put_look(last);
}

void LastRun::note_look(std::string_view report) const {
  auto last = of_this_host();
  last.version = version_;
  last.report = report;
  last.looked = now();
  std::ignore = state_.put_look(last);
}

}  // namespace tenken::agent
