#include "advisories/scoring.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace tenken::advisories {
namespace {

// CISA's container in CVE records: its short name there, its organisation's id at NVD.
bool is_cisa(std::string_view source) {
  return source == "CISA-ADP" || source == "134c704f-9b21-4f2e-91b3-4a467353bcc0";
}

constexpr std::size_t most_kept = 100;  // of one vulnerability

enum SourceRank : int { authority, further_authority, cisa, nvd, github_record, other_record };

SourceRank rank_of(const Severity& severity, std::string_view record) {
  if (severity.source.empty() && !record.empty())
    return record.starts_with("GHSA-") ? github_record : other_record;
  if (severity.source.empty() || severity.source.starts_with("nvd@")) return nvd;
  if (is_cisa(severity.source)) return cisa;
  return severity.primary ? authority : further_authority;
}

int rank_of(cvss::Version version) {
  switch (version) {
    case cvss::Version::v3_1:
      return 0;
    case cvss::Version::v3_0:
      return 1;
    case cvss::Version::v4_0:
      return 2;
    case cvss::Version::v2:
      return 3;
  }
  return 3;
}

}  // namespace

bool is_cvss(const Severity& severity) {
  return severity.type.starts_with("CVSS");
}

Result<cvss::Scores> read_vector(std::string_view vector) {
  auto scores = cvss::score(vector);
  if (!scores || !scores->base)
    return invalid(fmt::format("CVSS vector cannot be read: {}",
                               scores ? "no base score" : scores.error().what));
  return scores;
}

Result<> Scoring::consider(const Severity& severity, std::string_view record) {
  if (!is_cvss(severity)) return {};
  TRY(const auto scores, read_vector(severity.score));
  const auto source = !severity.source.empty() ? std::string_view(severity.source)
                      : record.empty()         ? std::string_view("nvd")
                                               : record;
  Candidate fresh{.source_rank = rank_of(severity, record),
                  .version_rank = rank_of(scores.version),
                  .score = {.vector = severity.score,
                            .source = std::string(source),
                            .tenths = static_cast<std::int16_t>(std::lround(*scores.base * 10))}};
  const auto at = std::ranges::lower_bound(candidates_, fresh.key(), {}, &Candidate::key);
  if (at != candidates_.end() && at->key() == fresh.key()) return {};  // the first counts
  candidates_.insert(at, std::move(fresh));
  if (candidates_.size() > most_kept) candidates_.pop_back();
  return {};
}

std::vector<CvssScore> Scoring::take() {
  std::vector<CvssScore> out;
  out.reserve(candidates_.size());
  for (auto& one : candidates_) out.push_back(std::move(one.score));
  candidates_.clear();
  return out;
}

}  // namespace tenken::advisories
