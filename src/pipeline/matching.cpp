#include "pipeline/matching.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "match/matcher.h"
#include "store/jobs.h"
#include "version/ecosystem.h"

namespace tenken::pipeline {
namespace {

constexpr std::size_t description_limit = 1024;
constexpr std::size_t references_shown = 100;

std::string cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return std::string(text.substr(0, limit));
}

void write_cvss(json::Writer& out, const Vulnerability& vulnerability) {
  out.key("cvss").begin_array();
  for (const auto& one : vulnerability.cvss) {
    out.begin_object();
    out.key("baseScore").number(one.tenths / 10.0);
    out.member("scoringVector", one.vector);
    out.member("source", one.source);
    out.member("version", cvss_version(one.vector));
    out.end_object();
  }
  out.end_array();
  out.key("scoresDisagree").boolean(scores_disagree(vulnerability));
}

std::string document_of(const Vulnerability& vulnerability) {
  json::Writer out;
  out.begin_object();
  const auto& text = vulnerability.details.empty() ? vulnerability.summary : vulnerability.details;
  out.member("description", cut_utf8(text, description_limit));
  out.member_if("summary_ja", vulnerability.summary_ja);
  write_cvss(out, vulnerability);
  out.strings("aliases", vulnerability.aliases);
  out.strings("cwes", vulnerability.cwes);
  out.key("references").begin_array();
  for (std::size_t i = 0; i < std::min(references_shown, vulnerability.references.size()); ++i)
    out.string(vulnerability.references[i].url);
  out.end_array();
  if (vulnerability.exploited) {
    out.key("exploited").begin_object();
    out.key("added").integer(vulnerability.exploited->added);
    out.key("due").integer(vulnerability.exploited->due);
    out.member("action", vulnerability.exploited->action);
    out.key("ransomware").boolean(vulnerability.exploited->ransomware);
    out.end_object();
  }
  out.end_object();
  return out.take();
}

store::StoredVulnerability stored(const Vulnerability& one) {
  return {.id = one.id,
          .title = one.summary,
          .source = one.id.starts_with("CVE-") ? "NVD" : std::string(split_once(one.id, '-').first),
          .published = one.published,
          .modified = one.modified,
          .epss = one.prediction ? one.prediction->probability : -1,
          .exploited = one.exploited ? one.exploited->added : 0,
          .aliases = one.aliases.empty() ? "" : fmt::format(" {} ", fmt::join(one.aliases, " ")),
          .document = document_of(one)};
}

std::string unknown_document(const std::vector<Unknown>& unknown) {
  json::Writer out;
  out.begin_array();
  for (const auto& one : unknown) {
    out.begin_object();
    out.member("kind", one.kind).member("subject", one.subject).member("reason", one.reason);
    out.end_object();
  }
  out.end_array();
  return out.take();
}

// How far a generation covers a package's release.
enum class Covered : std::uint8_t { wholly, partly, not_at_all };

bool has_releases(std::string_view ecosystem) {
  const auto* known = version::find_ecosystem(ecosystem);
  return known != nullptr && known->releases != version::ReleaseRule::none;
}

Covered covered(const advisories::Database& database, const Package& package) {
  const auto release = version::normal_release(package.ecosystem, package.release);
  // Records that name no release cover none: nothing can be said of a package whose release is not
  // known.
  if (release.empty() && has_releases(package.ecosystem)) return Covered::not_at_all;
  const auto coverage = database.coverage(package.ecosystem, release);
  if (coverage.empty()) return Covered::not_at_all;
  const bool partly = std::ranges::all_of(coverage, [](const auto* one) { return one->partial; });
  return partly ? Covered::partly : Covered::wholly;
}

// Matches versions whose hosts are alike in what the matcher asks of them.
class Matchers {
 public:
  Matchers(const advisories::Database& database, Seconds now) : database_(database), now_(now) {}

  match::Matcher& of(const std::string& host_state) {
    auto& matcher = by_state_[host_state];
    if (matcher == nullptr) {
      // No kernel package belongs to a kernel of this name.
      const auto* kernel = host_state == "not_running" ? "another" : "";
      matcher = std::make_unique<match::Matcher>(
          database_, match::MatchOptions{.now = now_,
                                         .running_kernel = kernel,
                                         .esm_attached = host_state == "esm",
                                         .evidence = false});
    }
    return *matcher;
  }

 private:
  const advisories::Database& database_;
  Seconds now_;
  std::map<std::string, std::unique_ptr<match::Matcher>> by_state_;
};

class VersionMatching {
 public:
  VersionMatching(const advisories::Database& database, Seconds now)
      : database_(database), matchers_(database, now) {}

