// Policies: what the user decided about findings before the scan: ignore rules, VEX documents,
// and what to show.
//
// Thread rule: values.
#pragma once

#include <vector>

#include "base/result.h"
#include "findings/ignore.h"
#include "findings/vex.h"
#include "model/finding.h"
#include "pipeline/scan.h"

namespace tenken::pipeline {

struct Policies {
  std::vector<findings::IgnoreRule> ignores;
  std::vector<findings::VexDocument> vex;
};

// Errors: those of the files, with their names.
Result<Policies> read_policies(const ScanOptions& options);

ScanResult apply_policies(ScanResult result, const Policies& policies, const ScanOptions& options);

}  // namespace tenken::pipeline
