// Whether one affected row of an advisory holds for one version: OSV's evaluation.
//
// Rules (OSV schema, "Evaluation"): a version that is listed is affected; else it is affected if
// a range contains it. GIT ranges say nothing of package versions. What cannot be ordered is
// unknown, a listed version excepted; a missing version is unknown.
//
// Thread rule: pure functions; the judgement points into the row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "advisories/entries.h"
#include "base/messages.h"
#include "version/scheme.h"

namespace tenken::match {

enum class Verdict : std::uint8_t { affected, not_affected, unknown };
std::string_view name(Verdict verdict);

// A package version prepared for many comparisons.
struct ComparedVersion {
  std::string text;
  const version::Scheme* scheme = nullptr;
  Result<version::Key> key = Error{Errc::invalid, "no version is stated"};
};
ComparedVersion prepare(const version::Scheme* scheme, std::string_view text);

struct Judgement {
  Verdict verdict = Verdict::not_affected;
  const advisories::IntervalView* interval = nullptr;  // that contains the version
  Message reason = Message::evidence_not_listed;
  std::vector<std::string> arguments = {};  // of the reason
  bool git_only = false;  // unknown because there is nothing but commits to compare with
};
std::string say_reason(Lang lang, const Judgement& judgement);

Judgement judge(const advisories::RowView& row, const ComparedVersion& version);

// The row's ranges as published: "introduced 0, fixed 1.2.3; listed 4 versions".
std::string describe_ranges(const advisories::RowView& row);
// "2.4.51-1 < 2.4.56-1" for the interval that decided or, outside of all, for the nearest ones;
// empty where no comparison decided (a withdrawn record, a vendor's word).
std::string describe_comparison(const Judgement& judgement, const advisories::RowView& row,
                                const ComparedVersion& version);

}  // namespace tenken::match
