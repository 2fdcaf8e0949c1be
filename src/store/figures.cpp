#include "store/figures.h"

#include <algorithm>

#include "store/findings.h"

namespace tenken::store {
namespace {

// Calls f(row) for each row of the answer.
template <typename F>
Result<> for_each_row(Result<std::unique_ptr<sql::Rows>> answer, F&& f) {
  if (!answer) return std::move(answer).error();
  while (true) {
    TRY(const auto* row, (*answer)->next());
    if (row == nullptr) return {};
    f(*row);
  }
}

template <std::size_t Size>
void count_in(std::array<std::int64_t, Size>& counts, const sql::Row& row) {
  const auto at = row.integer(0);
  if (at >= 0 && at < static_cast<std::int64_t>(Size))
    counts[static_cast<std::size_t>(at)] = row.integer(1);
}

constexpr std::string_view size_of_database(sql::Engine engine) {
  return engine == sql::Engine::sqlite
             ? "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
             : "SELECT pg_database_size(current_database())";
}

// Those that are ACTIVE are counted already; of the others, each kind has an index of its own.
Result<> count_findings(sql::Connection& connection, Figures& out) {
  const auto count = [&](std::string_view statement, std::int64_t& number) -> Result<> {
    TRY(const auto counted, connection.one_integer(statement));
    number = counted.value_or(0);
    return {};
  };
  const auto of = [&](Lifecycle status) -> std::int64_t& {
    return out.findings[static_cast<std::size_t>(status)];
  };
  TRY_VOID(count("SELECT CAST(SUM(total) AS BIGINT) FROM finding_count", of(Lifecycle::active)));
  TRY_VOID(count("SELECT COUNT(*) FROM finding WHERE status = 2", of(Lifecycle::suppressed)));
  TRY_VOID(count("SELECT COUNT(*) FROM finding WHERE closed_at > 0", of(Lifecycle::closed)));
  return count("SELECT COUNT(*) FROM finding WHERE stale > 0 AND status < 3", out.stale_findings);
}

}  // namespace

Result<Figures> count_figures(sql::Connection& connection, Seconds now) {
  Figures out;
  TRY_VOID(count_findings(connection, out));
  TRY_VOID(for_each_row(
      connection.query("SELECT coverage_status, coverage_reason, COUNT(*) FROM resource "
                       "GROUP BY coverage_status, coverage_reason ORDER BY 1, 2"),
      [&](const sql::Row& row) {
        out.coverage.push_back(
            {.status = row.string(0), .reason = row.string(1), .resources = row.integer(2)});
      }));
  TRY(const auto unmatched,
      connection.one_integer("SELECT COUNT(*) FROM package_version WHERE matched = 0"));
  out.unmatched_versions = unmatched.value_or(0);
  TRY_VOID(for_each_row(connection.query("SELECT undecided, COUNT(*) FROM package_version "
                                         "WHERE matched <> 0 GROUP BY undecided"),
                        [&](const sql::Row& row) { count_in(out.decided_versions, row); }));
  TRY(out.agents, count_agents(connection, now - agent_is_silent_after));
  TRY(out.jobs, count_jobs(connection, now));
  TRY(const auto due, connection.one_integer("SELECT MIN(run_after) FROM job"));
  out.lag = std::max<Seconds>(0, now - due.value_or(now));
  TRY(const auto bytes, connection.one_integer(size_of_database(connection.engine())));
  out.database_bytes = bytes.value_or(0);
  return out;
}

}  // namespace tenken::store
