// What agent and server say to each other, as values: requests out, answers in
// (docs/adr/0013-agent-reports.md).
//
// Errors: invalid (an answer that is not as agreed, a command with a wrong signature or for another
// agent), and what the server says of itself. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/release.h"
#include "agent/sender.h"
#include "agent/spool.h"
#include "base/result.h"
#include "base/time.h"
#include "model/host_facts.h"

namespace tenken::agent {

struct Enrolment {
  std::string token;
  std::string request;  // PEM of a certificate request
  std::string host_name;
  std::string machine_hash;   // empty: the host has no machine id
  std::string host_key_hash;  // empty: it has no SSH host key
  std::string state_identity;
  std::string_view version;
  CloudInstance cloud;
};
Outgoing enrol_request(const Enrolment& enrolment);

struct Enrolled {
  std::string agent_id;
  std::string resource_id;
  std::string certificate;
  std::string ca;           // of the server's own certificate; empty: not tenken's
  std::string command_key;  // base64
  bool clone = false;       // another living agent has the same machine id
};
Result<Enrolled> read_enrolled(const Incoming& answer);

// What every request with a certificate says.
struct Speaker {
  std::string session;  // 16 hexadecimal digits
  std::string_view version;
  std::string update_fault;  // "0.2.0 why it does not run here"; empty: none
};
Outgoing report_request(const Speaker& speaker, const SpooledReport& report);
// `held`: the server may wait with the answer until there is a command.
Outgoing poll_request(const Speaker& speaker, std::string_view digest, bool held);
Outgoing renew_request(const Speaker& speaker, std::string_view request);

// A report is refused for what stands in it: the same would be refused again.
bool is_refused_for_content(const Incoming& answer);

// Of a report. need_whole: the server cannot use it.
struct Receipt {
  std::uint64_t sequence = 0;  // the last that the server has
  std::string digest;
  bool need_whole = false;
};
Result<Receipt> read_receipt(const Incoming& answer);

struct Renewed {
  std::string certificate;
  std::string ca;
};
Result<Renewed> read_renewed(const Incoming& answer);

struct Command {
  enum class Kind : std::uint8_t { collect, renew, update };
  Kind kind = Kind::collect;
  std::string id;
  Seconds expires = 0;
  Release release;  // of update
};
// The commands that hold: signed by the key, for this agent, not over at `now`. `refused` gets why
// others do not.
Result<std::vector<Command>> read_commands(const Incoming& answer, std::string_view command_key,
                                           std::string_view agent_id, Seconds now,
                                           std::vector<std::string>& refused);

// What the server says in an answer that is no success: "403: this agent was revoked: …". Errors:
// denied (401, 403), conflict (409), limit (413), invalid (400: what was asked); all others say that
// no tenken server answers there for now, which is unavailable.
Error refusal_of(const Incoming& answer);

}  // namespace tenken::agent
