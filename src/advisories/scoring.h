// Scoring: a vulnerability's CVSS vectors with their base scores, in the order in which their
// sources are preferred where no vendor's own vector was matched (match/severity.h).
//
// Rule: the CVE's numbering authority (NVD calls its score Primary, or it is neither NVD's nor
// CISA's), CISA's ADP, NVD, then the records that are about this vulnerability alone, GitHub's
// first. Of one source version 3.1, then 3.0, 4.0, 2.0. Nothing is mixed: a vector stays with its
// source and its score.
//
// Thread rule: a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "cvss/cvss.h"
#include "model/advisory.h"
#include "model/finding.h"

namespace tenken::advisories {

bool is_cvss(const Severity& severity);
// The scores of a vector that has a base score.
Result<cvss::Scores> read_vector(std::string_view vector);

class Scoring {
 public:
  // record: the id of the record that states it; empty: a note of NVD's, which names its sources.
  // Entries that are no CVSS vectors are passed over; a vector that cannot be read is an error.
  Result<> consider(const Severity& severity, std::string_view record);
  // One for each source and version.
  std::vector<CvssScore> take();

 private:
  struct Candidate {
    int source_rank = 0;
    int version_rank = 0;
    CvssScore score;
    auto key() const { return std::tie(source_rank, score.source, version_rank); }
  };
  std::vector<Candidate> candidates_;  // by key, each once
};

}  // namespace tenken::advisories
