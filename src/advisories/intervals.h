// The events of an OSV range as disjoint intervals of encoded versions.
//
// Rules: OSV schema 1.7, "Evaluation" (sort the events; introduced opens, fixed and last_affected
// close, limit bounds all). Where events fall on one version, a fix first ends the interval that
// was open before it and an introduction then opens the next; an introduction and a fix that only
// meet each other are an empty interval.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/advisory.h"
#include "version/scheme.h"

namespace tenken::advisories {

enum class UpperBound : std::uint8_t { none, fixed, last_affected, limit };

struct Interval {
  version::Key lower_key;  // empty: from the beginning
  version::Key upper_key;  // exclusive for fixed and limit, inclusive for last_affected
  UpperBound upper_bound = UpperBound::none;
  std::string lower;  // the versions as published
  std::string upper;
};

// Errors: invalid, with the version that the scheme cannot order, or because no event introduces.
Result<std::vector<Interval>> intervals(const Range& range, const version::Scheme& scheme);

}  // namespace tenken::advisories
