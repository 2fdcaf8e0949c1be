// What the requests under /agent/ (docs/adr/0013) have in common: what they are answered with, who
// asks, and how agents are remembered between their requests.
//
// Thread rule: handlers run on many threads at once; AgentServices is shared by all.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/audit.h"
#include "api/agents/presence.h"
#include "api/errors.h"
#include "base/json.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "crypto/x509.h"
#include "http/server.h"
#include "pipeline/ingest.h"
#include "sql/sql.h"
#include "store/agents.h"

namespace tenken::api::agents {

struct AgentServices {
  sql::Pool* pool = nullptr;
  pipeline::Ingest* ingest = nullptr;
  std::function<Seconds()> clock;
  std::string region;          // of hosts that are in no cloud
  crypto::Identity authority;  // signs the certificates of agents
  std::string server_ca;       // PEM of what the server's certificate is trusted by; empty: foreign
  std::vector<std::string> server_names;  // that the certificate holds
  crypto::Secret command_seed;            // Ed25519
  std::string releases;                   // a directory of signed programs; empty: none
};

// A request of an agent that was let in.
struct AgentCall {
  const http::Request& request;
  const store::Agent& agent;
  const AgentServices& services;
  Presence& presence;

  store::ResourceId resource() const { return store::resource_id(agent.account, agent.resource); }
};

using AgentAnswer = ApiResult<http::Response>;

// What an agent may send as a name: printable and no longer than that. Errors: validation.
ApiResult<std::string> name_of(std::string_view text, std::string_view what, std::size_t most);
// Lower-case hexadecimal digits; empty where `may_lack`. Errors: validation.
ApiResult<std::string> digits_of(std::string_view text, std::string_view what, std::size_t count,
                                 bool may_lack);

// Two hosts speak with one agent's key.
ApiError second_agent(const store::Agent& agent);
// Of two processes of one session, as of a machine that was copied with its memory, whether the one
// that asks is the second: the agent is known to be a clone, this one believes in another report
// than the last, and that one is confirmed by somebody.
Result<bool> is_second_process(sql::Connection& connection, const AgentCall& call,
                               const store::ReportState& stored);

inline constexpr Seconds certificate_life = Seconds{30} * 86'400;

AgentAnswer enrol(const http::Request& request, const AgentServices& services,
                  access::AuditLog& audit);
AgentAnswer report(const AgentCall& call, access::AuditLog& audit);
AgentAnswer poll(const AgentCall& call);
AgentAnswer renew(const AgentCall& call, access::AuditLog& audit);

// What the audit log says of it.
Result<> note_refused_renewal(const http::Request& request, const store::Agent& agent,
                              std::string_view why, const AgentServices& services,
                              access::AuditLog& audit);

}  // namespace tenken::api::agents
