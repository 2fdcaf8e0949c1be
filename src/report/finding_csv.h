// Findings of the server as the lines of a findings report: the 52 columns of Amazon Inspector's,
// in their order, each taken from the finding's document as the API shows it. A column that does
// not apply is empty.
//
// Source: spec inspector B.8. Thread rule: pure functions.
#pragma once

#include <string>

#include "base/json.h"
#include "base/time.h"

namespace tenken::report {

std::string finding_csv_head();
// finding: a Finding of inspector2 2020-06-08, times as epoch seconds. now: for its age.
std::string finding_csv_line(json::Value finding, Seconds now);

}  // namespace tenken::report
