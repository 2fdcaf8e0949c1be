// What agents are told to do, in answer to a long poll: docs/adr/0013.
#include <vector>

#include "api/agents/call.h"
#include "base/json_writer.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"
#include "crypto/random.h"

namespace tenken::api::agents {
namespace {

constexpr std::size_t digest_digits = 64;
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

std::string text_of(const store::AgentCommand& command) {
  json::Writer out;
  out.begin_object();
  out.member("id", command.id).member("agentId", command.agent);
  out.member("command", command.command);
  out.key("issued").integer(command.issued);
  out.key("expires").integer(command.expires);
  out.end_object();
  return out.take();
}

AgentAnswer answer_of(const AgentCall& call, const std::vector<store::AgentCommand>& commands,
                      Seconds now) {
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

// Those that no other node sends.
Result<std::vector<store::AgentCommand>> take_commands(sql::Connection& connection,
                                                       std::string_view agent, Seconds now) {
  TRY(const auto waiting, store::waiting_commands(connection, agent, now));
  std::vector<store::AgentCommand> out;
  for (const auto& command : waiting) {
    TRY(const auto ours, store::mark_sent(connection, command.id, now));
    if (ours) out.push_back(command);
  }
  return out;
}

}  // namespace

AgentAnswer poll(const AgentCall& call) {
  const auto now = call.services.clock();
  TRY(const auto digest,
      digits_of(call.request.headers.get("Tenken-Digest"), "Tenken-Digest", digest_digits, true));
  TRY(auto connection, call.services.pool->lease());
  TRY(auto commands, take_commands(*connection, call.agent.id, now));
  if (!call.request.held) {
    TRY(const auto state, store::report_state(*connection, call.resource()));
    const bool same = state && !digest.empty() && state->digest == digest;
    call.presence.seen({.agent = call.agent.id,
                        .resource = call.resource(),
                        .seen = now,
                        .confirmed = same ? now : 0});
    if (!same && !digest.empty() && commands.empty() &&
        call.presence.may_ask_for_whole(call.agent.id, now))
      commands.push_back({.id = crypto::to_hex(crypto::random_bytes(16)),
                          .agent = call.agent.id,
                          .command = "collect",
                          .issued = now,
                          .expires = now + asking_ends_after});
    if (commands.empty())
      return http::Response{
          .hold = http::Hold{.key = "agent:" + call.agent.id, .milliseconds = hold_ms()}};
  }
  return answer_of(call, commands, now);
}

}  // namespace tenken::api::agents
