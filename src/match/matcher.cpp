#include "match/matcher.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "match/judge.h"
#include "match/kernel.h"
#include "match/modules.h"
#include "match/severity.h"
#include "match/vendors.h"
#include "version/ecosystem.h"

namespace tenken::match {

// Packages of one source share their advisories: a record or vulnerability is unpacked once.
class Matcher::Entries {
 public:
  explicit Entries(const advisories::Database& database) : database_(database) {}

  const advisories::Database& database() const { return database_; }

  Result<const advisories::RecordEntry*> record(std::uint32_t number) {
    const auto found = records_.find(number);
    if (found != records_.end()) return &found->second;
    TRY(auto entry, database_.record(number));
    return &records_.emplace(number, std::move(entry)).first->second;
  }

  Result<const advisories::VulnerabilityEntry*> vulnerability(std::uint32_t number) {
    const auto found = vulnerabilities_.find(number);
    if (found != vulnerabilities_.end()) return &found->second;
    TRY(auto entry, database_.vulnerability(number));
    return &vulnerabilities_.emplace(number, std::move(entry)).first->second;
  }

 private:
  const advisories::Database& database_;
  // Nodes stay where they are when the maps grow.
  std::unordered_map<std::uint32_t, advisories::RecordEntry> records_;
  std::unordered_map<std::uint32_t, advisories::VulnerabilityEntry> vulnerabilities_;
};

namespace {

using advisories::RecordEntry;
using advisories::RowView;

// Feeds that state the distribution's present verdict for every vulnerability and release.
bool decides(std::string_view feed) {
  return feed == "debian_tracker";
}

// A release's rows to look at, and whether they need a subscription.
struct Source {
  std::string release;
  bool subscription = false;
};

// One record's say about the package: its rows brought together.
struct Claim {
  const RecordEntry* record = nullptr;
  const RowView* row = nullptr;  // that decided
  const Source* source = nullptr;
  Judgement judgement;
  bool unclear_stream = false;
};
using Claims = std::span<const Claim* const>;

class PackageMatch {
 public:
  PackageMatch(Matcher::Entries& entries, const MatchOptions& options, const Package& package)
      : entries_(entries), database_(entries.database()), options_(options), package_(package) {}

  Result<PackageMatches> run() {
    if (package_.listed_only || !comparable()) return std::move(out_);
    const auto identity = ecosystem_->key == version::PackageKey::source
                              ? advisory_source(package_)
                              : SourceIdentity{package_.name, package_.version};
    version_ = prepare(ecosystem_->scheme, identity.version);
    if (version_.text.empty())
      add_unknown("version", subject(), text(Message::unknown_version_missing));
    if (identity.name.empty()) {
      add_unknown("package", subject(), text(Message::unknown_name_missing));
      return std::move(out_);
    }
    if (ecosystem_->key == version::PackageKey::source && is_kernel_headers(package_) &&
        identity.name.starts_with("linux"))
      return std::move(out_);
    const auto name = version::normal_name(package_.ecosystem, identity.name);
    sources_ = sources();
    rows_.reserve(sources_.size());
    for (const auto& source : sources_) {
      TRY(auto rows, database_.rows(package_.ecosystem, source.release, name));
      out_.named = out_.named || !rows.empty();
      TRY_VOID(collect(std::move(rows), source));
    }
    TRY_VOID(conclude());
    return std::move(out_);
  }

 private:
  // False where nothing of the package can be compared; the reason stands in out_.unknown.
  bool comparable() {
    if (package_.ecosystem.empty()) {
      add_unknown("ecosystem", package_.kind.empty() ? subject() : package_.kind,
                  text(Message::unknown_ecosystem_missing));
      return false;
    }
    ecosystem_ = version::find_ecosystem(package_.ecosystem);
    if (ecosystem_ == nullptr) {
      add_unknown("ecosystem", package_.ecosystem,
                  text(Message::unknown_scheme, package_.ecosystem));
      return false;
    }
    release_ = version::normal_release(package_.ecosystem, package_.release);
    if (ecosystem_->releases != version::ReleaseRule::none && release_.empty()) {
      add_unknown("release", package_.ecosystem,
                  text(Message::unknown_release_missing, package_.ecosystem));
      return false;
    }
    if (is_third_party(package_)) {
      add_unknown("vendor", package_.vendor,
                  text(Message::unknown_vendor, package_.vendor, package_.ecosystem));
      return false;
    }
    check_coverage();
    return true;
  }

