// Updates of agents: to which release each was asked to go, and what came of it. The table
// agent_update has one row an agent, that of the last time it was asked.
//
// Errors: those of the engine. Thread rule: functions over the caller's connection; those that
// write run inside the caller's transaction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"

namespace tenken::store {

enum class UpdateState : std::uint8_t {
  waiting = 1,  // for the agent's next poll
  sent = 2,
  failed = 3,  // the agent said so, and goes on as it was; or there is no such release
};

struct AgentUpdate {
  std::string agent;
  std::string release;  // "0.2.0"
  UpdateState state = UpdateState::waiting;
  std::string message;  // of one that failed
  Seconds asked = 0;
  Seconds changed = 0;  // the state
};

// Hosts are off over a weekend. An agent that was asked so long ago is told no more, and counts as
// never asked unless it said why it did not.
inline constexpr Seconds update_ends_after = Seconds{7} * 86'400;
bool is_over(const AgentUpdate& update, Seconds now);

// "waiting", "sent", "failed"; "updated" where that is the version which runs.
std::string_view shown_state(const AgentUpdate& update, std::string_view version);

Result<> ask_for_update(sql::Connection& connection, std::string_view agent,
                        std::string_view release, Seconds now);
Result<std::optional<AgentUpdate>> find_update(sql::Connection& connection, std::string_view agent);
// Writes only where it is that release and something changes.
Result<> change_update(sql::Connection& connection, std::string_view agent,
                       std::string_view release, UpdateState state, std::string_view message,
                       Seconds now);
// Of the account's agents, by agent, as many as list_agents gives for the same page.
Result<std::map<std::string, AgentUpdate, std::less<>>> list_updates(sql::Connection& connection,
                                                                     std::string_view account,
                                                                     std::string_view after,
                                                                     std::string_view last);

}  // namespace tenken::store
