#include "match/severity.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::match {

namespace {

std::string_view own_word(std::string_view text) {
  auto out = trim(text);
  while (out.ends_with('*')) out.remove_suffix(1);  // Debian marks those set by hand: "high**"
  return out;
}

}  // namespace

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
  const auto stated = own_word(vendor_word);
  const auto found = std::ranges::find_if(
      words, [&](const Word& one) { return equal_ignoring_case(one.word, stated); });
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
    out.vendor_word = own_word(claim.word);
    out.source = distribution ? std::string(claim.ecosystem) : std::string(claim.advisory_id);
  }
  return out;
}

struct ChosenVector {
  std::int16_t index = -1;  // -1: none
  bool own = false;         // of a record that matches
};

// Sources are in the order of preference: the first that will do is the one.
ChosenVector choose_vector(const std::vector<SeverityClaim>& claims,
                           const advisories::VulnerabilityEntry& vulnerability) {
  const auto& all = vulnerability.cvss;
  // A record that bears the CVE's own id is nobody's but the CVE's.
  const auto matched = [&](const advisories::CvssView& one) {
    return !one.source.starts_with("CVE-") &&
           std::ranges::find(claims, one.source, &SeverityClaim::advisory_id) != claims.end();
  };
  const bool distribution = !claims.empty() && claims.front().distribution;
  auto chosen = all.end();
  if (!distribution)
    chosen = std::ranges::find_if(
        all, [](const advisories::CvssView& one) { return one.source.starts_with("GHSA-"); });
  if (chosen == all.end()) chosen = std::ranges::find_if(all, matched);
  if (chosen == all.end()) chosen = all.begin();
  if (chosen == all.end()) return {};
  return {.index = static_cast<std::int16_t>(chosen - all.begin()), .own = matched(*chosen)};
}

// The number that goes with a word: the vector's where the two agree.
void score_word(DecidedSeverity& decided, std::int16_t tenths) {
  const auto band = score_band(decided.level);
  decided.estimated = tenths < band.first || tenths > band.last;
  decided.score = decided.estimated ? static_cast<std::int16_t>(band.first) : tenths;
}

}  // namespace

namespace {

DecidedSeverity decide(const std::vector<SeverityClaim>& claims,
                       const advisories::VulnerabilityEntry& vulnerability) {
  const auto vector = choose_vector(claims, vulnerability);
  const auto* cvss =
      vector.index < 0 ? nullptr : &vulnerability.cvss[static_cast<std::size_t>(vector.index)];
  auto out = strongest_word(claims, true);
  if (out.level == SeverityLevel::unknown && cvss != nullptr) {
    out.level = level_of_score(cvss->tenths);
    out.source = fmt::format("CVSS {} {}", cvss_version(cvss->vector), cvss->source);
    out.score = cvss->tenths;
    out.cvss = vector.index;
    return out;
  }
  if (out.level == SeverityLevel::unknown) out = strongest_word(claims, false);
  const bool bugs_only =
      !claims.empty() && std::ranges::all_of(claims, [](const SeverityClaim& claim) {
        return is_bug_erratum(claim.advisory_id);
      });
  if (out.level == SeverityLevel::unknown && bugs_only)
    out = {.level = SeverityLevel::none, .source = std::string(claims.front().ecosystem)};
  if (out.level == SeverityLevel::unknown) return out;
  score_word(out, cvss != nullptr ? cvss->tenths : no_score);
  out.cvss = vector.index;
  out.foreign_vector = cvss != nullptr && !vector.own;
  return out;
}

}  // namespace

DecidedSeverity decide_severity(const std::vector<SeverityClaim>& claims,
                                const advisories::VulnerabilityEntry& vulnerability) {
  auto out = decide(claims, vulnerability);
  out.vendor_word = strongest_word(claims, true).vendor_word;
  if (out.vendor_word.empty()) out.vendor_word = strongest_word(claims, false).vendor_word;
  return out;
}

}  // namespace tenken::match
