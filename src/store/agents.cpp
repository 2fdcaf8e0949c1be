#include "store/agents.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "store/resources.h"

namespace tenken::store {
namespace {

constexpr std::string_view columns =
    "agent_id, account_id, external_id, name, host_name, version, architecture, status, "
    "certificate, certificate_end, next_certificate, next_certificate_end, machine_id, host_key, "
    "session, session_before, session_at, clone_seen_at, enrolled_at, seen_at, reported_at, "
    "ended_at, tags, state_id, wanted";

Agent read_agent(const sql::Row& row) {
  return {.id = row.string(0),
          .account = row.string(1),
          .resource = row.string(2),
          .name = row.string(3),
          .host_name = row.string(4),
          .version = row.string(5),
          .architecture = row.string(6),
          .status = static_cast<AgentStatus>(row.integer(7)),
          .certificate = row.string(8),
          .certificate_end = row.integer(9),
          .next_certificate = row.string(10),
          .next_certificate_end = row.integer(11),
          .machine_id = row.string(12),
          .host_key = row.string(13),
          .state_id = row.string(23),
          .wanted = row.string(24),
          .session = row.string(14),
          .sessions_before = row.string(15),
          .session_at = row.integer(16),
          .clone_seen = row.integer(17),
          .enrolled = row.integer(18),
          .seen = row.integer(19),
          .reported = row.integer(20),
          .ended = row.integer(21),
          .tags = row.string(22)};
}

// In the order of columns.
std::array<sql::Value, 25> values_of(const Agent& agent) {
  return {std::string_view(agent.id),
          std::string_view(agent.account),
          std::string_view(agent.resource),
          std::string_view(agent.name),
          std::string_view(agent.host_name),
          std::string_view(agent.version),
          std::string_view(agent.architecture),
          static_cast<std::int64_t>(agent.status),
          std::string_view(agent.certificate),
          agent.certificate_end,
          std::string_view(agent.next_certificate),
          agent.next_certificate_end,
          std::string_view(agent.machine_id),
          std::string_view(agent.host_key),
          std::string_view(agent.session),
          std::string_view(agent.sessions_before),
          agent.session_at,
          agent.clone_seen,
          agent.enrolled,
          agent.seen,
          agent.reported,
          agent.ended,
          std::string_view(agent.tags),
          std::string_view(agent.state_id),
          std::string_view(agent.wanted)};
}

template <typename... Values>
Result<std::vector<Agent>> read_agents(sql::Connection& connection, std::string_view condition,
                                       const Values&... values) {
  TRY(const auto rows,
      connection.query(fmt::format("SELECT {} FROM agent WHERE {}", columns, condition),
                       values...));
  std::vector<Agent> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back(read_agent(*row));
  }
}

template <typename... Values>
Result<std::optional<Agent>> read_one(sql::Connection& connection, std::string_view condition,
                                      const Values&... values) {
  TRY(auto found, read_agents(connection, condition, values...));
  if (found.empty()) return std::optional<Agent>();
  return std::optional(std::move(found.front()));
}

}  // namespace

std::string_view name(AgentStatus status) {
  switch (status) {
    case AgentStatus::active:
      return "active";
    case AgentStatus::retired:
      return "retired";
    case AgentStatus::revoked:
      break;
  }
  return "revoked";
}

Result<> insert_agent(sql::Connection& connection, const Agent& agent) {
  const auto values = values_of(agent);
  TRY(const auto added,
      connection.run(fmt::format("INSERT INTO agent ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                                 "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, "
                                 "?22, ?23, ?24, ?25)",
                                 columns),
                     std::span<const sql::Value>(values)));
  CHECK(added == 1);
  return {};
}

Result<> replace_agent(sql::Connection& connection, const Agent& agent) {
  TRY(const auto removed, connection.run("DELETE FROM agent WHERE agent_id = ?1", agent.id));
  CHECK(removed <= 1);
  return insert_agent(connection, agent);
}