  Result<> add(store::PackageVersionId id, const store::PackageVersion& version) {
    TRY(auto matches, matchers_.of(version.host_state).match(version.package));
    const auto coverage = covered(database_, version.package);
    store::VersionMatches out{.id = id};
    for (const auto& finding : matches.findings) {
      TRY(const auto* vulnerability, describe(finding.vulnerability));
      out.matches.push_back(match_of(finding, *vulnerability));
    }
    out.keep_missing = coverage != Covered::wholly;
    // That a release is not covered, or in part, is said of every package; it decides nothing here.
    const bool undecided = std::ranges::any_of(matches.unknown, [&](const Unknown& one) {
      return coverage == Covered::wholly || (one.kind != "release" && one.kind != "ecosystem");
    });
    if (coverage == Covered::not_at_all) {
      out.decided =
          matches.named && !undecided ? store::Decided::by_records : store::Decided::not_covered;
    } else {
      out.decided = undecided ? store::Decided::partly : store::Decided::wholly;
    }
    out.unknown = unknown_document(matches.unknown);
    out_.versions.push_back(std::move(out));
    return {};
  }

  Matched take() {
    for (auto& [index, one] : described_) out_.vulnerabilities.push_back(stored(one));
    return std::move(out_);
  }

 private:
  static store::StoredMatch match_of(const Finding& finding, const Vulnerability& vulnerability) {
    return {.vulnerability = finding.id,
            .status = finding.status,
            .score = finding.score,
            .score_source = std::string(score_source(finding, vulnerability)),
            .vendor_severity = finding.vendor_severity,
            .fixed_version = finding.fixed_version,
            .advisories = fmt::format("{}", fmt::join(finding.advisories, " "))};
  }

  Result<const Vulnerability*> describe(std::uint32_t index) {
    const auto known = described_.find(index);
    if (known != described_.end()) return &known->second;
    TRY(auto one, database_.describe(index));
    return &described_.emplace(index, std::move(one)).first->second;
  }

  const advisories::Database& database_;
  Matchers matchers_;
  Matched out_;
  std::map<std::uint32_t, Vulnerability> described_;
};

std::string name_of(const Package& package) {
  const auto* const blank = package.release.empty() ? "" : " ";
  return fmt::format("{} {} ({}{}{})", package.name, package.version, package.ecosystem, blank,
                     package.release);
}

// What the matches of one version need of what was matched together.
Matched alone(const Matched& all, const store::VersionMatches& version) {
  Matched out{.versions = {version}};
  for (const auto& vulnerability : all.vulnerabilities) {
    if (std::ranges::find(version.matches, vulnerability.id, &store::StoredMatch::vulnerability) !=
        version.matches.end())
      out.vulnerabilities.push_back(vulnerability);
  }
  return out;
}

Result<> write(const MatchWork& work, const Matched& matched) {
  TRY(auto transaction, sql::Transaction::begin(work.connection, sql::Transaction::Mode::write));
  TRY_VOID(work.begin());
  TRY_VOID(store::put_vulnerabilities(work.connection, matched.vulnerabilities));
  TRY(const auto changed, store::put_matches(work.connection, matched.versions));
  TRY_VOID(work.changed(changed));
  return transaction.commit();
}

// As store::enqueue and a first attempt that failed.
Result<> leave_for_later(const MatchWork& work, const FailedVersion& failed) {
  const store::Job job{.kind = "match", .subject = fmt::format("{}", failed.id.value)};
  TRY_VOID(store::enqueue(work.connection, job.kind, job.subject, "", work.now));
  return store::put_off(work.connection, job, failed.error.what, work.now);
}

}  // namespace

Matched match_versions(const advisories::Database& database, std::span<const NamedVersion> versions,
                       Seconds now) {
  VersionMatching matching(database, now);
  std::vector<FailedVersion> failed;
  for (const auto& [id, version] : versions) {
    if (auto added = matching.add(id, version); !added)
      failed.push_back({id, name_of(version.package), std::move(added).error()});
  }
  auto out = matching.take();
  out.failed = std::move(failed);
  return out;
}

Result<std::vector<FailedVersion>> put_matched(const MatchWork& work,
                                               std::span<const NamedVersion> versions) {
  auto matched = match_versions(work.database, versions, work.now);
  const auto together = write(work, matched);
  if (together) return std::move(matched.failed);
  if (together.error().code == Errc::unavailable) return together.error();
  for (const auto& version : matched.versions) {
    const auto written = write(work, alone(matched, version));
    if (written) continue;
    if (written.error().code == Errc::unavailable) return written.error();
    const auto named = std::ranges::find(versions, version.id, &NamedVersion::first);
    CHECK(named != versions.end());
    matched.failed.push_back({version.id, name_of(named->second.package), written.error()});
  }
  return std::move(matched.failed);
}

Result<> mark_unknown(const MatchWork& work, std::span<const FailedVersion> failed) {
  for (const auto& one : failed) {
    const store::VersionMatches unknown{
        .id = one.id,
        .decided = store::Decided::partly,
        .keep_missing = true,
        .unknown =
            unknown_document({{.kind = "package", .subject = one.name, .reason = one.error.what}})};
    TRY(auto transaction, sql::Transaction::begin(work.connection, sql::Transaction::Mode::write));
    TRY_VOID(work.begin());
    TRY(const auto changed, store::put_matches(work.connection, std::span(&unknown, 1)));
    TRY_VOID(work.changed(changed));
    TRY_VOID(leave_for_later(work, one));
    TRY_VOID(transaction.commit());
  }
  return {};
}

}  // namespace tenken::pipeline
