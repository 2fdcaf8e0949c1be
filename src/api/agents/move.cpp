#include "api/agents/move.h"

#include <fmt/format.h>

#include "pipeline/retire.h"

namespace tenken::api::agents {

bool is_of_machine(std::string_view resource) {
  return resource.starts_with("mi-");
}

Result<> leave_resource(sql::Connection& connection, const store::Agent& agent,
                        std::string_view instance, Seconds now) {
  TRY_VOID(pipeline::retire_within(connection, store::resource_id(agent.account, agent.resource),
                                   fmt::format("the host is {}", instance), now));
  return {};
}

namespace {

ApiResult<> write_move(sql::Connection& connection, const AgentCall& call,
                       const store::Agent& agent, access::AuditLog& audit) {
  const auto now = call.services.clock();
  TRY_VOID(leave_resource(connection, call.agent, agent.resource, now));
  TRY_VOID(store::move_agent(connection, agent));
  TRY_VOID(store::expect_reports(connection, store::resource_id(agent.account, agent.resource),
                                 agent.id, now));
  TRY_VOID(audit.append(connection, {.time = now,
                                     .account = agent.account,
                                     .principal = "agent " + agent.id,
                                     .source = call.request.peer,
                                     .action = "tenken:MoveAgent",
                                     .target = agent.resource,
                                     .outcome = "success",
                                     .request_id = call.request.id}));
  return {};
}

}  // namespace

ApiResult<store::Agent> moved(const AgentCall& call, std::string_view instance,
                              access::AuditLog& audit) {
  auto out = call.agent;
  if (!instance.starts_with("i-") || !is_of_machine(out.resource)) return out;
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto other, store::find_agent_of_resource(*connection, out.account, instance));
  if (other && other->status == store::AgentStatus::active) {
    for (const auto& id : {out.id, other->id})
      TRY_VOID(store::mark_clone(*connection, id, call.services.clock()));
  } else {
    out.resource = instance;
    TRY_VOID(write_move(*connection, call, out, audit));
  }
  TRY_VOID(transaction.commit());
  return out;
}

}  // namespace tenken::api::agents
