// How the own API shows why a vulnerability is or is not reported.
//
// Thread rule: pure functions.
#pragma once

#include <span>

#include "base/json_writer.h"
#include "model/package.h"
#include "pipeline/explain.h"

namespace tenken::api::v1 {

// "packages": of which an advisory says something, with what holds ("findings") and what does not
// ("others"), each with the rows of the advisories. "unknown": what was not decided about the
// packages, for which silence is no all-clear.
void write_explanation(json::Writer& out, std::span<const Package> packages,
                       const pipeline::Explanation& explanation);

}  // namespace tenken::api::v1
