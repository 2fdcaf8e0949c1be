#include "match/judge.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/phrases.h"
#include "base/text.h"

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
    case UpperBound::none:
      return true;
    case UpperBound::fixed:
    case UpperBound::limit:
      return key < interval.upper_key;
    case UpperBound::last_affected:
      return key <= interval.upper_key;
  }
  return true;
}

// The interval of the row's ranges that holds the version; nullptr: none.
const IntervalView* containing(const RowView& row, const ComparedVersion& version) {
  for (const auto& range : row.ranges) {
    for (const auto& interval : range.intervals) {
      // A range without bounds holds for whatever the version is.
      const bool always = interval.lower_key.empty() && interval.upper_bound == UpperBound::none;
      if (always || (version.key && contains(interval, *version.key))) return &interval;
    }
  }
  return nullptr;
}

Judgement affected(const IntervalView& interval) {
  Judgement out{.verdict = Verdict::affected, .interval = &interval};
  switch (interval.upper_bound) {
    case UpperBound::none:
      out.reason = Message::evidence_no_fix;
      break;
    case UpperBound::last_affected:
      out.reason = Message::evidence_within_last_affected;
      break;
    case UpperBound::fixed:
    case UpperBound::limit:
      out.reason = Message::evidence_before_fix;
      break;
  }
  return out;
}

// The intervals nearest to a version that none contains: the last that ends before it and the first
// that begins after it.
struct Neighbours {
  const IntervalView* below = nullptr;
  const IntervalView* above = nullptr;
};
Neighbours neighbours(const RowView& row, std::string_view key) {
  Neighbours out;
  for (const auto& range : row.ranges) {
    for (const auto& one : range.intervals) {
      if (key < one.lower_key) {
        if (out.above == nullptr || one.lower_key < out.above->lower_key) out.above = &one;
      } else if (out.below == nullptr || one.upper_key >= out.below->upper_key) {
        out.below = &one;
      }
    }
  }
  return out;
}

// Why a version that no interval contains is not affected.
Message outside(const RowView& row, std::string_view key) {
  const auto [below, above] = neighbours(row, key);
  if (below != nullptr)
    return below->upper_bound == UpperBound::last_affected ? Message::evidence_after_last_affected
                                                           : Message::evidence_fixed;
  return above != nullptr ? Message::evidence_before_introduced : Message::evidence_not_listed;
}

bool is_outside(Message reason) {
  return reason == Message::evidence_fixed || reason == Message::evidence_before_introduced ||
         reason == Message::evidence_after_last_affected;
}

Judgement judge_ranges(const RowView& row, const ComparedVersion& version) {
  if (const auto* interval = containing(row, version)) return affected(*interval);
  std::optional<Judgement> fault;
  bool comparable = false;
  const std::string scheme(version.scheme != nullptr ? version.scheme->id : "");
  for (const auto& range : row.ranges) {
    if (range.type == Range::Type::git) continue;
    comparable = true;
    if (!range.fault.empty()) {
      fault = Judgement{.verdict = Verdict::unknown,
                        .reason = Message::unknown_advisory_range,
                        .arguments = {std::string(range.fault)}};
      continue;
    }
    if (!version.key)
      fault = Judgement{.verdict = Verdict::unknown,
                        .reason = Message::unknown_version_order,
                        .arguments = {printable(version.text), scheme}};
  }
  if (fault) return *std::move(fault);
  if (!comparable && row.versions.empty()) {
    const bool git = !row.ranges.empty();
    return {.verdict = Verdict::unknown,
            .reason = git ? Message::unknown_git_ranges : Message::unknown_no_ranges,
            .git_only = git};
  }
  return {.verdict = Verdict::not_affected,
          .reason = version.key ? outside(row, *version.key) : Message::evidence_not_listed};
}

}  // namespace

std::string say_reason(Lang lang, const Judgement& judgement) {
  if (judgement.reason == Message::unknown_advisory_range)
    return say(lang, judgement.reason, in_language(lang, judgement.arguments.front()));
  return say_texts(lang, judgement.reason, judgement.arguments);
}

Judgement judge(const RowView& row, const ComparedVersion& version) {
  if (row.status == VendorStatus::not_affected)
    return {.verdict = Verdict::not_affected, .reason = Message::evidence_vendor_not_affected};
  if (version.text.empty())
    return {.verdict = Verdict::unknown, .reason = Message::unknown_version_missing};
  if (row.versions.contains(version.text))
    return {.verdict = Verdict::affected,
            .interval = containing(row, version),  // which knows the fix
            .reason = Message::evidence_listed};
  // A vendor that says more than "affected" and gives no range means every version.
  if (row.status != VendorStatus::affected && row.ranges.empty() && row.versions.empty())
    return {.verdict = Verdict::affected, .reason = Message::evidence_no_fix};
  return judge_ranges(row, version);
}

namespace {

std::string_view word(UpperBound bound) {
  constexpr std::array<std::string_view, 4> words{"", "fixed", "last affected", "limit"};
  return words[static_cast<std::size_t>(bound)];
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
    for (const auto& interval : range.intervals) {
      add("introduced ");
      out += interval.lower;
      if (interval.upper_bound == UpperBound::none) continue;
      out.append(", ").append(word(interval.upper_bound)).append(" ").append(interval.upper);
    }
  }
  if (!row.versions.empty()) add(fmt::format("{} listed versions", row.versions.size()));
  if (row.status == VendorStatus::not_affected) add("not affected");
  return out.empty() ? "no versions stated" : out;
}

std::string describe_comparison(const Judgement& judgement, const RowView& row,
                                const ComparedVersion& version) {
  const auto* interval = judgement.interval;
  if (interval != nullptr) {
    const auto lower = interval->lower_key.empty()
                           ? version.text
                           : fmt::format("{} <= {}", interval->lower, version.text);
    switch (interval->upper_bound) {
      case UpperBound::none:
        return lower;
      case UpperBound::last_affected:
        return fmt::format("{} <= {}", lower, interval->upper);
      case UpperBound::fixed:
      case UpperBound::limit:
        return fmt::format("{} < {}", lower, interval->upper);
    }
  }
  if (!is_outside(judgement.reason) || !version.key) return {};
  const auto [below, above] = neighbours(row, *version.key);
  std::string out;
  if (below != nullptr)
    out = fmt::format("{} {} {}", version.text,
                      below->upper_bound == UpperBound::last_affected ? ">" : ">=", below->upper);
  if (above != nullptr)
    out += fmt::format("{}{} < {}", out.empty() ? "" : ", ", version.text, above->lower);
  return out;
}

}  // namespace tenken::match
