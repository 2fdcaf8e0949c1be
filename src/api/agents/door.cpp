#include "api/agents/door.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "access/accounts.h"
#include "api/agents/files.h"
#include "api/agents/identity.h"
#include "base/text.h"
#include "host/report.h"

namespace tenken::api::agents {
namespace {

constexpr std::string_view prefix = "/agent/";
constexpr std::size_t small_body = 64 * 1024;
constexpr std::size_t session_digits = 16;
constexpr std::size_t longest_version = 64;
constexpr Seconds clone_noted_again_after = 60;
constexpr std::int64_t most_waking = 10'000;
// A poll is held for less than a minute; the clock of who ends an agent may be off by the rest.
constexpr Seconds ended_is_news_for = 300;

constexpr std::array<std::string_view, 4> posts{"enrol", "report", "poll", "renew"};

bool is_post(std::string_view name) {
  return std::ranges::find(posts, name) != posts.end();
}

std::string_view name_in(const http::Request& request) {
  return request.path().substr(prefix.size());
}

}  // namespace

ApiResult<std::string> name_of(std::string_view text, std::string_view what, std::size_t most) {
  if (text.size() > most || printable(text) != text)
    return validation_failed(fmt::format("{}: at most {} printable bytes are needed", what, most));
  return std::string(text);
}

ApiResult<std::string> digits_of(std::string_view text, std::string_view what, std::size_t count,
                                 bool may_lack) {
  const bool lacks = may_lack && text.empty();
  if (!lacks && (text.size() != count ||
                 text.find_first_not_of("0123456789abcdef") != std::string_view::npos))
    return validation_failed(fmt::format("{}: {} digits of 0-9a-f are needed", what, count));
  return std::string(text);
}

ApiError second_agent(const store::Agent& agent) {
  return conflicting(
      "Another agent with this key has taken over: it runs on a copy of this host or of its state, "
      "or a second time. Remove the state of one of them and enrol it again",
      agent.id, "AGENT");
}

AgentDoor::AgentDoor(AgentServices services,
                     std::function<void(std::string_view, const Error&)> log)
    : services_(std::move(services)), log_(std::move(log)) {}

bool AgentDoor::is_agent(const http::Request& request) {
  return request.path().starts_with(prefix);
}

std::size_t AgentDoor::body_limit(const http::Request& head) {
  const bool report = name_in(head) == "report" && !head.client_certificate.empty();
  return report ? host::ReportLimits{}.bytes : small_body;
}

http::Response AgentDoor::answer(const http::Request& request) {
  const auto name = name_in(request);
  std::string account;
  auto answered = route(request, name, account);
  auto response = answered ? *std::move(answered) : to_response(answered.error());
  if (!response.note.fault.empty()) log_(request.id, Error{Errc::internal, response.note.fault});
  if (response.note.account.empty()) response.note.account = account;
  const bool post = is_post(name);
  response.note.operation = fmt::format("agent {}", post ? name : "file");
  return response;
}

AgentAnswer AgentDoor::route(const http::Request& request, std::string_view name,
                             std::string& account) {
  const bool post = is_post(name);
  if (request.method != (post ? "POST" : "GET")) {
    auto out = to_response(method_not_allowed());
    out.headers.set("Allow", post ? "POST" : "GET");
    return out;
  }
  if (services_.authority.certificate.empty())
    return resource_not_found("Agents need TLS: this server was started with --plaintext");
  if (!post) return file_answer(request, name, services_);
  if (name == "enrol") {
    auto enrolled = enrol(request, services_, audit_);
    // Two hosts became the agent of one resource at once: the later one is to come again.
    if (!enrolled && enrolled.error().code == ErrorCode::conflict) return service_unavailable();
    return enrolled;
  }
  return answer_agent(request, name, account);
}

AgentAnswer AgentDoor::answer_agent(const http::Request& request, std::string_view name,
                                    std::string& account) {
  TRY(const auto agent, agent_of(request));
  account = agent.account;
  if (auto admitted = admit(agent); !admitted) {
    if (name == "renew")
      TRY_VOID(note_refused_renewal(request, agent, admitted.error().message, services_, audit_));
    return std::move(admitted).error();
  }
  if (!request.held) TRY_VOID(check_session(request, agent));
  const AgentCall call{
      .request = request, .agent = agent, .services = services_, .presence = presence_};
  if (name == "poll") return poll(call);
  presence_.seen(
      {.agent = agent.id, .resource = call.resource(), .seen = services_.clock(), .confirmed = 0});
  return name == "report" ? report(call, audit_) : renew(call, audit_);
}

ApiResult<store::Agent> AgentDoor::agent_of(const http::Request& request) {
  if (request.client_certificate.empty())
    return access_denied("A client certificate is needed: enrol this host");
  TRY(const auto fingerprint, crypto::certificate_fingerprint(request.client_certificate));
  TRY(auto connection, services_.pool->lease());
  TRY(auto agent, store::find_agent_by_certificate(*connection, fingerprint));
  if (!agent)
    return access_denied("This certificate is not known: enrol the agent again with a new token");
  if (agent->next_certificate == fingerprint) {
    TRY_VOID(store::use_next_certificate(*connection, agent->id, fingerprint));
    agent->certificate_end = agent->next_certificate_end;
  }
  return *std::move(agent);
}

ApiResult<> AgentDoor::admit(const store::Agent& agent) {
  if (agent.status == store::AgentStatus::revoked)
    return access_denied("This agent was revoked: enrol it again with a new token");
  if (agent.status == store::AgentStatus::retired && !agent.wanted.empty())
    return access_denied(
        fmt::format("This agent was retired, for {} is that of another: enrol it again with a new "
                    "token",
                    agent.wanted));
  if (agent.status == store::AgentStatus::retired)
    return access_denied("This agent was retired: enrol it again with a new token");
  TRY(auto connection, services_.pool->lease());
  TRY(const auto live, access::is_live_account(*connection, agent.account));
  if (!live) return access_denied("The account of this agent was revoked");
  if (agent.certificate_end <= services_.clock())
    return access_denied("This certificate has ended: enrol the agent again with a new token");
  return {};
}

ApiResult<> AgentDoor::check_session(const http::Request& request, const store::Agent& agent) {
  TRY(const auto session,
      digits_of(request.headers.get("Tenken-Session"), "Tenken-Session", session_digits, false));
  TRY(const auto version,
      name_of(request.headers.get("Tenken-Version"), "Tenken-Version", longest_version));
  if (session == agent.session) return {};
  const auto now = services_.clock();
  TRY(auto connection, services_.pool->lease());
  // A process that comes back with its machine's memory goes on once nobody else is there.
  const bool is_alone = now - agent.seen >= lives_within;
  if (is_alone || !store::was_replaced(agent, session)) {
    TRY(const auto changed, store::change_session(*connection, agent, session, version, now));
    if (changed) return {};
    // Another request of this session was first, or another session: that one then asks again.
    TRY(const auto now_is, store::find_agent(*connection, agent.account, agent.id));
    if (now_is && now_is->session == session) return {};
    return service_unavailable();
  }
  // A second agent comes again, a request that was under way does not.
  const bool is_second = presence_.comes_again(fmt::format("{} {}", agent.id, session), now);
  if (now - agent.session_at <= session_grace) return service_unavailable();
  if (is_second && now - agent.clone_seen > clone_noted_again_after)
    TRY_VOID(store::refuse_session(*connection, agent, session, now));
  return second_agent(agent);
}

Result<std::vector<std::string>> AgentDoor::polls_to_wake() {
  TRY(auto connection, services_.pool->lease());
  const auto now = services_.clock();
  TRY(const auto waiting, store::waiting_commands(*connection, now, most_waking));
  TRY(const auto ended, store::ended_agents(*connection, now - ended_is_news_for, most_waking));
  std::set<std::string, std::less<>> known;
  std::vector<std::string> out;
  const auto note = [&](std::string reason, const std::string& agent) {
    if (!known_.contains(reason)) out.push_back("agent:" + agent);
    known.insert(std::move(reason));
  };
  for (const auto& command : waiting) note(command.id, command.agent);
  for (const auto& one : ended) note(fmt::format("{} {}", one.agent, one.ended), one.agent);
  known_ = std::move(known);
  return out;
}

}  // namespace tenken::api::agents
