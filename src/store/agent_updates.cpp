#include "store/agent_updates.h"

namespace tenken::store {
namespace {

AgentUpdate read_update(const sql::Row& row) {
  return {.agent = row.string(0),
          .release = row.string(1),
          .state = static_cast<UpdateState>(row.integer(2)),
          .message = row.string(3),
          .asked = row.integer(4),
          .changed = row.integer(5)};
}

}  // namespace

bool is_over(const AgentUpdate& update, Seconds now) {
  return update.state != UpdateState::failed && now - update.asked >= update_ends_after;
}

std::string_view shown_state(const AgentUpdate& update, std::string_view version) {
  if (update.release == version) return "updated";
  switch (update.state) {
    case UpdateState::waiting:
      return "waiting";
    case UpdateState::sent:
      return "sent";
    case UpdateState::failed:
      break;
  }
  return "failed";
}

Result<> ask_for_update(sql::Connection& connection, std::string_view agent,
                        std::string_view release, Seconds now) {
  TRY_VOID(connection.run(
      "INSERT INTO agent_update (agent_id, release, state, message, asked_at, changed_at) "
      "VALUES (?1, ?2, 1, '', ?3, ?3) ON CONFLICT (agent_id) DO UPDATE SET "
      "release = excluded.release, state = 1, message = '', asked_at = excluded.asked_at, "
      "changed_at = excluded.changed_at",
      agent, release, now));
  return {};
}

Result<std::optional<AgentUpdate>> find_update(sql::Connection& connection,
                                               std::string_view agent) {
  TRY(const auto rows,
      connection.query("SELECT agent_id, release, state, message, asked_at, changed_at "
                       "FROM agent_update WHERE agent_id = ?1",
                       agent));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<AgentUpdate>();
  return std::optional(read_update(*row));
}

Result<> change_update(sql::Connection& connection, std::string_view agent,
                       std::string_view release, UpdateState state, std::string_view message,
                       Seconds now) {
  TRY(const auto before, find_update(connection, agent));
  if (!before || before->release != release) return {};
  if (before->state == state && before->message == message) return {};
  TRY_VOID(
      connection.run("UPDATE agent_update SET state = ?3, message = ?4, changed_at = ?5 "
                     "WHERE agent_id = ?1 AND release = ?2",
                     agent, release, static_cast<std::int64_t>(state), message, now));
  return {};
}

Result<std::map<std::string, AgentUpdate, std::less<>>> list_updates(sql::Connection& connection,
                                                                     std::string_view account,
                                                                     std::string_view after,
                                                                     std::string_view last) {
  TRY(const auto rows,
      connection.query("SELECT u.agent_id, u.release, u.state, u.message, u.asked_at, u.changed_at "
                       "FROM agent_update u JOIN agent a ON a.agent_id = u.agent_id "
                       "WHERE a.account_id = ?1 AND a.external_id > ?2 AND a.external_id <= ?3",
                       account, after, last));
  std::map<std::string, AgentUpdate, std::less<>> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    auto update = read_update(*row);
    auto agent = update.agent;
    out.insert_or_assign(std::move(agent), std::move(update));
  }
}

}  // namespace tenken::store
