// Agents: hosts that report by themselves. The tables agent and agent_command, which are small, and
// agent_report, which grows with the fleet: the last report of each resource, packed.
//
// Errors: conflict (two hosts that become the agent of one resource at once), and those of the
// engine. Thread rule: functions over the caller's connection; those that write run inside the
// caller's transaction unless they say otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/ids.h"

namespace tenken::store {

enum class AgentStatus : std::uint8_t { active = 1, retired = 2, revoked = 3 };
std::string_view name(AgentStatus status);  // "active"

struct Agent {
  std::string id;  // 32 hexadecimal digits
  std::string account;
  std::string resource;  // its external id: there is one agent of a resource
  std::string name;      // that people gave it; empty: none
  std::string host_name;
  std::string version;
  std::string architecture;
  AgentStatus status = AgentStatus::active;
  // Fingerprints. That of a renewal counts beside the old one until it is used for the first time.
  std::string certificate;
  Seconds certificate_end = 0;
  std::string next_certificate;
  Seconds next_certificate_end = 0;
  std::string machine_id;  // hashes; empty: the host has none
  std::string host_key;
  std::string state_id;  // of the agent's directory; empty: it enrolled before there was one
  std::string wanted;    // a resource that it asked for and that is another's; empty: none
  // Of the agent's process that runs; and of those that it and others before it replaced, the
  // latest first, a space between two.
  std::string session;
  std::string sessions_before;
  Seconds session_at = 0;
  Seconds clone_seen = 0;  // when a second host with this identity or key was seen last; 0: never
  Seconds enrolled = 0;
  Seconds seen = 0;
  Seconds reported = 0;     // 0: never
  Seconds ended = 0;        // retired or revoked
  std::string tags = "{}";  // JSON: those of its token
};

// Writes a new agent, or all of one that is there.
Result<> insert_agent(sql::Connection& connection, const Agent& agent);
Result<> replace_agent(sql::Connection& connection, const Agent& agent);
// The agent has another resource from now on. One of that resource that has ended changes places
// with it, keeps nothing that its host is known by, and wants what it was.
Result<> move_agent(sql::Connection& connection, const Agent& agent, std::string_view resource);
// It asked for a resource that it did not get.
Result<> note_wanted(sql::Connection& connection, std::string_view agent,
                     std::string_view resource);

Result<std::optional<Agent>> find_agent(sql::Connection& connection, std::string_view account,
                                        std::string_view id);
Result<std::optional<Agent>> find_agent_of_resource(sql::Connection& connection,
                                                    std::string_view account,
                                                    std::string_view resource);
Result<std::optional<Agent>> find_agent_by_certificate(sql::Connection& connection,
                                                       std::string_view fingerprint);
Result<std::vector<Agent>> agents_of_machine(sql::Connection& connection, std::string_view account,
                                             std::string_view machine_id);
// By resource, those after `after`.
Result<std::vector<Agent>> list_agents(sql::Connection& connection, std::string_view account,
                                       std::string_view after, std::int64_t limit);

// The certificate of a renewal, and its first use, from which on the old one is void and the
// renewal done.
Result<> offer_certificate(sql::Connection& connection, std::string_view agent,
                           std::string_view fingerprint, Seconds end);
Result<> use_next_certificate(sql::Connection& connection, std::string_view agent,
                              std::string_view fingerprint);

// Whether a process of that session was replaced. Sessions are never used again: who comes with one
// of them is a second agent. The last 32 are known; one that is refused counts as the latest.
bool was_replaced(const Agent& agent, std::string_view session);
// A process of the agent has begun. False: its session is another than it was.
Result<bool> change_session(sql::Connection& connection, const Agent& agent,
                            std::string_view session, std::string_view version, Seconds now);
// A process that was replaced has come again; marks the clone.
Result<> refuse_session(sql::Connection& connection, const Agent& agent, std::string_view session,
                        Seconds now);
// The process that the agent's was replaced by is of another host: the one before goes on, and that
// one is refused; marks the clone.
Result<> return_session(sql::Connection& connection, const Agent& agent, Seconds now);
Result<> mark_clone(sql::Connection& connection, std::string_view agent, Seconds now);
Result<> rename_agent(sql::Connection& connection, std::string_view agent, std::string_view name);
// False: it was not active; one that was revoked may still be retired.
Result<bool> end_agent(sql::Connection& connection, std::string_view agent, AgentStatus status,
                       Seconds now);

// Heartbeats of many agents, in a transaction of their own.
struct AgentSeen {
  std::string agent;
  ResourceId resource;
  Seconds seen = 0;
  Seconds confirmed = 0;  // when it said last that the inventory is what it reported; 0: did not
};
Result<> note_agents_seen(sql::Connection& connection, std::span<const AgentSeen> seen);

struct EndedAgent {
  std::string agent;
  Seconds ended = 0;
};
// Those that were retired or revoked since then, the latest first.
Result<std::vector<EndedAgent>> ended_agents(sql::Connection& connection, Seconds since,
                                             std::int64_t limit);

// The last report.
struct ReportState {
  std::int64_t sequence = 0;
  std::string digest;
  Seconds received = 0;
};
Result<std::optional<ReportState>> report_state(sql::Connection& connection, ResourceId resource);
// Whether the resource's inventory is the last report, and that one the digest's. It is not where
// the resource has gone since, or somebody else has put another inventory, or running packages are
// there that nobody knew of for running_is_kept: then the whole is needed.
Result<bool> is_in_force(sql::Connection& connection, ResourceId resource, std::string_view digest,
                         Seconds now);
struct StoredReport {
  ReportState state;
  std::string packed;  // base/compress.h
};
Result<std::optional<StoredReport>> find_report(sql::Connection& connection, ResourceId resource);
struct ReportWrite {
  std::string agent;
  std::int64_t sequence = 0;
  std::string digest;
  std::string packed;
};
// False: the store has this sequence number or a later one.
Result<bool> put_report(sql::Connection& connection, ResourceId resource, const ReportWrite& report,
                        Seconds received);
// The resource has an agent, which counts from 1. What was reported before stays, without its
// digest: the whole is asked for, since who enrols again may have other tags.
Result<> expect_reports(sql::Connection& connection, ResourceId resource, std::string_view agent,
                        Seconds now);

// What an agent is told to do, until it has done it or the command ends. An answer may be lost on
// its way: it is told again after a while.
struct AgentCommand {
  std::string id;  // 32 hexadecimal digits
  std::string agent;
  std::string command;  // "collect", "renew", "update"
  Seconds issued = 0;
  Seconds expires = 0;
  Seconds sent = 0;  // last; 0: never
};
inline constexpr Seconds command_is_sent_again_after = 900;
// In the place of an earlier one that tells the same.
Result<> add_command(sql::Connection& connection, const AgentCommand& command);
// Those that are to be sent now.
Result<std::vector<AgentCommand>> waiting_commands(sql::Connection& connection,
                                                   std::string_view agent, Seconds now);
// False: another node sent it meanwhile.
Result<bool> mark_sent(sql::Connection& connection, const AgentCommand& command, Seconds now);
// The agent has done what was sent.
Result<> end_commands(sql::Connection& connection, std::string_view agent,
                      std::string_view command);
// Those of all agents that were never sent.
struct WaitingCommand {
  std::string id;
  std::string agent;
};
Result<std::vector<WaitingCommand>> waiting_commands(sql::Connection& connection, Seconds now,
                                                     std::int64_t limit);

// An agent speaks each minute.
inline constexpr Seconds agent_is_silent_after = 300;

struct AgentCounts {
  std::int64_t active = 0;
  std::int64_t retired = 0;
  std::int64_t revoked = 0;
  std::int64_t seen = 0;  // active, since a time
};
Result<AgentCounts> count_agents(sql::Connection& connection, Seconds seen_since);

// Forgets agents that ended before that time, and commands that nobody will ask for.
Result<std::int64_t> prune_agents(sql::Connection& connection, Seconds before);

}  // namespace tenken::store
