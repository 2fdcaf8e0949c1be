#include "agent/doubt.h"

#include <algorithm>
#include <string>

#include "inventory/inspect.h"

namespace tenken::agent {

bool Doubt::is_too_early(Time now) const {
  return since_ && !is_over(now) && collection_.is_being_changed();
}

bool Doubt::holds_back(const Observation& seen, Time now) {
  const bool is_second = since_.has_value();
  if (!is_second) since_ = now;
  if (!is_doubtful(seen) || is_over(now) ||
      (is_second && !seen.fresh && !collection_.is_being_changed()))
    since_.reset();
  return since_.has_value();
}

// What the last report says already is no news to wait for, and nothing is lost by a first one.
bool Doubt::is_doubtful(const Observation& seen) const {
  if (reporter_.sequence() == 0) return false;
  if (inventory::is_great_loss(reporter_.packages(), seen.packages)) return true;
  if (seen.doubts.empty()) return false;
  const auto told = state_.last_report().lines;
  return !std::ranges::all_of(seen.doubts, [&](const std::string& line) {
    return std::ranges::binary_search(told, line);
  });
}

}  // namespace tenken::agent