Result<> move_agent(sql::Connection& connection, const Agent& agent, std::string_view resource) {
  // A resource has one agent at any time: the one that has ended waits without any.
  TRY(const auto aside,
      connection.run("UPDATE agent SET external_id = '', wanted = external_id, machine_id = '', "
                     "host_key = '', state_id = '' WHERE account_id = ?1 AND external_id = ?2 "
                     "AND status <> 1",
                     agent.account, resource));
  TRY(const auto moved, connection.run("UPDATE agent SET external_id = ?2, wanted = '', "
                                       "clone_seen_at = 0 "
                                       "WHERE agent_id = ?1",
                                       agent.id, resource));
  CHECK(aside <= 1 && moved <= 1);
  if (aside == 0) return {};
  TRY_VOID(
      connection.run("UPDATE agent SET external_id = ?2 WHERE account_id = ?1 "
                     "AND external_id = ''",
                     agent.account, agent.resource));
  return {};
}

Result<> note_wanted(sql::Connection& connection, std::string_view agent,
                     std::string_view resource) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET wanted = ?2 WHERE agent_id = ?1", agent, resource));
  CHECK(changed <= 1);
  return {};
}

Result<std::optional<Agent>> find_agent(sql::Connection& connection, std::string_view account,
                                        std::string_view id) {
  return read_one(connection, "agent_id = ?1 AND account_id = ?2", id, account);
}

Result<std::optional<Agent>> find_agent_of_resource(sql::Connection& connection,
                                                    std::string_view account,
                                                    std::string_view resource) {
  return read_one(connection, "account_id = ?1 AND external_id = ?2", account, resource);
}

Result<std::optional<Agent>> find_agent_by_certificate(sql::Connection& connection,
                                                       std::string_view fingerprint) {
  return read_one(connection, "certificate = ?1 OR next_certificate = ?1", fingerprint);
}

Result<std::vector<Agent>> agents_of_machine(sql::Connection& connection, std::string_view account,
                                             std::string_view machine_id) {
  // Sorted here: for the order SQLite would walk all agents of the account.
  TRY(auto out, read_agents(connection, "account_id = ?1 AND machine_id = ?2 LIMIT 1000", account,
                            machine_id));
  std::ranges::sort(out, {}, &Agent::resource);
  return out;
}

Result<std::vector<Agent>> list_agents(sql::Connection& connection, std::string_view account,
                                       std::string_view after, std::int64_t limit) {
  return read_agents(connection,
                     "account_id = ?1 AND external_id > ?2 ORDER BY external_id LIMIT ?3", account,
                     after, limit);
}

Result<> offer_certificate(sql::Connection& connection, std::string_view agent,
                           std::string_view fingerprint, Seconds end) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET next_certificate = ?2, next_certificate_end = ?3 "
                     "WHERE agent_id = ?1",
                     agent, fingerprint, end));
  CHECK(changed <= 1);
  return {};
}

Result<> use_next_certificate(sql::Connection& connection, std::string_view agent,
                              std::string_view fingerprint) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET certificate = next_certificate, "
                     "certificate_end = next_certificate_end, next_certificate = '', "
                     "next_certificate_end = 0 WHERE agent_id = ?1 AND next_certificate = ?2",
                     agent, fingerprint));
  CHECK(changed <= 1);
  return changed == 1 ? end_commands(connection, agent, "renew") : Result<>();
}

namespace {

// Those that cron starts in two hours: who is refused comes again within one.
constexpr std::size_t most_sessions = 32;

// Those with that one in front.
std::string with_first(std::string_view sessions, std::string_view session) {
  std::string out(session);
  std::size_t count = 1;
  for (const auto one : split(sessions, ' ')) {
    if (one.empty() || one == session) continue;
    if (count++ == most_sessions) break;
    if (!out.empty()) out += ' ';
    out += one;
  }
  return out;
}

}  // namespace

