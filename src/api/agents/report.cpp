// What an agent found becomes its resource's inventory: docs/adr/0013.
#include "host/report.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "api/agents/call.h"
#include "api/agents/move.h"
#include "api/agents/report_body.h"
#include "base/compress.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "store/agent_health.h"
#include "store/resources.h"

namespace tenken::api::agents {
namespace {

constexpr std::size_t digest_digits = 64;
constexpr std::int64_t highest_sequence = std::int64_t{1} << 53;

struct Head {
  std::int64_t sequence = 0;
  std::string digest;
  std::string base;  // empty: the body is the whole
};

ApiResult<Head> read_head(const http::Request& request) {
  const auto& headers = request.headers;
  const auto sequence = parse_uint(headers.get("Tenken-Sequence"));
  if (!sequence || *sequence == 0 || *sequence > highest_sequence)
    return validation_failed("Tenken-Sequence: a number from 1 on is needed");
  Head out{.sequence = static_cast<std::int64_t>(*sequence)};
  TRY(out.digest, digits_of(headers.get("Tenken-Digest"), "Tenken-Digest", digest_digits, false));
  TRY(out.base, digits_of(headers.get("Tenken-Base"), "Tenken-Base", digest_digits, true));
  return out;
}

http::Response acknowledged(const store::ReportState& state, Seconds now) {
  json::Writer out;
  out.begin_object();
  out.key("sequence").integer(state.sequence);
  out.member("digest", state.digest);
  out.key("now").integer(now);
  out.end_object();
  http::Response response{.body = out.take()};
  response.headers.set("Content-Type", "application/json");
  return response;
}

http::Response whole_needed(const store::ReportState& state, std::string_view why) {
  json::Writer out;
  out.begin_object().member("need", "whole");
  out.key("sequence").integer(state.sequence);
  out.member("digest", state.digest).member("message", why);
  out.end_object();
  http::Response response{.status = 409, .body = out.take()};
  response.headers.set("Content-Type", "application/json");
  return response;
}

std::string digest_of(std::string_view text) {
  return crypto::to_hex(crypto::view(crypto::sha256(text)));
}

// The text that results; none, with the reason: it does not fit what is stored.
struct Built {
  std::optional<std::string> text;
  std::string why;
};

ApiResult<Built> build_from(const store::StoredReport& stored, const Head& head,
                            std::string_view body) {
  TRY(const auto delta, read_delta(body));
  TRY(const auto before, unpack(stored.packed, host::ReportLimits{}.bytes));
  auto text = host::apply_delta(before, delta);
  if (!text && text.error().code == Errc::conflict) return Built{.why = text.error().what};
  if (!text) return to_api_error(text.error());
  if (digest_of(*text) != head.digest) return Built{.why = "Another report results"};
  return Built{.text = *std::move(text)};
}

ApiResult<Built> build(const AgentCall& call, const Head& head) {
  const auto& body = call.request.body;
  if (head.base.empty()) {
    TRY(auto text, read_whole(body));
    if (digest_of(text) != head.digest)
      return validation_failed("The report is not what its digest says");
    return Built{.text = std::move(text)};
  }
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto stored, store::find_report(*connection, call.resource()));
  if (!stored || stored->state.digest != head.base)
    return Built{.why = "It starts from another report than the last one"};
  return build_from(*stored, head, body);
}

std::vector<std::pair<std::string, std::string>> tags_of(const store::Agent& agent) {
  json::Parser parser;
  const auto document = parser.parse(agent.tags);
  CHECK(document.has_value());  // ours
  std::vector<std::pair<std::string, std::string>> out;
  document->for_each_member([&](std::string_view name, const json::Value& value) {
    out.emplace_back(std::string(name), std::string(value.string()));
  });
  return out;
}

ApiResult<store::InventoryWrite> inventory_of(const AgentCall& call, const Head& head,
                                              const std::string& text, Seconds now,
                                              access::AuditLog& audit) {
  TRY(auto report, host::read_report(text));
  TRY(const auto agent, moved(call, report.facts.cloud.instance_id, audit));
  const auto& region = report.facts.cloud.region;
  if (report.inventory.name.empty()) report.inventory.name = agent.host_name;
  auto out = pipeline::stored_inventory({.account = agent.account,
                                         .external_id = agent.resource,
                                         .region = region.empty() ? call.services.region : region,
                                         .tags = tags_of(agent),
                                         .digest = head.digest,
                                         .received = now},
                                        std::move(report.inventory), report.facts);
  out.report = store::ReportWrite{
      .agent = agent.id, .sequence = head.sequence, .digest = head.digest, .packed = pack(text)};
  return out;
}

ApiResult<store::ReportState> state_of(const AgentCall& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto state, store::report_state(*connection, call.resource()));
  return state.value_or(store::ReportState{});
}

