// Scoring: which of a vulnerability's CVSS vectors decides its severity.
//
// Rule: the highest CVSS version; within a version NVD's Primary score, then the others by the
// name of their source.
//
// Thread rule: a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "model/finding.h"

namespace tenken::advisories {

class Scoring {
 public:
  struct Best {
    double score = 0;
    std::string vector;  // empty: nothing scored
    std::string source;  // "CVSS 3.1 nvd@nist.gov"
    SeverityLevel level = SeverityLevel::unknown;
  };

  // Entries that are no CVSS vectors are passed over; a vector that cannot be read is a fault.
  void consider(const Severity& severity, std::string_view source);
  const Best& best() const { return best_; }
  std::vector<std::string> take_faults() { return std::move(faults_); }

 private:
  Best best_;
  std::string rank_;  // compares greater for a better candidate
  std::vector<std::string> faults_;
};

}  // namespace tenken::advisories
