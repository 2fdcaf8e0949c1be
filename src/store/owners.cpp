#include "store/owners.h"

#include <fmt/format.h>

namespace tenken::store {

Result<ResourceOwner> owner_of(sql::Connection& connection, std::string_view account,
                               std::string_view resource) {
  ResourceOwner out;
  TRY(out.agent, find_agent_of_resource(connection, account, resource));
  if (out.agent && out.agent->status == AgentStatus::retired) out.agent.reset();
  if (out.agent && out.agent->status == AgentStatus::active) return out;
  TRY(auto target, connection.one_text("SELECT host FROM collect_target WHERE account_id = ?1 "
                                       "AND external_id = ?2 ORDER BY host LIMIT 1",
                                       account, resource));
  out.target = std::move(target).value_or(std::string());
  if (!out.target.empty()) out.agent.reset();
  if (out.agent || !out.target.empty()) return out;
  TRY(const auto known,
      connection.one_integer("SELECT 1 FROM resource WHERE resource_id = ?1 AND account_id = ?2 "
                             "AND inventory_digest <> ''",
                             resource_id(account, resource).value, account));
  out.other_inventory = known.has_value();
  return out;
}

Result<> lock_owners(sql::Connection& connection) {
  if (connection.engine() == sql::Engine::sqlite) return {};  // has one writer
  TRY(const auto locked, connection.one_text("SELECT pg_advisory_xact_lock(7466, 0)"));
  CHECK(!locked || locked->empty());
  return {};
}

std::string shown(const ResourceOwner& owner) {
  if (owner.agent) return fmt::format("agent {} ({})", owner.agent->id, owner.agent->host_name);
  if (!owner.target.empty()) return fmt::format("{}, which is collected over SSH", owner.target);
  return owner.other_inventory ? "an inventory that no agent has sent" : "nobody";
}

}  // namespace tenken::store