bool was_replaced(const Agent& agent, std::string_view session) {
  const auto known = split(agent.sessions_before, ' ');
  return std::ranges::find(known, session) != known.end();
}

Result<bool> change_session(sql::Connection& connection, const Agent& agent,
                            std::string_view session, std::string_view version, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET session_before = ?6, session = ?3, session_at = ?5, "
                     "version = ?4 WHERE agent_id = ?1 AND session = ?2",
                     agent.id, agent.session, session, version, now,
                     with_first(agent.sessions_before, agent.session)));
  return changed == 1;
}

Result<> refuse_session(sql::Connection& connection, const Agent& agent, std::string_view session,
                        Seconds now) {
  // Where a process began meanwhile, what it replaced is not written over.
  TRY(const auto changed,
      connection.run("UPDATE agent SET clone_seen_at = ?2, session_before = CASE "
                     "WHEN session_before = ?3 THEN ?4 ELSE session_before END "
                     "WHERE agent_id = ?1",
                     agent.id, now, agent.sessions_before,
                     with_first(agent.sessions_before, session)));
  CHECK(changed <= 1);
  return {};
}

Result<> return_session(sql::Connection& connection, const Agent& agent, Seconds now) {
  // Of several copies none may be the next: what was refused comes last.
  const auto [before, others] = split_once(agent.sessions_before, ' ');
  const auto rest = others ? fmt::format("{} {}", *others, agent.session) : agent.session;
  TRY(const auto changed,
      connection.run("UPDATE agent SET session = ?3, session_before = ?4, session_at = ?5, "
                     "clone_seen_at = ?5 WHERE agent_id = ?1 AND session = ?2",
                     agent.id, agent.session, before, rest, now));
  CHECK(changed <= 1);
  return {};
}

Result<> mark_clone(sql::Connection& connection, std::string_view agent, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET clone_seen_at = ?2 WHERE agent_id = ?1", agent, now));
  CHECK(changed <= 1);
  return {};
}

Result<> rename_agent(sql::Connection& connection, std::string_view agent, std::string_view name) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET name = ?2 WHERE agent_id = ?1", agent, name));
  CHECK(changed <= 1);
  return {};
}

Result<bool> end_agent(sql::Connection& connection, std::string_view agent, AgentStatus status,
                       Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE agent SET status = ?2, ended_at = ?3, wanted = '' WHERE agent_id = ?1 "
                     "AND (status = 1 OR (status = 3 AND ?2 = 2))",
                     agent, static_cast<std::int64_t>(status), now));
  return changed == 1;
}

Result<> note_agents_seen(sql::Connection& connection, std::span<const AgentSeen> seen) {
  // Agents by their resources, then the resources: the order in which reports lock them.
  std::vector<const AgentSeen*> sorted;
  sorted.reserve(seen.size());
  for (const auto& one : seen) sorted.push_back(&one);
  std::ranges::sort(sorted, {}, &AgentSeen::resource);
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  for (const auto* one : sorted)
    TRY_VOID(connection.run("UPDATE agent SET seen_at = ?2 WHERE agent_id = ?1 AND seen_at < ?2",
                            one->agent, one->seen));
  // Not of a resource that has gone since.
  for (const auto* one : sorted) {
    if (one->confirmed == 0) continue;
    TRY_VOID(
        connection.run("UPDATE resource SET seen_at = ?2 WHERE resource_id = ?1 "
                       "AND seen_at < ?2 AND coverage_reason <> 'RESOURCE_TERMINATED'",
                       one->resource.value, one->confirmed));
  }
  return transaction.commit();
}

Result<std::vector<EndedAgent>> ended_agents(sql::Connection& connection, Seconds since,
                                             std::int64_t limit) {
  TRY(const auto rows, connection.query("SELECT agent_id, ended_at FROM agent WHERE status <> 1 "
                                        "AND ended_at >= ?1 ORDER BY ended_at DESC LIMIT ?2",
                                        since, limit));
  std::vector<EndedAgent> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({row->string(0), row->integer(1)});
  }
}

