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
  // Of the agent's process that runs, and of the one that it replaced.
  std::string session;
  std::string session_before;
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
// The agent has another resource now; one of that resource that has ended makes room.
Result<> move_agent(sql::Connection& connection, const Agent& agent);
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

// The certificate of a renewal, and its first use, from which on the old one is void.
Result<> offer_certificate(sql::Connection& connection, std::string_view agent,
                           std::string_view fingerprint, Seconds end);
Result<> use_next_certificate(sql::Connection& connection, std::string_view agent,
                              std::string_view fingerprint);

// A process of the agent has begun. False: the session is not `before` any more.
Result<bool> change_session(sql::Connection& connection, std::string_view agent,
                            std::string_view before, std::string_view session,
                            std::string_view version, Seconds now);
Result<> mark_clone(sql::Connection& connection, std::string_view agent, Seconds now);
Result<> rename_agent(sql::Connection& connection, std::string_view agent, std::string_view name);
// False: it was not active.
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

// What an agent is told to do: each is sent once, and until its end only.
struct AgentCommand {
  std::string id;  // 32 hexadecimal digits
  std::string agent;
  std::string command;  // "collect", "renew", "update"
  Seconds issued = 0;
  Seconds expires = 0;
};
Result<> add_command(sql::Connection& connection, const AgentCommand& command);
Result<std::vector<AgentCommand>> waiting_commands(sql::Connection& connection,
                                                   std::string_view agent, Seconds now);
// False: it was sent, by another node.
Result<bool> mark_sent(sql::Connection& connection, std::string_view command, Seconds now);
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