  void check_coverage() {
    const auto covered = database_.coverage(package_.ecosystem, release_);
    if (!std::ranges::all_of(covered, [](const auto* one) { return one->partial; })) return;
    const auto what = with_release(release_);
    const bool nothing_held = release_.empty() && !database_.has_rows(package_.ecosystem);
    const auto nothing = nothing_held ? Message::unknown_ecosystem : Message::unknown_release;
    add_unknown(release_.empty() ? "ecosystem" : "release", what,
                text(covered.empty() ? nothing : Message::unknown_release_partial, what));
  }

  // "Debian:11".
  std::string with_release(const std::string& release) const {
    return release.empty() ? package_.ecosystem : package_.ecosystem + ":" + release;
  }

  std::vector<Source> sources() const {
    std::vector<Source> out{{release_}};
    if (!release_.empty()) out.push_back({});
    if (package_.ecosystem == "Ubuntu") out.push_back({"Pro:" + release_, !options_.esm_attached});
    return out;
  }

  template <typename... Arguments>
  std::string text(Message message, const Arguments&... arguments) const {
    return say(options_.lang, message, arguments...);
  }

  static std::string_view or_unknown(std::string_view text) { return text.empty() ? "?" : text; }

  std::string subject() const {
    return printable(fmt::format("{} {}", or_unknown(package_.name), or_unknown(package_.version)));
  }

  void add_unknown(std::string_view kind, std::string_view subject, std::string reason) {
    for (auto& one : out_.unknown) {
      if (one.kind != kind || one.subject != subject || one.reason != reason) continue;
      ++one.count;
      return;
    }
    out_.unknown.push_back({std::string(kind), printable(subject), std::move(reason), 1});
  }

  // Rows are sorted by record: each run is one record's.
  Result<> collect(std::vector<RowView>&& rows, const Source& source) {
    rows_.push_back(std::move(rows));
    const auto& kept = rows_.back();
    for (auto first = kept.begin(); first != kept.end();) {
      const auto last = std::find_if(
          first, kept.end(), [&](const RowView& row) { return row.record != first->record; });
      TRY(const auto* record, entries_.record(first->record));
      const bool withdrawn = record->withdrawn && *record->withdrawn <= options_.now;
      if (withdrawn) {
        explain(*first, *record, source,
                {.verdict = Verdict::not_affected, .reason = Message::evidence_withdrawn});
      } else {
        judge_record(first, last, *record, source);
      }
      first = last;
    }
    return {};
  }

  using Rows = std::vector<RowView>::const_iterator;

  // A claim for each module stream that the record's rows name; one for a record without modules.
  void judge_record(Rows first, Rows last, const RecordEntry& record, const Source& source) {
    const auto own = claims_.size();
    for (auto row = first; row != last; ++row) {
      const auto fit = module_fit(package_, *row);
      if (fit == ModuleFit::differs) {
        explain(*row, record, source,
                {.verdict = Verdict::not_affected, .reason = Message::evidence_other_stream});
        continue;
      }
      auto judgement = judge(*row, version_);
      explain(*row, record, source, judgement);
      const auto same = std::find_if(
          claims_.begin() + static_cast<std::ptrdiff_t>(own), claims_.end(),
          [&](const Claim& claim) { return claim.row->module_stream == row->module_stream; });
      Claim claim{.record = &record,
                  .row = &*row,
                  .source = &source,
                  .judgement = std::move(judgement),
                  .unclear_stream = fit == ModuleFit::unclear};
      if (same == claims_.end()) {
        claims_.push_back(std::move(claim));
      } else if (outweighs(claim.judgement, same->judgement, is_module_build(*row))) {
        *same = std::move(claim);
      }
    }
  }

  // Of several rows of one record, affected outweighs the rest; but of several builds of one
  // module an installed one of them, or a newer, is fixed. Commits alone decide nothing.
  static bool outweighs(const Judgement& fresh, const Judgement& kept, bool module_build) {
    if (kept.git_only != fresh.git_only) return kept.git_only;
    const auto weight = [&](Verdict verdict) {
      switch (verdict) {
        case Verdict::affected:
          return module_build ? 1 : 2;
        case Verdict::unknown:
          return module_build ? 0 : 1;
        case Verdict::not_affected:
          return module_build ? 2 : 0;
      }
      return 0;
    };
    return weight(fresh.verdict) > weight(kept.verdict);
  }

  Evidence evidence(const RowView& row, const RecordEntry& record, const Source& source,
                    const Judgement& judgement) const {
    Evidence out;
    out.advisory = record.id;
    out.feed = record.feed;
    out.ecosystem = with_release(source.release);
    out.package = row.name;
    out.range = describe_ranges(row);
    out.installed = version_.text;
    out.compared = describe_comparison(judgement, row, version_);
    out.scheme = version_.scheme != nullptr ? version_.scheme->id : "";
    out.verdict = name(judgement.verdict);
    out.reason = say_reason(options_.lang, judgement);
    return out;
  }

