// Agents, and what they said of their hosts.
#include "store/agents.h"

#include <array>
#include <map>

#include "api/v1/page.h"
#include "api/v1/pieces.h"
#include "api/v1/repair.h"
#include "api/v1/v1.h"
#include "base/compress.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "host/report.h"
#include "store/agent_health.h"
#include "store/agent_updates.h"
#include "store/resources.h"

namespace tenken::api::v1 {
namespace agents_ {
namespace {

void write_update(json::Writer& out, const store::AgentUpdate& update, std::string_view version) {
  const auto state = store::shown_state(update, version);
  out.key("update").begin_object().member("release", update.release).member("state", state);
  if (state == "failed") out.member_if("message", update.message);
  write_time(out, "askedAt", update.asked);
  write_time(out, "changedAt", update.changed);
  out.end_object();
}

void write_agent(json::Writer& out, const store::Agent& agent, const store::AgentUpdate* update,
                 Seconds now) {
  out.begin_object();
  out.member("agentId", agent.id).member("resourceId", agent.resource);
  out.member_if("name", agent.name).member_if("hostName", agent.host_name);
  out.member_if("version", agent.version).member_if("architecture", agent.architecture);
  out.member("status", store::name(agent.status));
  const auto health = store::health_of(agent, now);
  if (agent.status == store::AgentStatus::active) out.member("health", health);
  out.member_if("wantedResourceId", agent.wanted);
  out.member_if("repair", repair_of(agent, health));
  out.key("tags").document(agent.tags);
  write_time(out, "certificateEndsAt", agent.certificate_end);
  write_time(out, "enrolledAt", agent.enrolled);
  write_time(out, "seenAt", agent.seen);
  write_time(out, "reportedAt", agent.reported);
  write_time(out, "cloneSeenAt", agent.clone_seen);
  write_time(out, "endedAt", agent.ended);
  if (update != nullptr) write_update(out, *update, agent.version);
  out.end_object();
}

ApiResult<http::Response> list_agents(const V1Call& call) {
  TRY(const auto page, read_page(call));
  const auto after = page.position.empty() ? std::string() : page.position[0];
  TRY(auto connection, call.services.pool->lease());
  TRY(auto agents, store::list_agents(*connection, call.who.account, after, page.limit + 1));
  const bool goes_on = std::ssize(agents) > page.limit;
  if (goes_on) agents.pop_back();
  TRY(const auto updates, store::list_updates(*connection, call.who.account, after,
                                              agents.empty() ? "" : agents.back().resource));
  json::Writer out;
  out.begin_object();
  out.key("agents").begin_array();
  for (const auto& agent : agents) {
    const auto update = updates.find(agent.id);
    write_agent(out, agent, update == updates.end() ? nullptr : &update->second,
                call.services.clock());
  }
  out.end_array();
  if (goes_on) write_next_token(out, call, page, {agents.back().resource});
  out.end_object();
  return json_response(200, out.take());
}

using LinesByKind = std::map<std::string, std::vector<std::string_view>, std::less<>>;

// Packages have a list of their own: they are left out unless they are asked for.
LinesByKind lines_of(std::string_view text, std::string_view kind) {
  json::Parser parser;
  LinesByKind out;
  for_each_line(text, [&](std::string_view line) {
    const auto object = parser.parse(line);
    CHECK(object.has_value());  // was read before it was stored
    const auto is = (*object)["k"].string();
    if (kind.empty() ? is != "package" : is == kind) out[std::string(is)].push_back(line);
  });
  return out;
}

// Word for word what the agent sent last.
ApiResult<http::Response> get_facts(const V1Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto resource, store::find_resource(*connection, call.who.account, call.labels[0]));
  if (!resource) return resource_not_found("There is no such resource");
  TRY(const auto report, store::find_report(*connection, resource->id));
  if (!report || report->state.digest.empty())
    return resource_not_found("No agent has reported of this resource");
  TRY(const auto text, unpack(report->packed, host::ReportLimits{}.bytes));
  json::Writer out;
  out.begin_object();
  out.member("resourceId", resource->external_id).member("digest", report->state.digest);
  write_time(out, "receivedAt", report->state.received);
  out.key("facts").begin_object();
  for (const auto& [kind, lines] : lines_of(text, call.parameter("kind"))) {
    out.key(kind).begin_array();
    for (const auto line : lines) out.document(line);
    out.end_array();
  }
  out.end_object().end_object();
  return json_response(200, out.take());
}

constexpr std::array page_parameters{V1Parameter{"limit"}, V1Parameter{"nextToken"}};
constexpr std::array kind_parameters{V1Parameter{"kind"}};

constexpr std::array operations{
    V1Operation{.method = "GET",
                .path = "/v1/agents",
                .needs = access::Permission::read,
                .handle = list_agents,
                .parameters = page_parameters},
    V1Operation{.method = "GET",
                .path = "/v1/resources/{id}/facts",
                .needs = access::Permission::read,
                .handle = get_facts,
                .parameters = kind_parameters},
};

}  // namespace
}  // namespace agents_

extern constinit const V1Family agents{.id = "agents", .operations = agents_::operations};

}  // namespace tenken::api::v1
