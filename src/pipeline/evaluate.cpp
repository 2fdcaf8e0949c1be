#include "pipeline/evaluate.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "advisories/diff.h"
#include "base/text.h"
#include "pipeline/node_generations.h"
#include "pipeline/slices.h"
#include "pipeline/suppress.h"
#include "pipeline/together.h"
#include "sql/dialect.h"
#include "store/coverage.h"
#include "store/holders.h"
#include "store/resources.h"
#include "store/settings.h"
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
constexpr std::string_view generation_setting = "advisory_generation";

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

// What the difference of two generations concerns: package versions, and whole releases, of which
// there may be too many to have them all at once.
struct Concerned {
  std::map<std::int64_t, store::PackageVersion> versions;
  std::set<advisories::CoverageChange> releases;

  bool has_release_of(const store::PackageVersion& version) const {
    const auto& package = version.package;
    return releases.contains(
        {package.ecosystem, version::normal_release(package.ecosystem, package.release)});
  }
};

Result<> add_concerned(sql::Connection& connection, const advisories::Database& before,
                       const advisories::Database& after, Concerned& concerned) {
  TRY(auto difference, advisories::diff(before, after));
  concerned.releases.merge(difference.coverage);
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const auto& change : difference.names) names.emplace(change.ecosystem, change.name);
  for (const auto& [ecosystem, name] : names) {
    TRY(auto versions, store::versions_named(connection, ecosystem, name));
    for (auto& [id, version] : versions) concerned.versions.emplace(id.value, std::move(version));
  }
  TRY(const auto known, store::known_vulnerabilities(connection));
  for (const auto& change : difference.vulnerabilities) {
    if (!known.contains(change.id)) continue;
    TRY(auto versions, store::versions_matching(connection, change.id));
    for (auto& [id, version] : versions) concerned.versions.emplace(id.value, std::move(version));
  }
  return {};
}

// Of a job of the kind evaluate or match.
std::int64_t number_of(const store::Job& job) {
  const auto number = parse_uint(job.subject);
  CHECK(number.has_value());
  return static_cast<std::int64_t>(*number);
}
store::ResourceId resource_of(const store::Job& job) {
  return {number_of(job)};
}

}  // namespace

Evaluator::Evaluator(EvaluatorOptions options) : options_(std::move(options)) {}