// Whether it was sent by the session that asks: by its process, or a copy of that.
bool is_of_session(const AgentCall& call, const store::ReportState& stored) {
  return call.request.headers.get("Tenken-Session") == call.agent.session &&
         call.agent.session_at <= stored.received;
}

bool is_known_clone(const AgentCall& call) {
  return store::health_of(call.agent, call.services.clock()) == "clone";
}

// Whether somebody lives who goes on from the last report.
Result<bool> is_confirmed(sql::Connection& connection, const AgentCall& call,
                          const store::ReportState& stored) {
  TRY(const auto resource,
      store::find_resource(connection, call.agent.account, call.agent.resource));
  const auto confirmed = std::max(stored.received, resource ? resource->seen : 0);
  return call.services.clock() - confirmed < lives_within;
}

// A report of another text under a number that was used: the state that it is counted in went back
// or was copied. Somebody lives who goes on from the last one: then this is another host. No
// process uses a number for two texts, so one of the same session is another too. What has an
// earlier number may be the host's own, and late: then it does not come again.
AgentAnswer again(const AgentCall& call, const Head& head, const store::ReportState& stored,
                  Seconds now) {
  const bool was_under_way = is_of_session(call, stored) && head.sequence < stored.sequence &&
                             now - stored.received <= session_grace && !is_known_clone(call);
  if (head.digest == stored.digest || was_under_way) return acknowledged(stored, now);
  TRY(auto connection, call.services.pool->lease());
  TRY(const bool confirmed, is_confirmed(*connection, call, stored));
  if (!confirmed) return acknowledged(stored, now);
  const bool is_second = head.sequence == stored.sequence || is_known_clone(call) ||
                         call.presence.comes_again(call.agent.id, now);
  if (is_second) TRY_VOID(store::mark_clone(*connection, call.agent.id, now));
  return second_agent(call.agent);
}

AgentAnswer ask_for_whole(const AgentCall& call, const store::ReportState& stored,
                          std::string_view why) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const bool second, is_second_process(*connection, call, stored));
  if (second) return second_agent(call.agent);
  return whole_needed(stored, why);
}

// The whole is what the command asks for.
Result<> collected(const AgentCall& call) {
  TRY(auto connection, call.services.pool->lease());
  return store::end_commands(*connection, call.agent.id, "collect");
}

}  // namespace

Result<bool> is_second_process(sql::Connection& connection, const AgentCall& call,
                               const store::ReportState& stored) {
  const auto now = call.services.clock();
  if (!is_known_clone(call) || stored.digest.empty() || !is_of_session(call, stored) ||
      now - stored.received <= session_grace)
    return false;
  return is_confirmed(connection, call, stored);
}

AgentAnswer report(const AgentCall& call, access::AuditLog& audit) {
  TRY(const auto head, read_head(call.request));
  TRY(const auto stored, state_of(call));
  const auto now = call.services.clock();
  if (head.sequence <= stored.sequence) return again(call, head, stored, now);
  TRY(const auto built, build(call, head));
  if (!built.text) return ask_for_whole(call, stored, built.why);
  TRY(auto inventory, inventory_of(call, head, *built.text, now, audit));
  TRY(const auto written, call.services.ingest->report(std::move(inventory)));
  if (written) {
    if (head.base.empty()) TRY_VOID(collected(call));
    return acknowledged({.sequence = head.sequence, .digest = head.digest}, now);
  }
  // It, or a later one, came on another way meanwhile.
  TRY(const auto newer, state_of(call));
  return acknowledged(newer, now);
}

}  // namespace tenken::api::agents
