// Explain: why a vulnerability is or is not reported for packages, with the row of every advisory
// that speaks of it.
//
// Errors: the database's only. Thread rule: safe from any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "advisories/database.h"
#include "base/result.h"
#include "match/matcher.h"
#include "model/finding.h"
#include "model/package.h"

namespace tenken::pipeline {

struct PackageExplanation {
  std::size_t package = 0;        // index into the packages
  std::vector<Finding> findings;  // that affirm the vulnerability, with their evidence
  std::vector<Evidence> others;   // rows about it that do not hold or stay unknown
};

struct Explanation {
  bool known = false;  // the database has a vulnerability or a record of that id
  std::vector<PackageExplanation> packages;  // of which an advisory says something, in their order
  std::vector<Unknown> unknown;              // of all packages, the same thing once
};

// id is a CVE, another name of the vulnerability or an advisory's. options.explain and evidence
// are set.
Result<Explanation> explain(const advisories::Database& database, std::string_view id,
                            std::span<const Package> packages, match::MatchOptions options);

}  // namespace tenken::pipeline