Result<bool> Evaluator::is_in_use(sql::Connection& connection, const Generation& generation) {
  TRY(const auto used, store::text_setting(connection, generation_setting));
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
  for (const auto* kind : {"advance", "settle", "coverage", "suppress", "match", "evaluate"})
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
  TRY(const auto used, store::text_setting(*connection, generation_setting));
  if (wanted == own && used != own) {
    TRY_VOID(store::put_setting(*connection, generation_setting, own));
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

bool Evaluator::store_answers() {
  auto connection = options_.pool->lease();
  return connection && (*connection)->one_integer("SELECT 1").has_value();
}

Result<std::size_t> Evaluator::work() {
  std::size_t done = 0;
  std::optional<Error> fault;
  // False: the store cannot be used, and the rest would fail for the same reason.
  const auto goes_on = [&](const Result<std::size_t>& part) {
    if (!part && !fault) fault = part.error();
    done += part.value_or(0);
    return part || part.error().code != Errc::unavailable || store_answers();
  };
  unmatched_.reset();
  const auto generation = options_.current();
  TRY_VOID(give_back_leases());
  may_hold_leases_ = true;
  const bool usable =
      goes_on(apply_changed_filters(
          {.pool = *options_.pool, .node = options_.node, .clock = options_.clock})) &&
      (generation == nullptr ||
       (goes_on(advance(generation)) && goes_on(match_again(generation)) && goes_on(settle()) &&
        goes_on(update_coverage()) && goes_on(evaluate_resources(generation))));
  if (usable) TRY_VOID(keep_holders());
  if (fault) return *std::move(fault);
  may_hold_leases_ = false;
  if (unmatched_) return *unmatched_;
  return done;
}

// A version that failed is unknown from here on, and said so.
Result<> Evaluator::put_matches(const MatchWork& work, std::span<const NamedVersion> versions) {
  TRY(const auto failed, put_matched(work, versions));
  if (failed.empty()) return {};
  const auto& first = failed.front();
  const auto others = failed.size() == 1 ? "" : fmt::format(" and {} more", failed.size() - 1);
  unmatched_ = first.error.within(
      fmt::format("{}{}: not matched, unknown until that succeeds", first.name, others));
  return mark_unknown(work, failed);
}

Result<> Evaluator::rematch(sql::Connection& connection, const store::Job& job,
                            std::span<const NamedVersion> versions, const Generation& generation) {
  for (std::size_t at = 0; at < versions.size(); at += versions_at_once) {
    const auto part = versions.subspan(at, std::min(versions_at_once, versions.size() - at));
    auto work = match_work(connection, generation);
    work.begin = [&]() -> Result<> {
      TRY_VOID(check_in_use(connection, generation));
      return keep_lease(connection, job);
    };
    TRY_VOID(put_matches(work, part));
  }
  return {};
}

// What changes is settled on the whole fleet, and so is who is covered.
MatchWork Evaluator::match_work(sql::Connection& connection, const Generation& generation) {
  const auto now = options_.clock();
  return {
      .connection = connection,
      .database = *generation,
      .now = now,
      .begin = [this, &connection, &generation] { return check_in_use(connection, generation); },
      .changed = [&connection, &generation, now](const store::MatchChanges& changes) -> Result<> {
        const auto& own = generation->generation();
        for (const auto& one : changes.vulnerabilities)
          TRY_VOID(store::enqueue(connection, "settle", one, own, now));
        if (!changes.coverage) return {};
        return store::enqueue(connection, "coverage", "resources", own, now);
      }};
}

Result<> Evaluator::advance_to(sql::Connection& connection, const store::Job& job,
                               const Generation& generation) {
  Concerned concerned;
  for (const auto id : split(job.payload, ' ')) {
    const auto before = options_.find(std::string(id));
    // Without an old file the difference is not known: everything is looked at again.
    if (before == nullptr)
      return rematch_those(connection, job, [](const auto&) { return true; }, generation);
    TRY_VOID(add_concerned(connection, *before, *generation, concerned));
  }
  TRY_VOID(rematch(connection, job, listed(std::move(concerned.versions)), generation));
  if (concerned.releases.empty()) return {};
  return rematch_those(
      connection, job, [&](const auto& version) { return concerned.has_release_of(version); },
      generation);
}

Result<> Evaluator::rematch_those(sql::Connection& connection, const store::Job& job,
                                  const std::function<bool(const store::PackageVersion&)>& those,
                                  const Generation& generation) {
  store::PackageVersionId after{-1};
  while (true) {
    TRY(auto versions, store::versions_after(connection, after, versions_at_once));
    if (versions.empty()) return {};
    after = versions.back().first;
    std::erase_if(versions, [&](const NamedVersion& one) { return !those(one.second); });
    TRY_VOID(rematch(connection, job, versions, generation));
  }
}

Result<std::size_t> Evaluator::advance(const Generation& generation) {
  TRY(auto connection, options_.pool->lease());
  TRY(const auto in_use, is_in_use(*connection, generation));
  if (!in_use) return std::size_t{0};
  TRY(const auto jobs,
      store::lease(*connection, "advance", options_.node, options_.clock(), lease_seconds, 1));
  for (const auto& job : jobs) {
    if (const auto advanced = advance_to(*connection, job, generation); !advanced)
      return postpone(*connection, std::span(&job, 1), advanced.error());
    TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
    TRY_VOID(store::enqueue_rules_on_facts(*connection, options_.clock()));
    TRY_VOID(store::set_fleet_evaluated(*connection, options_.clock()));
    TRY_VOID(store::finish(*connection, job, options_.node));
    TRY_VOID(transaction.commit());
  }
  return jobs.size();
}

// Jobs share transactions, but none becomes so long that ingest waits. Their leases are renewed
// last: who works on another slice waits for that.
Result<> Evaluator::settle_slice(sql::Connection& connection, std::span<const store::Job> jobs,
                                 std::int64_t slice) {
  while (!jobs.empty()) {
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY_VOID(store::lock_slice(connection, slice));
    std::int64_t written = 0;
    std::size_t settled = 0;
    while (settled < jobs.size() && written < findings_at_once) {
      const auto& job = jobs[settled++];
      const auto now = options_.clock();
      TRY(const auto transition, store::next_transition(connection, slice, now));
      TRY(const auto changes,
          store::evaluate_vulnerabilities(connection, {job.subject}, slice,
                                          {.now = now,
                                           .transition = transition,
                                           .cause = fmt::format("advisories {}", job.payload)}));
      written += changes.written + changes.closed;
    }
    for (const auto& job : jobs.first(settled)) TRY_VOID(keep_lease(connection, job));
    TRY_VOID(transaction.commit());
    jobs = jobs.subspan(settled);
  }
  return {};
}

Result<> Evaluator::settle(sql::Connection& connection, std::span<const store::Job> jobs) {
  TRY_VOID(each_slice(*options_.pool, [&](sql::Connection& own, std::int64_t slice) {
    return settle_slice(own, jobs, slice);
  }));
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
  TRY(auto jobs, store::lease(*connection, "settle", options_.node, options_.clock(), lease_seconds,
                              jobs_at_once));
  if (jobs.empty()) return std::size_t{0};
  // Rows are locked in the order in which matching locks them.
  std::ranges::sort(jobs, {}, &store::Job::subject);
  // What is reported from here on is evaluated by itself.
  TRY_VOID(store::catch_up_holders(*connection));
  Result<std::size_t> outcome = jobs.size();
  together_or_alone(
      std::span(jobs), [&](auto part) { return settle(*connection, part); },
      [&](auto part, const Result<>& done) {
        if (!done) outcome = postpone(*connection, part, done.error());
      });
  return outcome;
}

Result<> Evaluator::update_coverage(sql::Connection& connection, const store::Job& job) {
  for (std::int64_t slice = 0; slice < store::slices; ++slice) {
    auto rest = store::slice_range(slice);
    while (rest.first.value <= rest.last.value) {
      TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
      // Whoever evaluates one of them does so before, or sees what changed.
      TRY_VOID(store::lock_slice(connection, slice));
      TRY(const auto last, store::update_coverage(connection, rest));
      TRY_VOID(keep_lease(connection, job));
      TRY_VOID(transaction.commit());
      if (!last) break;
      rest.first.value = last->value + 1;
    }
  }
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(store::finish(connection, job, options_.node));
  return transaction.commit();
}

Result<std::size_t> Evaluator::update_coverage() {
  TRY(auto connection, options_.pool->lease());
  TRY(const auto jobs,
      store::lease(*connection, "coverage", options_.node, options_.clock(), lease_seconds, 1));
  for (const auto& job : jobs) {
    if (const auto done = update_coverage(*connection, job); !done)
      return postpone(*connection, std::span(&job, 1), done.error());
  }
  return jobs.size();
}

// Each by itself: what failed once may fail again.
Result<std::size_t> Evaluator::match_again(const Generation& generation) {
  TRY(auto connection, options_.pool->lease());
  TRY(const auto in_use, is_in_use(*connection, generation));
  if (!in_use) return std::size_t{0};
  TRY(const auto jobs, store::lease(*connection, "match", options_.node, options_.clock(),
                                    lease_seconds, jobs_at_once));
  Result<std::size_t> outcome = jobs.size();
  for (const auto& job : jobs) {
    const auto done = match_again(*connection, job, generation);
    if (!done) outcome = postpone(*connection, std::span(&job, 1), done.error());
    if (!done && done.error().code == Errc::unavailable) break;
  }
  return outcome;
}

Result<> Evaluator::match_again(sql::Connection& connection, const store::Job& job,
                                const Generation& generation) {
  TRY(const auto versions, store::versions_of(connection, {number_of(job)}));
  auto work = match_work(connection, generation);
  const auto settle_changed = std::exchange(work.changed, {});
  work.changed = [&](const auto& changes) -> Result<> {
    TRY_VOID(settle_changed(changes));
    TRY_VOID(store::finish(connection, job, options_.node));
    return {};
  };
  TRY(const auto failed, put_matched(work, versions));
  if (failed.empty()) return {};
  return failed.front().error.within(failed.front().name);
}

// Who has one of them waits to be evaluated: nothing else follows from their matches. Those that
// come meanwhile are left for the next time, which comes before whoever has them is evaluated.
Result<> Evaluator::match_new_versions(sql::Connection& connection, const Generation& generation) {
  while (true) {
    TRY(const auto versions, store::unmatched_versions(connection, versions_at_once));
    if (versions.empty()) return {};
    auto work = match_work(connection, generation);
    work.changed = [](const auto&) { return Result<>(); };
    TRY_VOID(put_matches(work, versions));
    if (versions.size() < versions_at_once) return {};
  }
}

// A batch in one transaction: it holds or none of it does.
Result<> Evaluator::evaluate(sql::Connection& connection, std::span<const store::Job> jobs,
                             const Generation& generation) {
  std::map<std::int64_t, std::int64_t> transitions;  // by slice
  for (const auto& job : jobs) transitions[store::slice_of(resource_of(job))] = 0;
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  for (auto& [slice, transition] : transitions) {
    TRY_VOID(store::lock_slice(connection, slice));
    TRY(transition, store::next_transition(connection, slice, options_.clock()));
  }
  const auto now = options_.clock();
  std::vector<store::ResourceEvaluation> evaluations;
  for (const auto& job : jobs)
    evaluations.push_back({resource_of(job),
                           {.now = now,
                            .transition = transitions[store::slice_of(resource_of(job))],
                            .cause = fmt::format("inventory {}", job.payload)}});
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
  auto outcome = evaluate_due(generation);
  evaluated_ = std::chrono::steady_clock::now();
  return outcome;
}

Result<std::size_t> Evaluator::evaluate_due(const Generation& generation) {
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

// Each is tried again later, unless the store cannot be used: then all are, as soon as it can.
// Returns what was wrong, of one that was alone with its name.
Error Evaluator::postpone(sql::Connection& connection, std::span<const store::Job> jobs,
                          const Error& fault) {
  if (fault.code == Errc::unavailable) return fault;
  for (const auto& job : jobs) {
    const auto postponed =
        store::postpone(connection, job, options_.node, fault.what, options_.clock());
    if (!postponed) return postponed.error();
  }
  const auto& job = jobs.front();
  if (jobs.size() > 1) return fault;
  if (job.kind != "evaluate") return fault.within(fmt::format("{} {}", job.kind, job.subject));
  const auto name = store::resource_name(connection, resource_of(job));
  return name ? fault.within(*name) : fault;
}

}  // namespace tenken::pipeline
