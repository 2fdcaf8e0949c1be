#include "match/severity.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tenken::match {

std::optional<SeverityLevel> level_of_word(std::string_view vendor_word) {
  struct Word {
    std::string_view word;
    SeverityLevel level;
  };
  constexpr std::array<Word, 9> words{{
      {"critical", SeverityLevel::critical},
      {"high", SeverityLevel::high},
      {"important", SeverityLevel::high},
      {"medium", SeverityLevel::medium},
      {"moderate", SeverityLevel::medium},
      {"low", SeverityLevel::low},
      {"negligible", SeverityLevel::low},
      {"unimportant", SeverityLevel::low},
      {"none", SeverityLevel::none},
  }};
  auto folded = ascii_lower(trim(vendor_word));
  while (folded.ends_with('*')) folded.pop_back();  // Debian marks urgencies set by hand: "high**"
  const auto found = std::ranges::find(words, std::string_view(folded), &Word::word);
  if (found == words.end()) return std::nullopt;
  return found->level;
}

bool is_bug_erratum(std::string_view id) {
  constexpr std::array<std::string_view, 6> prefixes{"ALBA-", "ALEA-", "RHBA-",
                                                     "RHEA-", "RLBA-", "RLEA-"};
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return id.starts_with(p); });
}

namespace {

// The most severe word among the claims.
DecidedSeverity strongest_word(const std::vector<SeverityClaim>& claims, bool distribution) {
  DecidedSeverity out;
  for (const auto& claim : claims) {
    if (claim.distribution != distribution) continue;
    const auto level = level_of_word(claim.word);
    if (!level || *level <= out.level) continue;
    out.level = *level;
    out.source = distribution ? std::string(claim.ecosystem) : std::string(claim.advisory_id);
  }
  return out;
}

}  // namespace

DecidedSeverity decide_severity(const std::vector<SeverityClaim>& claims,
                                const advisories::VulnerabilityEntry& vulnerability) {
  if (auto vendor = strongest_word(claims, true); vendor.level != SeverityLevel::unknown)
    return vendor;
  if (!vulnerability.cvss_vector.empty())
    return {vulnerability.cvss_level, std::string(vulnerability.cvss_source)};
  if (auto record = strongest_word(claims, false); record.level != SeverityLevel::unknown)
    return record;
  const bool bugs_only =
      !claims.empty() && std::ranges::all_of(claims, [](const SeverityClaim& claim) {
        return is_bug_erratum(claim.advisory_id);
      });
  if (bugs_only) return {SeverityLevel::none, std::string(claims.front().ecosystem)};
  return {};
}

}  // namespace tenken::match
