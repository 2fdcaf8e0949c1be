#include "pipeline/evaluate.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "advisories/diff.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "match/matcher.h"
#include "pipeline/node_generations.h"
#include "pipeline/suppress.h"
#include "pipeline/together.h"
#include "sql/dialect.h"
#include "store/holders.h"
#include "store/resources.h"
#include "store/suppression.h"
#include "version/ecosystem.h"

namespace tenken::pipeline {
namespace {

constexpr std::int64_t jobs_at_once = 50;
constexpr Seconds lease_seconds = 30;                    // work that takes longer renews it
constexpr auto longest_pause = std::chrono::seconds(1);  // of evaluation, while inventories wait
constexpr std::size_t versions_at_once = 2'000;
constexpr std::int64_t findings_at_once = 20'000;  // written in one transaction
constexpr std::size_t most_generations_behind = 8;
constexpr std::string_view unknown_generation = "-";  // the name of none
constexpr std::size_t description_limit = 1024;
constexpr std::size_t references_shown = 100;
constexpr std::string_view generation_setting = "advisory_generation";

Result<std::string> setting(sql::Connection& connection, std::string_view name) {
  TRY(const auto value, connection.one_text("SELECT value FROM setting WHERE name = ?1", name));
  return value.value_or("");
}

Result<> set_setting(sql::Connection& connection, std::string_view name, std::string_view value) {
  TRY(const auto written, connection.run("INSERT INTO setting (name, value) VALUES (?1, ?2) "
                                         "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                         name, value));
  CHECK(written == 1);
  return {};
}

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

std::vector<NamedVersion> listed(std::map<std::int64_t, store::PackageVersion> versions) {
  std::vector<NamedVersion> out;
  out.reserve(versions.size());
  for (auto& [id, version] : versions)
    out.emplace_back(store::PackageVersionId{id}, std::move(version));
  return out;
}

// The generations, separated by blanks, since which the matches may not have been brought up: that
// in use, and those that a job still to be done names.
Result<std::string> generations_behind(sql::Connection& connection, std::string_view used) {
  TRY(const auto waiting, connection.one_text("SELECT payload FROM job WHERE kind = 'advance' "
                                              "AND subject = 'generation'"));
  if (!waiting) return std::string(used);
  auto known = split(*waiting, ' ');
  if (std::ranges::find(known, used) == known.end()) known.push_back(used);
  if (known.size() > most_generations_behind) return std::string(unknown_generation);
  return fmt::format("{}", fmt::join(known, " "));
}

// The package versions that the difference of two generations concerns.
Result<> add_concerned(sql::Connection& connection, const advisories::Database& before,
                       const advisories::Database& after,
                       std::map<std::int64_t, store::PackageVersion>& concerned) {
  TRY(const auto difference, advisories::diff(before, after));
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const auto& change : difference.names) names.emplace(change.ecosystem, change.name);
  for (const auto& [ecosystem, name] : names) {
    TRY(auto versions, store::versions_named(connection, ecosystem, name));
    for (auto& [id, version] : versions) concerned.emplace(id.value, std::move(version));
  }
  TRY(const auto known, store::known_vulnerabilities(connection));
  for (const auto& change : difference.vulnerabilities) {
    if (!known.contains(change.id)) continue;
    TRY(auto versions, store::versions_matching(connection, change.id));
    for (auto& [id, version] : versions) concerned.emplace(id.value, std::move(version));
  }
  return {};
}

// Of a job of the kind evaluate.
store::ResourceId resource_of(const store::Job& job) {
  const auto number = parse_uint(job.subject);
  CHECK(number.has_value());
  return {static_cast<std::int64_t>(*number)};
}

// How far a generation covers a package's release.
enum class Covered : std::uint8_t { wholly, partly, not_at_all };

Covered covered(const advisories::Database& database, const Package& package) {
  const auto release = version::normal_release(package.ecosystem, package.release);
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
            .vendor_severity = std::string(name(finding.severity)),
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

}  // namespace

Result<Matched> match_versions(const advisories::Database& database,
                               std::span<const NamedVersion> versions, Seconds now) {
  VersionMatching matching(database, now);
  for (const auto& [id, version] : versions) TRY_VOID(matching.add(id, version));
  return matching.take();
}

Evaluator::Evaluator(EvaluatorOptions options) : options_(std::move(options)) {}

// Never the same twice: two evaluations within a microsecond would share their history.
std::int64_t Evaluator::next_transition() {
  last_transition_ = std::max(store::transition_at(options_.clock()), last_transition_ + 3);
  return last_transition_;
}

Result<bool> Evaluator::is_in_use(sql::Connection& connection, const Generation& generation) {
  TRY(const auto used, setting(connection, generation_setting));
  return used == generation->generation();
}

// Inside a transaction: that what it writes of this generation is committed before any node brings
// another into use.
Result<> Evaluator::check_in_use(sql::Connection& connection, const Generation& generation) {
  std::string statement = "SELECT value FROM setting WHERE name = ?1";
  statement += sql::dialect(connection.engine()).for_share;
  TRY(const auto used, connection.one_text(statement, generation_setting));
  if (used.value_or("") != generation->generation())
    return unavailable("another advisory generation came into use");
  return {};
}

Result<> Evaluator::keep_lease(sql::Connection& connection, const store::Job& job) {
  TRY(const auto held,
      store::renew(connection, job, options_.node, options_.clock() + lease_seconds));
  if (!held) return unavailable("another node has taken the work over");
  return {};
}

Result<> Evaluator::give_back_leases() {
  if (!may_hold_leases_) return {};
  TRY(auto connection, options_.pool->lease());
  for (const auto* kind : {"advance", "settle", "suppress", "evaluate"})
    TRY_VOID(store::release_leases(*connection, kind, options_.node));
  return {};
}

Result<bool> Evaluator::notice_generation() {
  const auto generation = options_.current();
  if (generation == nullptr) return true;
  const auto now = options_.clock();
  const auto& own = generation->generation();
  if (own == noted_generation_ && now < noted_at_ + note_generation_every) return is_ours_;
  TRY(auto connection, options_.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto wanted, generation_to_use(*connection, options_.node, *generation, now));
  TRY(const auto used, setting(*connection, generation_setting));
  if (wanted == own && used != own) {
    TRY_VOID(set_setting(*connection, generation_setting, own));
    if (!used.empty()) {
      TRY(const auto behind, generations_behind(*connection, used));
      TRY_VOID(store::enqueue(*connection, "advance", "generation", behind, now));
    }
  }
  TRY_VOID(transaction.commit());
  noted_generation_ = own;
  noted_at_ = now;
  is_ours_ = wanted == own;
  return is_ours_;
}

Result<std::size_t> Evaluator::work() {
  TRY(const auto filtered,
      apply_changed_filters({.pool = *options_.pool,
                             .node = options_.node,
                             .clock = options_.clock,
                             .next_transition = [this] { return next_transition(); }}));
  const auto generation = options_.current();
  if (generation == nullptr) return filtered;
  TRY_VOID(give_back_leases());
  may_hold_leases_ = true;
  TRY(const auto advanced, advance(generation));
  TRY(const auto settled, settle());
  TRY(const auto evaluated, evaluate_resources(generation));
  TRY_VOID(keep_holders());
  may_hold_leases_ = false;
  return filtered + advanced + settled + evaluated;
}

Result<> Evaluator::rematch(sql::Connection& connection, const store::Job& job,
                            std::span<const NamedVersion> versions, const Generation& generation) {
  for (std::size_t at = 0; at < versions.size(); at += versions_at_once) {
    const auto part = versions.subspan(at, std::min(versions_at_once, versions.size() - at));
    TRY(const auto matched, match_versions(*generation, part, options_.clock()));
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY_VOID(check_in_use(connection, generation));
    TRY_VOID(keep_lease(connection, job));
    TRY_VOID(store::put_vulnerabilities(connection, matched.vulnerabilities));
    TRY(const auto changed, store::put_matches(connection, matched.versions));
    for (const auto& vulnerability : changed)
      TRY_VOID(store::enqueue(connection, "settle", vulnerability, generation->generation(),
                              options_.clock()));
    TRY_VOID(transaction.commit());
  }
  return {};
}

Result<> Evaluator::advance_to(sql::Connection& connection, const store::Job& job,
                               const Generation& generation) {
  std::map<std::int64_t, store::PackageVersion> concerned;
  for (const auto id : split(job.payload, ' ')) {
    const auto before = options_.find(std::string(id));
    if (before == nullptr) return rematch_all(connection, job, generation);
    TRY_VOID(add_concerned(connection, *before, *generation, concerned));
  }
  return rematch(connection, job, listed(std::move(concerned)), generation);
}

// Without an old file the difference is not known: everything is looked at again.
Result<> Evaluator::rematch_all(sql::Connection& connection, const store::Job& job,
                                const Generation& generation) {
  store::PackageVersionId after{-1};
  while (true) {
    TRY(const auto versions, store::versions_after(connection, after, versions_at_once));
    if (versions.empty()) return {};
    TRY_VOID(rematch(connection, job, versions, generation));
    after = versions.back().first;
  }
}

Result<std::size_t> Evaluator::advance(const Generation& generation) {
  TRY(auto connection, options_.pool->lease());
  TRY(const auto in_use, is_in_use(*connection, generation));
  if (!in_use) return std::size_t{0};
  TRY(const auto jobs,
      store::lease(*connection, "advance", options_.node, options_.clock(), lease_seconds, 1));
  for (const auto& job : jobs) {
    TRY_VOID(advance_to(*connection, job, generation));
    TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
    TRY_VOID(store::enqueue_rules_on_facts(*connection, options_.clock()));
    TRY_VOID(store::finish(*connection, job, options_.node));
    TRY_VOID(transaction.commit());
  }
  return jobs.size();
}

// Jobs share transactions, but none becomes so long that ingest waits.
Result<> Evaluator::settle_slice(sql::Connection& connection, std::span<const store::Job> jobs,
                                 std::int64_t slice) {
  while (!jobs.empty()) {
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY_VOID(store::lock_slice(connection, slice));
    std::int64_t written = 0;
    while (!jobs.empty() && written < findings_at_once) {
      const auto& job = jobs.front();
      TRY(const auto changes,
          store::evaluate_vulnerabilities(connection, {job.subject}, slice,
                                          {.now = options_.clock(),
                                           .transition = next_transition(),
                                           .cause = fmt::format("advisories {}", job.payload)}));
      written += changes.written + changes.closed;
      TRY_VOID(keep_lease(connection, job));
      jobs = jobs.subspan(1);
    }
    TRY_VOID(transaction.commit());
  }
  return {};
}

Result<> Evaluator::settle(sql::Connection& connection, std::span<const store::Job> jobs) {
  for (std::int64_t slice = 0; slice < store::slices; ++slice)
    TRY_VOID(settle_slice(connection, jobs, slice));
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  for (const auto& job : jobs) TRY_VOID(store::finish(connection, job, options_.node));
  return transaction.commit();
}

// A long queue would keep the first who reads by version waiting.
Result<> Evaluator::keep_holders() {
  TRY(auto connection, options_.pool->lease());
  TRY(const auto many, store::many_holders_wait(*connection));
  return many ? store::catch_up_holders(*connection) : Result<>();
}

Result<std::size_t> Evaluator::settle() {
  TRY(auto connection, options_.pool->lease());
  TRY(const auto jobs, store::lease(*connection, "settle", options_.node, options_.clock(),
                                    lease_seconds, jobs_at_once));
  if (jobs.empty()) return std::size_t{0};
  // What is reported from here on is evaluated by itself.
  TRY_VOID(store::catch_up_holders(*connection));
  TRY_VOID(settle(*connection, jobs));
  return jobs.size();
}

// Who has one of them waits to be evaluated: nothing else follows from their matches.
Result<> Evaluator::match_new_versions(sql::Connection& connection, const Generation& generation) {
  while (true) {
    TRY(const auto versions, store::unmatched_versions(connection, versions_at_once));
    if (versions.empty()) return {};
    TRY(const auto matched, match_versions(*generation, versions, options_.clock()));
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY_VOID(check_in_use(connection, generation));
    TRY_VOID(store::put_vulnerabilities(connection, matched.vulnerabilities));
    TRY_VOID(store::put_matches(connection, matched.versions));
    TRY_VOID(transaction.commit());
  }
}

// A batch in one transaction: it holds or none of it does.
Result<> Evaluator::evaluate(sql::Connection& connection, std::span<const store::Job> jobs,
                             const Generation& generation) {
  std::vector<store::ResourceEvaluation> evaluations;
  std::set<std::int64_t> slices;
  for (const auto& job : jobs) {
    const auto resource = resource_of(job);
    evaluations.push_back({resource,
                           {.now = options_.clock(),
                            .transition = next_transition(),
                            .cause = fmt::format("inventory {}", job.payload)}});
    slices.insert(store::slice_of(resource));
  }
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  for (const auto slice : slices) TRY_VOID(store::lock_slice(connection, slice));
  TRY_VOID(check_in_use(connection, generation));
  TRY_VOID(store::evaluate_resources(connection, evaluations));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& [resource, evaluation] = evaluations[i];
    TRY_VOID(store::set_coverage(connection, resource, evaluation.now));
    TRY_VOID(store::finish(connection, jobs[i], options_.node));
  }
  return transaction.commit();
}

bool Evaluator::give_way() const {
  return options_.inventories_wait && options_.inventories_wait() &&
         std::chrono::steady_clock::now() - evaluated_ < longest_pause;
}

Result<std::size_t> Evaluator::evaluate_resources(const Generation& generation) {
  if (give_way()) return std::size_t{0};
  evaluated_ = std::chrono::steady_clock::now();
  TRY(auto connection, options_.pool->lease());
  TRY(const auto in_use, is_in_use(*connection, generation));
  if (!in_use) return std::size_t{0};
  TRY(auto jobs, store::lease(*connection, "evaluate", options_.node, options_.clock(),
                              lease_seconds, jobs_at_once));
  if (jobs.empty()) return std::size_t{0};
  // Rows are locked in the order in which ingest locks them.
  std::ranges::sort(jobs, {}, [](const store::Job& job) { return parse_uint(job.subject); });
  const std::span<const store::Job> all = jobs;
  if (const auto matched = match_new_versions(*connection, generation); !matched)
    return postpone(*connection, all, matched.error());
  Result<std::size_t> outcome = jobs.size();
  together_or_alone(
      all, [&](auto part) { return evaluate(*connection, part, generation); },
      [&](auto part, const Result<>& done) {
        if (!done) outcome = postpone(*connection, part, done.error());
      });
  return outcome;
}

// Each is tried again later. Returns what was wrong, of one that was alone with its name.
Error Evaluator::postpone(sql::Connection& connection, std::span<const store::Job> jobs,
                          const Error& fault) {
  for (const auto& job : jobs) {
    const auto postponed = store::postpone(connection, job, fault.what, options_.clock());
    if (!postponed) return postponed.error();
  }
  if (jobs.size() > 1) return fault;
  const auto name = store::resource_name(connection, resource_of(jobs[0]));
  return name ? fault.within(*name) : fault;
}

}  // namespace tenken::pipeline
