#include "pipeline/suppress.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/filters.h"
#include "store/findings.h"
#include "store/jobs.h"
#include "store/suppression.h"

namespace tenken::pipeline {
namespace {

constexpr std::int64_t jobs_at_once = 20;
constexpr Seconds lease_seconds = 120;

// A node whose clock is behind, or that waited, applies a rule that has ended to others.
constexpr Seconds clocks_differ = 300;

// A rule that ends some day is looked at again then, and once more when it has ended everywhere.
Result<> leave_for_its_end(sql::Connection& connection, std::string_view account,
                           std::string_view filter_id, Seconds now) {
  TRY(const auto filter, store::find_filter(connection, account, filter_id));
  if (!filter || filter->expires == 0) return {};
  for (const auto when : {filter->expires, filter->expires + clocks_differ}) {
    if (when > now) return store::enqueue_suppression(connection, account, filter_id, when);
  }
  return {};
}

Result<> apply(sql::Connection& connection, const store::Job& job, const SuppressionWork& work) {
  const auto [account, id] = split_once(job.subject, ' ');
  const auto filter_id = id.value_or("");
  for (std::int64_t slice = 0; slice < store::slices; ++slice) {
    TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
    TRY_VOID(store::lock_slice(connection, slice));
    const auto now = work.clock();
    TRY(const auto transition, store::next_transition(connection, slice, now));
    TRY_VOID(store::apply_changed_filter(connection, account, filter_id,
                                         {.resources = store::slice_range(slice)},
                                         {.now = now, .transition = transition}));
    if (slice == store::slices - 1) {
      TRY_VOID(store::finish(connection, job, work.node));
      TRY_VOID(leave_for_its_end(connection, account, filter_id, now));
    }
    TRY_VOID(transaction.commit());
  }
  return {};
}

}  // namespace

Result<std::size_t> apply_changed_filters(const SuppressionWork& work) {
  TRY(auto connection, work.pool.lease());
  TRY(const auto jobs,
      store::lease(*connection, "suppress", work.node, work.clock(), lease_seconds, jobs_at_once));
  Result<std::size_t> outcome = jobs.size();
  for (const auto& job : jobs) {
    const auto done = apply(*connection, job, work);
    if (done) continue;
    // A statement may take longer than the store allows, while the store can be used.
    if (done.error().code == Errc::unavailable && !connection->one_integer("SELECT 1"))
      return done.error();
    TRY_VOID(store::postpone(*connection, job, work.node, done.error().what, work.clock()));
    outcome = done.error().within(fmt::format("{} {}", job.kind, job.subject));
  }
  return outcome;
}

}  // namespace tenken::pipeline
