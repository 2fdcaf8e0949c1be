// What agents are told to do, in answer to a long poll: docs/adr/0013.
#include <optional>
#include <vector>

#include "api/agents/call.h"
#include "api/agents/move.h"
#include "api/agents/releases.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"
#include "crypto/random.h"
#include "store/agent_updates.h"

namespace tenken::api::agents {
namespace {

constexpr std::size_t digest_digits = 64;
constexpr std::size_t longest_fault = 256;
constexpr int longest_hold_ms = 50'000;
// Agents that came at once, after the server was away, are not to come at once for ever.
constexpr int spread_ms = 10'000;
constexpr Seconds asking_ends_after = 300;

int hold_ms() {
  const auto bytes = crypto::random_bytes(2);
  const auto number =
      static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]);
  return longest_hold_ms - number % spread_ms;
}

struct Sending {
  store::AgentCommand command;
  std::optional<ReleaseFacts> release;  // of an update
};

std::string text_of(const Sending& sending) {
  const auto& command = sending.command;
  json::Writer out;
  out.begin_object();
  out.member("id", command.id).member("agentId", command.agent);
  out.member("command", command.command);
  out.key("issued").integer(command.issued);
  out.key("expires").integer(command.expires);
  if (sending.release) {
    out.key("release").begin_object().member("version", sending.release->version);
    out.member("sha256", sending.release->sha256);
    out.key("size").integer(static_cast<std::int64_t>(sending.release->size));
    out.end_object();
  }
  out.end_object();
  return out.take();
}

AgentAnswer answer_of(const AgentCall& call, const std::vector<Sending>& commands, Seconds now) {
  json::Writer out;
  out.begin_object();
  out.key("now").integer(now);
  out.key("commands").begin_array();
  for (const auto& command : commands) {
    const auto text = text_of(command);
    TRY(const auto signature, crypto::ed25519_sign(call.services.command_seed, text));
    out.begin_object();
    out.member("text", text).member("signature", crypto::to_base64(signature));
    out.end_object();
  }
  out.end_array().end_object();
  http::Response response{.body = out.take()};
  response.headers.set("Content-Type", "application/json");
  return response;
}

// The agent runs it, or has said why not since it was sent.
bool has_ended(const store::AgentCommand& command, const store::AgentUpdate& update,
               std::string_view version) {
  return command.sent > 0 &&
         (update.state == store::UpdateState::failed || update.release == version);
}

// An update whose release is not here is not sent; why is told in the list of agents.
Result<std::optional<Sending>> prepare(sql::Connection& connection, const AgentCall& call,
                                       const store::AgentCommand& command, Seconds now) {
  if (command.command != "update") return std::optional(Sending{command, {}});
  TRY(const auto update, store::find_update(connection, call.agent.id));
  if (!update || has_ended(command, *update, call.request.headers.get("Tenken-Version"))) {
    TRY_VOID(store::end_commands(connection, call.agent.id, "update"));
    return std::optional<Sending>();
  }
  const auto facts =
      release_facts(call.services.releases, update->release, call.agent.architecture);
  TRY_VOID(store::change_update(connection, call.agent.id, update->release,
                                facts ? store::UpdateState::sent : store::UpdateState::failed,
                                facts ? std::string_view() : std::string_view(facts.error().what),
                                now));
  if (!facts) return std::optional<Sending>();
  return std::optional(Sending{command, *facts});
}

// Those that no other node sends.
Result<std::vector<Sending>> take_commands(sql::Connection& connection, const AgentCall& call,
                                           Seconds now) {
  TRY(const auto waiting, store::waiting_commands(connection, call.agent.id, now));
  std::vector<Sending> out;
  for (const auto& command : waiting) {
    TRY(const auto ours, store::mark_sent(connection, command, now));
    if (!ours) continue;
    TRY(auto sending, prepare(connection, call, command, now));
    if (sending) out.push_back(*std::move(sending));
  }
  return out;
}

// "0.2.0 why it does not run here", until the agent is asked again.
ApiResult<> note_update_fault(sql::Connection& connection, const AgentCall& call, Seconds now) {
  const auto header = call.request.headers.get("Tenken-Update");
  if (header.empty()) return {};
  TRY(const auto text, name_of(header, "Tenken-Update", longest_fault));
  const auto [release, why] = split_once(text, ' ');
  if (why)
    TRY_VOID(store::change_update(connection, call.agent.id, release, store::UpdateState::failed,
                                  *why, now));
  return {};
}

Result<bool> is_second(sql::Connection& connection, const AgentCall& call,
                       std::string_view digest) {
  if (digest.empty() || call.agent.clone_seen == 0) return false;
  TRY(const auto stored, store::report_state(connection, call.resource()));
  if (!stored || stored->digest == digest) return false;
  return is_second_process(connection, call, *stored);
}

}  // namespace

AgentAnswer poll(const AgentCall& call) {
  const auto now = call.services.clock();
  TRY(const auto digest,
      digits_of(call.request.headers.get("Tenken-Digest"), "Tenken-Digest", digest_digits, true));
  TRY(auto connection, call.services.pool->lease());
  if (!call.request.held) {
    TRY_VOID(note_update_fault(*connection, call, now));
    TRY(const bool second, is_second(*connection, call, digest));
    if (second) return second_agent(call.agent);
  }
  TRY(auto commands, take_commands(*connection, call, now));
  if (!call.request.held) {
    TRY(const bool same, store::is_in_force(*connection, call.resource(), digest, now));
    call.presence.seen({.agent = call.agent.id,
                        .resource = call.resource(),
                        .seen = now,
                        .confirmed = same ? now : 0});
    TRY(const bool moves, may_move(*connection, call.agent, now));
    if (((!same && !digest.empty()) || moves) && commands.empty() &&
        call.presence.may_ask_for_whole(call.agent, now))
      commands.push_back({{.id = crypto::to_hex(crypto::random_bytes(16)),
                           .agent = call.agent.id,
                           .command = "collect",
                           .issued = now,
                           .expires = now + asking_ends_after},
                          {}});
    if (commands.empty() && call.request.headers.get("Tenken-Hold") != "0")
      return http::Response{
          .hold = http::Hold{.key = "agent:" + call.agent.id, .milliseconds = hold_ms()}};
  }
  return answer_of(call, commands, now);
}

}  // namespace tenken::api::agents
