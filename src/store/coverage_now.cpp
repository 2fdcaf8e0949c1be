#include "store/coverage_now.h"

#include <vector>

#include <fmt/format.h>

#include "store/agents.h"
#include "store/coverage.h"

namespace tenken::store {
namespace {

// Its agent was revoked, and nothing else has brought an inventory since.
constexpr std::string_view unmanaged =
    "type = 'AWS_EC2_INSTANCE' "
    "AND coverage_reason NOT IN ('RESOURCE_TERMINATED', 'EXCLUDED_BY_TAG') "
    "AND EXISTS (SELECT 1 FROM agent g WHERE g.account_id = resource.account_id "
    "AND g.external_id = resource.external_id AND g.status = {} "
    "AND g.ended_at >= resource.seen_at)";

}  // namespace

CoverageNow coverage_now(std::string_view stale_before) {
  const auto stale = fmt::format(
      "type = 'AWS_EC2_INSTANCE' AND seen_at < {} "
      "AND coverage_reason IN ('SUCCESSFUL', 'PENDING_INITIAL_SCAN')",
      stale_before);
  const auto alone = fmt::format(unmanaged, static_cast<int>(AgentStatus::revoked));
  const auto silent = fmt::format("({}) OR ({})", alone, stale);
  return {
      .silent = silent,
      .code = fmt::format("CASE WHEN {} THEN 'INACTIVE' ELSE coverage_status END", silent),
      .reason = fmt::format("CASE WHEN {} THEN 'UNMANAGED_EC2_INSTANCE' WHEN {} THEN "
                            "'STALE_INVENTORY' ELSE coverage_reason END",
                            alone, stale),
  };
}

Result<std::optional<Resource>> find_resource_now(sql::Connection& connection,
                                                  std::string_view account,
                                                  std::string_view external_id, Seconds now) {
  const auto is = coverage_now("?3");
  TRY(auto rows,
      connection.query(fmt::format("SELECT {}, {}, {} FROM resource WHERE resource_id = ?1 "
                                   "AND account_id = ?2",
                                   is.code, is.reason, resource_columns),
                       resource_id(account, external_id).value, account,
                       now - inventory_is_stale_after));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<Resource>();
  auto out = read_resource(*row, 2);
  const auto status = row->string(0);
  const auto reason = row->string(1);
  rows.reset();
  TRY(const auto fleet, fleet_evaluated_at(connection));
  note_fleet_evaluated(out, fleet);
  out.coverage_status = status;
  out.coverage_reason = reason;
  return std::optional(std::move(out));
}

Result<std::map<std::int64_t, Silence>> silent_resources(sql::Connection& connection,
                                                         std::span<const ResourceId> resources,
                                                         Seconds now) {
  std::map<std::int64_t, Silence> out;
  if (resources.empty()) return out;
  const auto is = coverage_now("?1");
  std::vector<sql::Value> values{now - inventory_is_stale_after};
  std::string places;
  for (const auto id : resources) {
    values.emplace_back(id.value);
    places += fmt::format("{}?{}", places.empty() ? "" : ", ", values.size());
  }
  TRY(auto rows, connection.query(fmt::format("SELECT resource_id, {}, seen_at FROM resource "
                                              "WHERE resource_id IN ({}) AND ({})",
                                              is.reason, places, is.silent),
                                  std::span<const sql::Value>(values)));
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out[row->integer(0)] = {.reason = row->string(1), .since = row->integer(2)};
  }
}

}  // namespace tenken::store
