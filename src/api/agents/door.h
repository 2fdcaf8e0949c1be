// The agents' door: everything under /agent/ (docs/adr/0013). Who asks is told by the certificate
// of the connection, which the TLS layer has verified against the authority of agents, and by
// nothing else. It is looked up on each request, so that a revocation holds at once.
//
// Thread rule: any thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/audit.h"
#include "api/agents/call.h"
#include "api/agents/presence.h"
#include "base/result.h"
#include "http/server.h"

namespace tenken::api::agents {

class AgentDoor {
 public:
  // log receives what must not go out, with the request's id.
  AgentDoor(AgentServices services,
            std::function<void(std::string_view request_id, const Error&)> log);

  static bool is_agent(const http::Request& request);
  http::Response answer(const http::Request& request);
  // Strangers cannot make the server hold much.
  static std::size_t body_limit(const http::Request& head);

  // The keys of polls (http::Hold) whose agents have a command, or were retired or revoked, since
  // the last look. By one thread.
  Result<std::vector<std::string>> polls_to_wake();
  // Writes down who was heard of.
  Result<> write_seen() { return presence_.write(*services_.pool); }

 private:
  AgentAnswer route(const http::Request& request, std::string_view name, std::string& account);
  AgentAnswer answer_agent(const http::Request& request, std::string_view name,
                           std::string& account);
  // Whose certificate it is; and whether that one may come in.
  ApiResult<store::Agent> agent_of(const http::Request& request);
  ApiResult<> admit(const store::Agent& agent);
  ApiResult<> check_session(const http::Request& request, const store::Agent& agent);

  AgentServices services_;
  std::function<void(std::string_view, const Error&)> log_;
  Presence presence_;
  access::AuditLog audit_;
  std::set<std::string, std::less<>> known_;  // reasons to wake, of the thread that looks
};

}  // namespace tenken::api::agents
