#include "advisories/intervals.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::advisories {
namespace {

using Kind = RangeEvent::Kind;

struct KeyedEvent {
  version::Key key;
  Kind kind;
  const std::string* version;
};

Result<version::Key> key_of(const RangeEvent& event, const version::Scheme& scheme) {
  // OSV: "0" means before every version.
  if (event.kind == Kind::introduced && event.version == "0") return version::Key();
  auto key = scheme.encode(event.version);
  if (!key) return std::move(key).within(printable(event.version));
  return key;
}

// Walks the sorted events of one range.
class Walk {
 public:
  // All events that fall on one version.
  void at(std::vector<KeyedEvent>::const_iterator first,
          std::vector<KeyedEvent>::const_iterator last) {
    const auto number = [&](Kind kind) {
      return std::count_if(first, last, [&](const KeyedEvent& e) { return e.kind == kind; });
    };
    auto fixes = number(Kind::fixed);
    const auto find = [&](Kind kind) {
      return std::find_if(first, last, [&](const KeyedEvent& e) { return e.kind == kind; });
    };
    if (open_ && fixes > 0) {
      close(*find(Kind::fixed), UpperBound::fixed);
      --fixes;
    }
    if (number(Kind::introduced) > fixes && !open_) {
      const auto& event = *find(Kind::introduced);
      open_ = Interval{.lower_key = event.key, .lower = *event.version};
    }
    if (open_ && number(Kind::last_affected) > 0)
      close(*find(Kind::last_affected), UpperBound::last_affected);
  }

  std::vector<Interval> finish() {
    if (open_) done_.push_back(*std::move(open_));
    return std::move(done_);
  }

 private:
  void close(const KeyedEvent& event, UpperBound bound) {
    open_->upper_key = event.key;
    open_->upper = *event.version;
    open_->upper_bound = bound;
    done_.push_back(*std::move(open_));
    open_.reset();
  }

  std::optional<Interval> open_;
  std::vector<Interval> done_;
};

// A version is bounded by the greatest limit: OSV asks for one limit above it.
void apply_limit(std::vector<Interval>& all, const KeyedEvent& limit) {
  std::erase_if(all, [&](const Interval& i) { return i.lower_key >= limit.key; });
  for (auto& interval : all) {
    if (interval.upper_bound != UpperBound::none && interval.upper_key < limit.key) continue;
    interval.upper_key = limit.key;
    interval.upper = *limit.version;
    interval.upper_bound = UpperBound::limit;
  }
}

}  // namespace

Result<std::vector<Interval>> intervals(const Range& range, const version::Scheme& scheme) {
  std::vector<KeyedEvent> events;
  std::optional<KeyedEvent> limit;
  bool introduced = false;
  for (const auto& event : range.events) {
    if (event.kind == Kind::limit && event.version == "*") continue;
    TRY(auto key, key_of(event, scheme));
    KeyedEvent keyed{std::move(key), event.kind, &event.version};
    if (event.kind == Kind::limit) {
      if (!limit || limit->key < keyed.key) limit = std::move(keyed);
      continue;
    }
    introduced = introduced || event.kind == Kind::introduced;
    events.push_back(std::move(keyed));
  }
  if (!introduced) return invalid("the range has no introduced event");
  std::ranges::sort(events, {}, [](const KeyedEvent& e) { return std::tie(e.key, *e.version); });
  Walk walk;
  for (auto first = events.cbegin(); first != events.cend();) {
    const auto last = std::find_if(first, events.cend(),
                                   [&](const KeyedEvent& e) { return e.key != first->key; });
    walk.at(first, last);
    first = last;
  }
  auto all = walk.finish();
  if (limit) apply_limit(all, *limit);
  return all;
}

}  // namespace tenken::advisories
