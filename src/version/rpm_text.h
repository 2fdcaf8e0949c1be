// RPM's order of one part of a version (rpmvercmp): segments of digits or letters, everything else
// separates and does not count. '~' sorts before the end, '^' after the end but before any
// segment, digits after letters.
//
// Thread rule: pure functions over the caller's key.
#pragma once

#include <string_view>

#include "version/scheme.h"

namespace tenken::version {

void put_rpm_text(Key& key, std::string_view part);

// [epoch:]version[-release]; an absent epoch is 0 (so is rpm's "(none)"), an absent release sorts
// before every present one.
void put_rpm_evr(Key& key, std::string_view evr);

}  // namespace tenken::version
