#include "pipeline/explain.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace tenken::pipeline {
namespace {

using advisories::Database;

// The vulnerabilities that the id stands for, by id, whatever of their names was asked for.
Result<std::vector<std::string>> names_of(const Database& database, std::string_view id) {
  std::vector<std::string> names{std::string(id)};
  TRY(const auto record, database.find_record(id));
  if (record) {
    TRY(const auto entry, database.record(*record));
    for (const auto number : entry.vulnerabilities) {
      TRY(const auto vulnerability, database.vulnerability(number));
      names.emplace_back(vulnerability.id);
    }
  }
  return names;
}

class Explaining {
 public:
  Explaining(const Database& database, std::vector<std::string> names)
      : database_(database), names_(std::move(names)) {}

  Result<> add(std::size_t index, match::PackageMatches matches) {
    PackageExplanation out{.package = index};
    for (auto& finding : matches.findings) {
      TRY(const bool ours, concerns(finding));
      if (ours) out.findings.push_back(std::move(finding));
    }
    for (auto& one : matches.others) {
      TRY(const bool ours, concerns(one));
      if (ours) out.others.push_back(std::move(one));
    }
    for (auto& one : matches.unknown) note(std::move(one));
    if (!out.findings.empty() || !out.others.empty()) packages_.push_back(std::move(out));
    return {};
  }

  Explanation take() { return {.packages = std::move(packages_), .unknown = std::move(unknown_)}; }

 private:
  bool named(std::string_view id) const { return std::ranges::find(names_, id) != names_.end(); }

  Result<bool> concerns(const Finding& finding) const {
    if (named(finding.id)) return true;
    TRY(const auto known, database_.vulnerability(finding.vulnerability));
    return std::ranges::any_of(known.aliases, [&](const auto& a) { return named(a); }) ||
           std::ranges::any_of(finding.advisories, [&](const auto& a) { return named(a); });
  }

  Result<bool> concerns(const Evidence& evidence) const {
    if (named(evidence.advisory)) return true;
    TRY(const auto number, database_.find_record(evidence.advisory));
    if (!number) return false;
    // Feeds may use one id for records of their own: the first that is about it is enough.
    TRY(const auto entry, database_.record(*number));
    for (const auto vulnerability : entry.vulnerabilities) {
      TRY(const auto one, database_.vulnerability(vulnerability));
      if (named(one.id)) return true;
      if (std::ranges::any_of(one.aliases, [&](std::string_view alias) { return named(alias); }))
        return true;
    }
    return false;
  }

  void note(Unknown fresh) {
    const auto [at, is_new] =
        noted_.try_emplace({fresh.kind, fresh.subject, fresh.reason}, unknown_.size());
    if (is_new) {
      unknown_.push_back(std::move(fresh));
    } else {
      unknown_[at->second].count += fresh.count;
    }
  }

  const Database& database_;
  std::vector<std::string> names_;
  std::vector<PackageExplanation> packages_;
  std::vector<Unknown> unknown_;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> noted_;
};

}  // namespace

Result<Explanation> explain(const Database& database, std::string_view id,
                            std::span<const Package> packages, match::MatchOptions options) {
  TRY(auto names, names_of(database, id));
  TRY(const auto vulnerability, database.find_vulnerability(id));
  const bool known = vulnerability.has_value() || names.size() > 1;
  options.evidence = true;
  options.explain = true;
  match::Matcher matcher(database, std::move(options));
  Explaining explaining(database, std::move(names));
  for (std::size_t i = 0; i < packages.size(); ++i) {
    TRY(auto matches, matcher.match(packages[i]));
    TRY_VOID(explaining.add(i, std::move(matches)));
  }
  auto out = explaining.take();
  out.known = known;
  return out;
}

}  // namespace tenken::pipeline