  void explain(const RowView& row, const RecordEntry& record, const Source& source,
               const Judgement& judgement) {
    if (!options_.explain || judgement.verdict == Verdict::affected) return;
    out_.others.push_back(evidence(row, record, source, judgement));
  }

  // Ubuntu gives one record rows for the release and for its subscription: a build that has the
  // subscription's fix is fixed, whatever the release's own row says.
  bool superseded(const Claim& claim) const {
    if (is_subscription(claim.source->release)) return false;
    return std::ranges::any_of(claims_, [&](const Claim& other) {
      return other.record == claim.record && is_subscription(other.source->release) &&
             other.judgement.verdict == Verdict::not_affected &&
             other.row->status != VendorStatus::not_affected;
    });
  }

  static bool is_subscription(std::string_view release) { return release.starts_with("Pro:"); }

  Result<> conclude() {
    // Vulnerabilities are numbered in the order of their ids, so the findings come out sorted.
    // Each is one number, the vulnerability's before the claim's, which sorts fastest.
    std::vector<std::uint64_t> named;
    const bool may_be_superseded = package_.ecosystem == "Ubuntu";
    for (std::uint32_t i = 0; i < claims_.size(); ++i) {
      if (may_be_superseded && superseded(claims_[i])) continue;
      for (const auto vulnerability : claims_[i].record->vulnerabilities)
        named.push_back(std::uint64_t{vulnerability} << 32 | i);
    }
    std::ranges::sort(named);
    out_.findings.reserve(named.size());
    std::vector<const Claim*> claims;
    for (std::size_t i = 0; i < named.size(); ++i) {
      const auto vulnerability = static_cast<std::uint32_t>(named[i] >> 32);
      claims.push_back(&claims_[static_cast<std::uint32_t>(named[i])]);
      if (i + 1 < named.size() && named[i + 1] >> 32 == vulnerability) continue;
      TRY_VOID(decide(vulnerability, claims));
      claims.clear();
    }
    return {};
  }

  Result<> decide(std::uint32_t number, Claims claims) {
    const auto tracker =
        std::ranges::find_if(claims, [](const Claim* c) { return decides(c->record->feed); });
    const bool tracked = tracker != claims.end();
    const auto verdict = tracked ? (*tracker)->judgement.verdict : verdict_of(claims);
    if (verdict == Verdict::not_affected) return {};
    if (verdict == Verdict::unknown) {
      note_unknown(claims);
      return {};
    }
    TRY(const auto* known, entries_.vulnerability(number));
    const auto& vulnerability = *known;
    auto& finding = out_.findings.emplace_back();
    finding.vulnerability = number;
    finding.id = vulnerability.id;
    severity_claims_.clear();
    finding.advisories.reserve(claims.size());
    for (const auto* claim : claims) {
      if (claim->judgement.verdict == Verdict::affected) support(finding, *claim);
    }
    if (finding.advisories.empty()) finding.advisories.push_back(finding.id);
    if (finding.advisories.size() > 1) {
      std::ranges::sort(finding.advisories);
      finding.advisories.erase(std::ranges::unique(finding.advisories).begin(),
                               finding.advisories.end());
    }
    const auto speaking = tracked ? std::span(tracker, 1) : claims;
    choose_fix(finding, speaking);
    choose_status(finding, speaking);
    auto decided = decide_severity(severity_claims_, vulnerability);
    finding.severity = decided.level;
    finding.vendor_severity = std::move(decided.vendor_word);
    finding.severity_source = std::move(decided.source);
    finding.score = decided.score;
    finding.score_estimated = decided.estimated;
    finding.foreign_vector = decided.foreign_vector;
    finding.cvss = decided.cvss;
    return {};
  }

  // Affected where any record says so. Without a module label the streams must agree.
  Verdict verdict_of(Claims claims) const {
    const auto has = [&](Verdict wanted) {
      return std::ranges::any_of(claims,
                                 [&](const Claim* c) { return c->judgement.verdict == wanted; });
    };
    const bool unclear = std::ranges::any_of(claims, [](const Claim* c) {
      return c->unclear_stream && c->judgement.verdict == Verdict::affected;
    });
    if (unclear &&
        (!package_.module_label.empty() || has(Verdict::not_affected) || has(Verdict::unknown))) {
      const bool certain = std::ranges::any_of(claims, [](const Claim* c) {
        return !c->unclear_stream && c->judgement.verdict == Verdict::affected;
      });
      return certain ? Verdict::affected : Verdict::unknown;
    }
    if (has(Verdict::affected)) return Verdict::affected;
    return has(Verdict::unknown) ? Verdict::unknown : Verdict::not_affected;
  }