Result<std::optional<ReportState>> report_state(sql::Connection& connection, ResourceId resource) {
  TRY(const auto rows, connection.query("SELECT sequence, digest, received_at FROM agent_report "
                                        "WHERE resource_id = ?1",
                                        resource.value));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<ReportState>();
  return std::optional(ReportState{row->integer(0), row->string(1), row->integer(2)});
}

Result<bool> is_in_force(sql::Connection& connection, ResourceId resource, std::string_view digest,
                         Seconds now) {
  if (digest.empty()) return false;  // as of a resource that has gone
  TRY(const auto found, connection.one_integer("SELECT 1 FROM agent_report p "
                                               "JOIN resource r ON r.resource_id = p.resource_id "
                                               "WHERE p.resource_id = ?1 AND p.digest = ?2 "
                                               "AND r.inventory_digest = ?2 "
                                               "AND (r.running_known_at IN (0, r.changed_at) "
                                               "OR r.running_known_at > ?3)",
                                               resource.value, digest, now - running_is_kept));
  return found.has_value();
}

Result<std::optional<StoredReport>> find_report(sql::Connection& connection, ResourceId resource) {
  TRY(const auto rows,
      connection.query("SELECT sequence, digest, received_at, report FROM agent_report "
                       "WHERE resource_id = ?1",
                       resource.value));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<StoredReport>();
  return std::optional(
      StoredReport{{row->integer(0), row->string(1), row->integer(2)}, row->string(3)});
}

Result<bool> put_report(sql::Connection& connection, ResourceId resource, const ReportWrite& report,
                        Seconds received) {
  TRY(const auto written,
      connection.run("INSERT INTO agent_report (resource_id, agent_id, sequence, digest, report, "
                     "received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
                     "ON CONFLICT (resource_id) DO UPDATE SET agent_id = excluded.agent_id, "
                     "sequence = excluded.sequence, digest = excluded.digest, "
                     "report = excluded.report, received_at = excluded.received_at "
                     "WHERE agent_report.sequence < excluded.sequence",
                     resource.value, report.agent, report.sequence, report.digest,
                     sql::Blob{report.packed}, received));
  if (written == 0) return false;
  TRY_VOID(connection.run("UPDATE agent SET reported_at = ?2 WHERE agent_id = ?1", report.agent,
                          received));
  return true;
}

Result<> expect_reports(sql::Connection& connection, ResourceId resource, std::string_view agent,
                        Seconds now) {
  TRY_VOID(
      connection.run("INSERT INTO agent_report (resource_id, agent_id, sequence, digest, "
                     "report, received_at) VALUES (?1, ?2, 0, '', ?3, ?4) "
                     "ON CONFLICT (resource_id) DO UPDATE SET agent_id = excluded.agent_id, "
                     "sequence = 0, digest = ''",
                     resource.value, agent, sql::Blob{}, now));
  return {};
}

Result<> add_command(sql::Connection& connection, const AgentCommand& command) {
  TRY_VOID(connection.run("DELETE FROM agent_command WHERE agent_id = ?1 AND command = ?2",
                          command.agent, command.command));
  TRY_VOID(
      connection.run("INSERT INTO agent_command (command_id, agent_id, command, issued_at, "
                     "expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                     command.id, command.agent, command.command, command.issued, command.expires));
  return {};
}

Result<std::vector<AgentCommand>> waiting_commands(sql::Connection& connection,
                                                   std::string_view agent, Seconds now) {
  TRY(const auto rows,
      connection.query("SELECT command_id, agent_id, command, issued_at, expires_at, sent_at "
                       "FROM agent_command WHERE agent_id = ?1 "
                       "AND (sent_at = 0 OR sent_at <= ?3) "
                       "AND expires_at > ?2 ORDER BY issued_at, command_id LIMIT 16",
                       agent, now, now - command_is_sent_again_after));
  std::vector<AgentCommand> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.id = row->string(0),
                   .agent = row->string(1),
                   .command = row->string(2),
                   .issued = row->integer(3),
                   .expires = row->integer(4),
                   .sent = row->integer(5)});
  }
}

