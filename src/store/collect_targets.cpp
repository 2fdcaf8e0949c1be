#include "store/collect_targets.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/owners.h"

namespace tenken::store {
namespace {

constexpr std::string_view columns =
    "account_id, host, port, interval_seconds, tags, external_id, created_at, next_at, "
    "attempted_at, succeeded_at, failures, last_error";

CollectTarget read_target(const sql::Row& row) {
  return {.account = row.string(0),
          .host = row.string(1),
          .port = row.integer(2),
          .interval = row.integer(3),
          .tags = row.string(4),
          .resource = row.string(5),
          .created = row.integer(6),
          .next = row.integer(7),
          .attempted = row.integer(8),
          .succeeded = row.integer(9),
          .failures = row.integer(10),
          .last_error = row.string(11)};
}

// The first in turn of those that nobody has.
Result<std::optional<CollectTarget>> next_target(sql::Connection& connection, Seconds now) {
  TRY(auto rows, connection.query(fmt::format("SELECT {} FROM collect_target "
                                              "WHERE next_at <= ?1 AND lease_until <= ?1 "
                                              "ORDER BY next_at, account_id, host LIMIT 1",
                                              columns),
                                  now));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<CollectTarget>();
  return std::optional(read_target(*row));
}

constexpr std::string_view new_machine_id =
    "a host that was cloned needs a machine id of its own (rm /etc/machine-id; "
    "systemd-machine-id-setup)";

Error taken(const Agent& agent, std::string_view resource) {
  return {Errc::conflict,
          fmt::format("it names itself {} as the host of agent {} ({}) does: {}; if it is "
                      "that host, remove the target or retire the agent",
                      resource, agent.id, agent.host_name, new_machine_id)};
}

// What was fetched over SSH is of a target that was removed, or of who may ask hosts so.
Result<bool> was_fetched(sql::Connection& connection, std::string_view account,
                         std::string_view resource) {
  TRY(const auto found,
      connection.one_integer("SELECT agentless FROM resource WHERE resource_id = ?1",
                             resource_id(account, resource).value));
  return found.value_or(0) == 1;
}

Result<> check_owner(sql::Connection& connection, const CollectTarget& target,
                     std::string_view resource) {
  if (!target.resource.empty() && target.resource != resource)
    return Error{Errc::conflict,
                 fmt::format("it names itself {} now, and was {}: if it is another host now, "
                             "remove the target and add it again",
                             resource, target.resource)};
  TRY(const auto owner, owner_of(connection, target.account, resource));
  if (!owner.target.empty() && owner.target != target.host)
    return Error{Errc::conflict,
                 fmt::format("it names itself {} as {} does, which is collected too: {}; if both "
                             "are one host, remove one target",
                             resource, owner.target, new_machine_id)};
  if (owner.agent && owner.agent->status == AgentStatus::active)
    return taken(*owner.agent, resource);
  // That an agent was revoked is no reason for its host to stay unseen: as one that enrols again,
  // it is known by its machine id, from which the resource is named.
  if (owner.agent || !owner.other_inventory) return {};
  TRY(const bool fetched, was_fetched(connection, target.account, resource));
  if (fetched) return {};
  return Error{Errc::conflict,
               fmt::format("it names itself {}, whose inventory was put with a key: {}; if it is "
                           "that host, retire the resource first (DELETE /v1/resources/{})",
                           resource, new_machine_id, resource)};
}

}  // namespace

Result<> add_collect_target(sql::Connection& connection, const CollectTarget& target) {
  TRY(const auto added,
      connection.run("INSERT INTO collect_target (account_id, host, port, interval_seconds, tags, "
                     "created_at, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) "
                     "ON CONFLICT (account_id, host) DO NOTHING",
                     target.account, target.host, target.port, target.interval, target.tags,
                     target.created));
  if (added == 0)
    return Error{Errc::conflict,
                 fmt::format("{} is collected already: remove it first", target.host)};
  return {};
}

Result<bool> remove_collect_target(sql::Connection& connection, std::string_view account,
                                   std::string_view host) {
  TRY(const auto removed,
      connection.run("DELETE FROM collect_target WHERE account_id = ?1 AND host = ?2", account,
                     host));
  return removed == 1;
}

Result<std::vector<CollectTarget>> collect_targets(sql::Connection& connection,
                                                   std::string_view account) {
  TRY(auto rows, connection.query(fmt::format("SELECT {} FROM collect_target "
                                              "WHERE ?1 = '' OR account_id = ?1 "
                                              "ORDER BY account_id, host",
                                              columns),
                                  account));
  std::vector<CollectTarget> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back(read_target(*row));
  }
}

Result<std::optional<CollectTarget>> lease_collect_target(sql::Connection& connection,
                                                          std::string_view node, Seconds now,
                                                          Seconds lease) {
  TRY(const auto due, is_collection_due(connection, now));
  if (!due) return std::optional<CollectTarget>();
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY(auto found, next_target(connection, now));
  if (!found) return found;
  TRY(const auto leased,
      connection.run("UPDATE collect_target SET lease_owner = ?3, lease_until = ?4 "
                     "WHERE account_id = ?1 AND host = ?2 AND lease_until <= ?5",
                     found->account, found->host, node, now + lease, now));
  TRY_VOID(transaction.commit());
  if (leased == 0) found.reset();  // another node was faster
  return found;
}

Result<bool> is_collection_due(sql::Connection& connection, Seconds now) {
  TRY(const auto next, next_target(connection, now));
  return next.has_value();
}

Result<> claim_resource(sql::Connection& connection, CollectTarget& target, std::string_view node,
                        std::string_view resource) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(lock_owners(connection));
  TRY_VOID(check_owner(connection, target, resource));
  TRY(const auto claimed,
      connection.run("UPDATE collect_target SET external_id = ?3 WHERE account_id = ?1 "
                     "AND host = ?2 AND lease_owner = ?4",
                     target.account, target.host, resource, node));
  if (claimed == 0)
    return Error{Errc::conflict, "the target was removed, or another node asks it now"};
  TRY_VOID(transaction.commit());
  target.resource = resource;
  return {};
}

Result<> finish_collect_target(sql::Connection& connection, const CollectTarget& target,
                               std::string_view node) {
  TRY(const auto changed,
      connection.run("UPDATE collect_target SET external_id = ?3, next_at = ?4, "
                     "attempted_at = ?5, succeeded_at = ?6, failures = ?7, last_error = ?8, "
                     "lease_owner = '', lease_until = 0 WHERE account_id = ?1 AND host = ?2 "
                     "AND lease_owner = ?9",
                     target.account, target.host, target.resource, target.next, target.attempted,
                     target.succeeded, target.failures, target.last_error, node));
  CHECK(changed <= 1);
  return {};
}

Seconds retry_after(Seconds interval, std::int64_t failures) {
  constexpr Seconds first = 60;
  const auto doublings = std::clamp<std::int64_t>(failures - 1, 0, 20);
  return std::min(interval, first << doublings);
}

}  // namespace tenken::store
