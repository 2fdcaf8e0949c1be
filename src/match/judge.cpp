#include "match/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tenken::match {

using advisories::IntervalView;
using advisories::RowView;
using advisories::UpperBound;

std::string_view name(Verdict verdict) {
  constexpr std::array<std::string_view, 3> names{"affected", "not_affected", "unknown"};
  return names[static_cast<std::size_t>(verdict)];
}

ComparedVersion prepare(const version::Scheme* scheme, std::string_view text) {
  ComparedVersion out{.text = std::string(text), .scheme = scheme};
  if (text.empty()) return out;
  if (scheme == nullptr) {
    out.key = invalid("the ecosystem's versions have no known order");
  } else {
    out.key = scheme->encode(text);
  }
  return out;
}

namespace {

bool contains(const IntervalView& interval, std::string_view key) {
  if (key < interval.lower_key) return false;
  switch (interval.upper_bound) {
    case UpperBound::none: return true;
    case UpperBound::fixed:
    case UpperBound::limit: return key < interval.upper_key;
    case UpperBound::last_affected: return key <= interval.upper_key;
  }
  return true;
}

Judgement judge_ranges(const RowView& row, const ComparedVersion& version) {
  std::string fault;
  bool comparable = false;
  for (const auto& range : row.ranges) {
    if (range.type == Range::Type::git) continue;
    comparable = true;
    if (!range.fault.empty()) {
      fault = range.fault;
      continue;
    }
    for (const auto& interval : range.intervals) {
      // A range without bounds holds for whatever the version is.
      const bool always = interval.lower_key.empty() && interval.upper_bound == UpperBound::none;
      if (always || (version.key && contains(interval, *version.key)))
        return {.verdict = Verdict::affected, .interval = &interval, .reason = "the version lies in an affected range"};
    }
    if (!version.key) fault = version.key.error().what;
  }
  if (!fault.empty()) return {.verdict = Verdict::unknown, .reason = std::move(fault)};
  if (!comparable && row.versions.empty()) {
    const bool git = !row.ranges.empty();
    return {.verdict = Verdict::unknown,
            .reason = git ? "the advisory names git commits only" : "the advisory names the package without versions",
            .git_only = git};
  }
  return {.verdict = Verdict::not_affected,
          .reason = comparable ? "the version lies outside the affected ranges" : "the version is not listed"};
}

}  // namespace

Judgement judge(const RowView& row, const ComparedVersion& version) {
  if (row.status == VendorStatus::not_affected)
    return {.verdict = Verdict::not_affected, .reason = "the vendor says the package is not affected"};
  if (version.text.empty()) return {.verdict = Verdict::unknown, .reason = "no version is stated"};
  if (std::ranges::find(row.versions, version.text) != row.versions.end())
    return {.verdict = Verdict::affected, .reason = "the version is listed as affected"};
  // A vendor that says "affected" without any range means every version.
  if (row.status != VendorStatus::affected && row.ranges.empty() && row.versions.empty())
    return {.verdict = Verdict::affected, .reason = "the vendor gives no fixed version"};
  return judge_ranges(row, version);
}

namespace {

std::string describe_interval(const IntervalView& interval) {
  const auto lower = fmt::format("introduced {}", interval.lower);
  switch (interval.upper_bound) {
    case UpperBound::none: return lower;
    case UpperBound::fixed: return fmt::format("{}, fixed {}", lower, interval.upper);
    case UpperBound::limit: return fmt::format("{}, limit {}", lower, interval.upper);
    case UpperBound::last_affected: return fmt::format("{}, last affected {}", lower, interval.upper);
  }
  return lower;
}

}  // namespace

std::string describe_ranges(const RowView& row) {
  std::string out;
  const auto add = [&](std::string_view part) {
    if (!out.empty()) out += "; ";
    out += part;
  };
  for (const auto& range : row.ranges) {
    if (!range.fault.empty()) add(range.fault);
    for (const auto& interval : range.intervals) add(describe_interval(interval));
  }
  if (!row.versions.empty()) add(fmt::format("{} listed versions", row.versions.size()));
  if (row.status == VendorStatus::not_affected) add("not affected");
  return out.empty() ? "no versions stated" : out;
}

std::string describe_comparison(const Judgement& judgement, const RowView& row, const ComparedVersion& version) {
  const auto* interval = judgement.interval;
  if (interval != nullptr) {
    const auto lower = interval->lower_key.empty() ? version.text : fmt::format("{} <= {}", interval->lower, version.text);
    switch (interval->upper_bound) {
      case UpperBound::none: return lower;
      case UpperBound::last_affected: return fmt::format("{} <= {}", lower, interval->upper);
      case UpperBound::fixed:
      case UpperBound::limit: return fmt::format("{} < {}", lower, interval->upper);
    }
  }
  if (judgement.verdict != Verdict::not_affected || !version.key) return {};
  for (const auto& range : row.ranges) {
    for (const auto& one : range.intervals) {
      if (*version.key < one.lower_key) return fmt::format("{} < {}", version.text, one.lower);
      if (one.upper_bound != UpperBound::none)
        return fmt::format("{} {} {}", version.text, one.upper_bound == UpperBound::last_affected ? ">" : ">=", one.upper);
    }
  }
  return {};
}

}  // namespace tenken::match
