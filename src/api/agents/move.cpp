#include "api/agents/move.h"

#include <fmt/format.h>

#include "pipeline/retire.h"

namespace tenken::api::agents {
namespace {

// That the agent's host has named: a cloud gives an id to one host, and a host keeps it for life.
// Empty: it has named none.
std::string_view instance_of(const store::Agent& agent) {
  if (is_instance(agent.resource)) return agent.resource;
  return is_instance(agent.wanted) ? std::string_view(agent.wanted) : std::string_view();
}

bool is_another_instance(const store::Agent& agent, std::string_view instance) {
  const auto own = instance_of(agent);
  return !own.empty() && is_instance(instance) && instance != own;
}

}  // namespace

Result<> leave_resource(sql::Connection& connection, const store::Agent& agent,
                        std::string_view resource, Seconds now) {
  TRY_VOID(pipeline::retire_within(connection, store::resource_id(agent.account, agent.resource),
                                   fmt::format("the host is {}", resource), now));
  return {};
}

Result<> take_resource(sql::Connection& connection, const store::Agent& agent,
                       std::string_view resource, Seconds now) {
  if (is_another_instance(agent, resource))
    return invalid(
        fmt::format("the agent's host is {}, which is no other instance", instance_of(agent)));
  TRY_VOID(leave_resource(connection, agent, resource, now));
  TRY(const auto before, store::find_agent_of_resource(connection, agent.account, resource));
  if (before) TRY_VOID(store::end_agent(connection, before->id, store::AgentStatus::retired, now));
  TRY_VOID(store::move_agent(connection, agent, resource));
  return store::expect_reports(connection, store::resource_id(agent.account, resource), agent.id,
                               now);
}

namespace {

Result<> note(sql::Connection& connection, const AgentCall& call, std::string_view resource,
              std::string outcome, access::AuditLog& audit) {
  return audit.append(connection, {.time = call.services.clock(),
                                   .account = call.agent.account,
                                   .principal = "agent " + call.agent.id,
                                   .source = call.request.peer,
                                   .action = "tenken:MoveAgent",
                                   .target = std::string(resource),
                                   .outcome = std::move(outcome),
                                   .request_id = call.request.id});
}

// Once in the log, however often it reports.
Result<> refuse(sql::Connection& connection, const AgentCall& call, const store::Agent& agent,
                std::string_view resource, const store::ResourceOwner& owner,
                access::AuditLog& audit) {
  const auto now = call.services.clock();
  TRY_VOID(store::mark_clone(connection, agent.id, now));
  if (owner.agent) TRY_VOID(store::mark_clone(connection, owner.agent->id, now));
  if (agent.wanted == resource) return {};
  TRY_VOID(store::note_wanted(connection, agent.id, resource));
  return note(connection, call, resource, "denied: it belongs to " + store::shown(owner), audit);
}

// Of a copy of the agent's host or of its state. It may have sent the last report too, as long as
// it believed itself to be the other: the whole is asked for.
Result<> refuse_copy(sql::Connection& connection, const AgentCall& call, const store::Agent& agent,
                     std::string_view instance, access::AuditLog& audit) {
  const auto now = call.services.clock();
  if (now - agent.clone_seen >= lives_within)
    TRY_VOID(note(connection, call, instance,
                  fmt::format("denied: the agent is that of {}", instance_of(agent)), audit));
  TRY_VOID(store::mark_clone(connection, agent.id, now));
  // Else it is refused already.
  if (agent.session != call.request.headers.get("Tenken-Session")) return {};
  TRY_VOID(store::return_session(connection, agent, now));
  return store::expect_reports(connection, store::resource_id(agent.account, agent.resource),
                               agent.id, now);
}

ApiError other_instance(const store::Agent& agent, std::string_view instance) {
  return conflicting(
      fmt::format(
          "This agent is that of {}, and this host is {}: it is a copy of that host, or has "
          "its state. Remove the agent's state here (/var/lib/tenken-agent) and enrol it "
          "with a new token",
          instance_of(agent), instance),
      agent.id, "AGENT");
}

// Empty: the one that it has.
std::string_view wanted_by(const store::Agent& agent, std::string_view instance) {
  if (!is_of_machine(agent.resource)) return {};
  return is_instance(instance) ? instance : std::string_view(agent.wanted);
}

}  // namespace

Result<bool> may_move(sql::Connection& connection, const store::Agent& agent, Seconds now) {
  if (agent.wanted.empty() || !is_of_machine(agent.resource)) return false;
  TRY(const auto owner, store::owner_of(connection, agent.account, agent.wanted));
  return may_have(owner, identity_of(agent), now);
}

ApiResult<store::Agent> moved(const AgentCall& call, std::string_view instance,
                              access::AuditLog& audit) {
  if (!is_another_instance(call.agent, instance) && wanted_by(call.agent, instance).empty())
    return call.agent;
  const auto now = call.services.clock();
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY_VOID(store::lock_owners(*connection));
  // As it is now: somebody may have moved or ended it since the request came.
  TRY(auto agent, store::find_agent(*connection, call.agent.account, call.agent.id));
  if (!agent || agent->status != store::AgentStatus::active) return service_unavailable();
  if (is_another_instance(*agent, instance)) {
    TRY_VOID(refuse_copy(*connection, call, *agent, instance, audit));
    TRY_VOID(transaction.commit());
    return other_instance(*agent, instance);
  }
  const std::string resource(wanted_by(*agent, instance));
  if (resource.empty()) return *std::move(agent);
  TRY(const auto owner, store::owner_of(*connection, agent->account, resource));
  if (may_have(owner, identity_of(*agent), now)) {
    TRY_VOID(take_resource(*connection, *agent, resource, now));
    TRY_VOID(note(*connection, call, resource, "success", audit));
    agent->resource = resource;
    agent->wanted.clear();
  } else if (is_instance(instance)) {
    TRY_VOID(refuse(*connection, call, *agent, resource, owner, audit));
  }
  TRY_VOID(transaction.commit());
  return *std::move(agent);
}

}  // namespace tenken::api::agents