Result<bool> mark_sent(sql::Connection& connection, const AgentCommand& command, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE agent_command SET sent_at = ?2 WHERE command_id = ?1 AND sent_at = ?3",
                     command.id, now, command.sent));
  return changed == 1;
}

Result<> end_commands(sql::Connection& connection, std::string_view agent,
                      std::string_view command) {
  TRY_VOID(
      connection.run("DELETE FROM agent_command WHERE agent_id = ?1 AND command = ?2 "
                     "AND sent_at > 0",
                     agent, command));
  return {};
}

Result<std::vector<WaitingCommand>> waiting_commands(sql::Connection& connection, Seconds now,
                                                     std::int64_t limit) {
  TRY(const auto rows,
      connection.query("SELECT command_id, agent_id FROM agent_command WHERE sent_at = 0 "
                       "AND expires_at > ?1 ORDER BY issued_at DESC, command_id LIMIT ?2",
                       now, limit));
  std::vector<WaitingCommand> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({row->string(0), row->string(1)});
  }
}

Result<AgentCounts> count_agents(sql::Connection& connection, Seconds seen_since) {
  TRY(const auto rows,
      connection.query("SELECT status, COUNT(*), SUM(CASE WHEN seen_at >= ?1 THEN 1 ELSE 0 END) "
                       "FROM agent GROUP BY status",
                       seen_since));
  AgentCounts out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    const auto count = row->integer(1);
    switch (static_cast<AgentStatus>(row->integer(0))) {
      case AgentStatus::active:
        out.active = count;
        out.seen = row->integer(2);
        break;
      case AgentStatus::retired:
        out.retired = count;
        break;
      case AgentStatus::revoked:
        out.revoked = count;
        break;
    }
  }
}

namespace {

// A revoked one as long as its resource has what it reported: its host may have it again.
Result<std::int64_t> prune_revoked(sql::Connection& connection, Seconds before) {
  TRY(auto rows, connection.query("SELECT agent_id, account_id, external_id FROM agent "
                                  "WHERE status = ?1 AND ended_at < ?2",
                                  static_cast<std::int64_t>(AgentStatus::revoked), before));
  std::vector<std::pair<std::string, ResourceId>> ended;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) break;
    ended.emplace_back(row->string(0), resource_id(row->text(1), row->text(2)));
  }
  std::int64_t out = 0;
  for (const auto& [agent, resource] : ended) {
    TRY(const auto is_there, connection.one_integer("SELECT 1 FROM resource WHERE resource_id = ?1 "
                                                    "AND inventory_digest <> ''",
                                                    resource.value));
    if (is_there) continue;
    TRY(const auto forgotten, connection.run("DELETE FROM agent WHERE agent_id = ?1", agent));
    out += forgotten;
  }
  return out;
}

}  // namespace

Result<std::int64_t> prune_agents(sql::Connection& connection, Seconds before) {
  TRY_VOID(connection.run("DELETE FROM agent_command WHERE expires_at < ?1", before));
  TRY(auto forgotten, connection.run("DELETE FROM agent WHERE status = ?1 AND ended_at < ?2",
                                     static_cast<std::int64_t>(AgentStatus::retired), before));
  TRY(const auto revoked, prune_revoked(connection, before));
  forgotten += revoked;
  TRY_VOID(
      connection.run("DELETE FROM agent_update WHERE NOT EXISTS (SELECT 1 FROM agent "
                     "WHERE agent.agent_id = agent_update.agent_id)"));
  return forgotten;
}

}  // namespace tenken::store