  void note_unknown(Claims claims) {
    if (version_.text.empty()) return;  // said once for the package
    for (const auto* claim : claims) {
      if (claim->unclear_stream && claim->judgement.verdict == Verdict::affected) {
        add_unknown("module", subject(),
                    text(package_.module_label.empty() ? Message::unknown_module_label
                                                       : Message::unknown_advisory_stream));
        return;
      }
      if (claim->judgement.verdict != Verdict::unknown) continue;
      add_unknown("version", subject(), say_reason(options_.lang, claim->judgement));
      return;
    }
  }

  void support(Finding& finding, const Claim& claim) {
    // A tracker's row bears the vulnerability's own id: it is evidence, not an advisory.
    if (!decides(claim.record->feed)) finding.advisories.emplace_back(claim.record->id);
    if (options_.evidence)
      finding.evidence.push_back(
          evidence(*claim.row, *claim.record, *claim.source, claim.judgement));
    const bool distribution = ecosystem_->releases != version::ReleaseRule::none;
    if (!claim.row->vendor_severity.empty())
      severity_claims_.push_back(
          {claim.row->vendor_severity, claim.record->id, package_.ecosystem, distribution});
    severity_claims_.push_back(
        {claim.record->vendor_severity, claim.record->id, package_.ecosystem, distribution});
  }

  // The greatest fix: at it, every record stops to hold.
  void choose_fix(Finding& finding, Claims claims) const {
    std::string_view key;
    for (const auto* claim : claims) {
      const auto* interval = claim->judgement.interval;
      if (interval == nullptr || interval->upper_bound != advisories::UpperBound::fixed) continue;
      if (claim->source->subscription) {
        finding.status_note = text(Message::evidence_needs_subscription,
                                   fmt::format("Ubuntu Pro, {}", printable(interval->upper)));
        continue;
      }
      if (!finding.fixed_version.empty() && interval->upper_key <= key) continue;
      key = interval->upper_key;
      finding.fixed_version = interval->upper;
    }
  }

  void choose_status(Finding& finding, Claims claims) const {
    const RowView* stated = nullptr;
    for (const auto* claim : claims) {
      if (claim->judgement.verdict != Verdict::affected) continue;
      if (stated == nullptr || claim->row->status == VendorStatus::affected) stated = claim->row;
    }
    if (stated != nullptr) {
      finding.status = status_of(stated->status);
      if (!stated->status_note.empty()) finding.status_note = stated->status_note;
    }
    if (!options_.running_kernel.empty() && is_kernel_image(package_) &&
        !belongs_to_kernel(package_, options_.running_kernel))
      finding.status = FindingStatus::not_running;
  }

  static FindingStatus status_of(VendorStatus status) {
    switch (status) {
      case VendorStatus::fix_deferred:
        return FindingStatus::fix_deferred;
      case VendorStatus::will_not_fix:
        return FindingStatus::will_not_fix;
      case VendorStatus::end_of_life:
        return FindingStatus::end_of_life;
      case VendorStatus::under_investigation:
        return FindingStatus::under_investigation;
      case VendorStatus::affected:
      case VendorStatus::not_affected:
        return FindingStatus::affected;
    }
    return FindingStatus::affected;
  }

  Matcher::Entries& entries_;
  const advisories::Database& database_;
  const MatchOptions& options_;
  const Package& package_;
  const version::Ecosystem* ecosystem_ = nullptr;
  std::string release_;
  ComparedVersion version_;
  std::vector<std::vector<RowView>> rows_;  // moved in whole: claims point into their elements
  std::vector<Source> sources_;
  std::vector<Claim> claims_;
  std::vector<SeverityClaim> severity_claims_;  // of the finding at hand
  PackageMatches out_;
};

}  // namespace

Matcher::Matcher(const advisories::Database& database, MatchOptions options)
    : options_(std::move(options)), entries_(std::make_unique<Entries>(database)) {}
Matcher::~Matcher() = default;

Result<PackageMatches> Matcher::match(const Package& package) {
  return PackageMatch(*entries_, options_, package).run();
}

std::string advisory_name(const Package& package) {
  const auto* ecosystem = version::find_ecosystem(package.ecosystem);
  if (ecosystem == nullptr) return {};
  const bool by_source = ecosystem->key == version::PackageKey::source;
  return version::normal_name(package.ecosystem,
                              by_source ? advisory_source(package).name : package.name);
}

}  // namespace tenken::match
