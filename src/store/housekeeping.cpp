#include "store/housekeeping.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "store/agents.h"
#include "store/coverage_query.h"
#include "store/finding_counts.h"
#include "store/findings.h"
#include "store/interned.h"
#include "store/jobs.h"
#include "store/matches.h"
#include "store/resources.h"

namespace tenken::store {
namespace {

constexpr std::int64_t at_once = 500;
// For each page of them all findings are read.
constexpr std::int64_t unused_at_once = 100'000;  // each time all findings are read
// A large fleet that was evaluated at once comes again in parts.
constexpr std::int64_t most_confirmed = 2'000;
// For longer than a certificate lives: until then its agent is told why it is not let in.
constexpr Seconds keep_ended_agents = Seconds{31} * 86'400;

using sql::Transaction;

Result<bool> expire(sql::Connection& connection, ResourceId resource, Seconds now) {
  const auto slice = slice_of(resource);
  TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
  TRY_VOID(lock_slice(connection, slice));
  TRY(const auto expired, expire_resource(connection, resource, now));
  if (!expired) return false;
  TRY(const auto transition, next_transition(connection, slice, now));
  TRY_VOID(close_resource(connection, resource,
                          {.now = now, .transition = transition, .cause = "expired"}));
  TRY_VOID(transaction.commit());
  return true;
}

Result<std::int64_t> prune_findings(sql::Connection& connection, const PruneLimits& limits) {
  std::int64_t out = 0;
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
    TRY_VOID(lock_slice(connection, slice));
    TRY(const auto pruned, prune(connection, slice, limits));
    TRY_VOID(transaction.commit());
    out += pruned;
  }
  return out;
}

Result<std::int64_t> forget_resources(sql::Connection& connection, Seconds gone_before) {
  std::int64_t out = 0;
  ResourceId after{-1};
  while (true) {
    TRY(const auto gone, gone_resources(connection, gone_before, after, at_once));
    for (const auto resource : gone) {
      TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
      TRY_VOID(lock_slice(connection, slice_of(resource)));
      TRY(const auto forgotten, forget_resource(connection, resource, gone_before));
      TRY_VOID(transaction.commit());
      out += forgotten ? 1 : 0;
    }
    if (std::ssize(gone) < at_once) return out;
    after = gone.back();
  }
}

// Those of the versions that no finding names: not even one whose package is no longer installed.
Result<std::vector<PackageVersionId>> without_named(sql::Connection& connection,
                                                    const std::vector<PackageVersionId>& versions) {
  std::unordered_set<std::int64_t> unnamed;
  for (const auto version : versions) unnamed.insert(version.value);
  TRY(auto rows, connection.query("SELECT packages FROM finding"));
  while (!unnamed.empty()) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) break;
    for (const auto id : split(row->text(0), ',')) {
      if (const auto number = parse_uint(id)) unnamed.erase(static_cast<std::int64_t>(*number));
    }
  }
  std::vector<PackageVersionId> out;
  for (const auto version : versions) {
    if (unnamed.contains(version.value)) out.push_back(version);
  }
  return out;
}

Result<std::int64_t> remove_versions(sql::Connection& connection,
                                     const std::vector<PackageVersionId>& versions) {
  std::int64_t out = 0;
  for (std::size_t at = 0; at < versions.size(); at += at_once) {
    const auto end = std::min(versions.size(), at + at_once);
    TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
    TRY_VOID(lock_interned(connection, Sharing::alone));
    for (auto i = at; i < end; ++i) {
      TRY(const auto removed, remove_unused_version(connection, versions[i]));
      out += removed ? 1 : 0;
    }
    TRY_VOID(move_interned_epoch(connection));
    TRY_VOID(transaction.commit());
  }
  return out;
}

Result<std::int64_t> forget_versions(sql::Connection& connection, Seconds now, Seconds keep) {
  {
    TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
    TRY_VOID(lock_interned(connection, Sharing::alone));
    TRY_VOID(mark_unused_versions(connection, now));
    TRY_VOID(transaction.commit());
  }
  std::int64_t out = 0;
  PackageVersionId after{-1};
  while (true) {
    TRY(const auto unused, unused_versions(connection, now - keep, after, unused_at_once));
    if (unused.empty()) return out;
    TRY(const auto versions, without_named(connection, unused));
    TRY(const auto removed, remove_versions(connection, versions));
    out += removed;
    if (std::ssize(unused) < unused_at_once) return out;
    after = unused.back();
  }
}

Result<std::int64_t> forget_vulnerabilities(sql::Connection& connection) {
  TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
  TRY_VOID(lock_interned(connection, Sharing::alone));
  TRY(const auto removed, remove_unused_vulnerabilities(connection));
  TRY_VOID(transaction.commit());
  return removed;
}

}  // namespace

Result<std::int64_t> expire_resources(sql::Connection& connection, Seconds now) {
  std::int64_t out = 0;
  while (true) {
    TRY(const auto due, expired_resources(connection, now, at_once));
    for (const auto resource : due) {
      TRY(const auto expired, expire(connection, resource, now));
      out += expired ? 1 : 0;
    }
    if (std::ssize(due) < at_once) return out;
  }
}

Result<std::int64_t> evaluate_confirmed(sql::Connection& connection, Seconds now) {
  TRY(auto due, confirmed_resources(connection, sign_of_life, most_confirmed));
  if (due.empty()) return std::int64_t{0};
  // In the order in which ingest writes the same jobs.
  std::ranges::sort(due);
  TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
  for (const auto& [resource, digest] : due)
    TRY_VOID(enqueue_once(connection, "evaluate", fmt::format("{}", resource.value), digest, now));
  TRY_VOID(transaction.commit());
  return std::ssize(due);
}

Result<HousekeepingReport> keep_house(sql::Connection& connection, Seconds now,
                                      const HousekeepingOptions& options) {
  HousekeepingReport out;
  TRY(out.expired, expire_resources(connection, now));
  TRY(out.findings,
      prune_findings(connection,
                     {.closed_before = now - std::max(options.keep_closed, reopen_window),
                      .gone_before = now - std::max(options.keep_gone, reopen_window),
                      .history_before = now - options.keep_history}));
  TRY(out.forgotten, forget_resources(connection, now - gone_is_listed_for));
  {
    TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
    TRY_VOID(prune_counts(connection));
    TRY_VOID(transaction.commit());
  }
  {
    TRY(auto transaction, Transaction::begin(connection, Transaction::Mode::write));
    TRY(out.agents, prune_agents(connection, now - keep_ended_agents));
    TRY_VOID(transaction.commit());
  }
  TRY(out.versions, forget_versions(connection, now, options.keep_unused));
  TRY(out.vulnerabilities, forget_vulnerabilities(connection));
  return out;
}

}  // namespace tenken::store
