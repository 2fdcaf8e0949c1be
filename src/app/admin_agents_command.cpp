// tenken admin token, tenken admin agent: who may become an agent, and what agents are told.
#include <fmt/format.h>

#include "access/audit.h"
#include "access/tokens.h"
#include "api/agents/install_script.h"
#include "api/agents/move.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/exit_code.h"
#include "app/office.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "pipeline/retire.h"
#include "serve/tls_files.h"
#include "store/agent_health.h"
#include "store/agent_updates.h"
#include "store/agents.h"
#include "store/owners.h"
#include "store/resources.h"

namespace tenken::app {
namespace {

constexpr Seconds command_life = 86'400;
constexpr std::int64_t page = 1'000;
constexpr std::size_t longest_agent_name = 128;
constexpr std::size_t largest_authority = 64 * 1024;

std::string shown_tags(const access::Tags& tags) {
  std::string out;
  for (const auto& [name, value] : tags)
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", printable(name), printable(value));
  return out.empty() ? "-" : out;
}

std::string_view or_dash(const std::string& text) {
  return text.empty() ? std::string_view("-") : std::string_view(text);
}

std::string shown_update(const store::AgentUpdate& update, const store::Agent& agent) {
  const auto state = store::shown_state(update, agent.version);
  if (state != "failed") return fmt::format("{} {}", update.release, state);
  return fmt::format("{} {}: {}", update.release, state, printable(update.message));
}

// The change and what the audit log says of it, in one transaction. False: nothing had to change.
using Change = std::function<Result<bool>(sql::Connection&, const store::Agent&)>;

int change_agent(const AdminArguments& arguments, std::string_view action, const Change& change,
                 const std::function<Result<>(Office&, const store::Agent&)>& then = {}) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    auto& connection = *office.connection;
    TRY(const auto agent, agent_named(office, arguments));
    {
      TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
      TRY(const auto changed, change(connection, agent));
      if (changed)
        TRY_VOID(access::note_command(connection, agent.account, action, agent.resource, now()));
      TRY_VOID(transaction.commit());
    }
    return then ? then(office, agent) : Result<>();
  });
}

Change ended_as(store::AgentStatus status) {
  return [status](sql::Connection& connection, const store::Agent& agent) {
    return store::end_agent(connection, agent.id, status, now());
  };
}

Change told_to(std::string_view command) {
  return [command](sql::Connection& connection, const store::Agent& agent) -> Result<bool> {
    if (agent.status != store::AgentStatus::active)
      return invalid(fmt::format("the agent {} was {}: it asks for no commands", agent.id,
                                 store::name(agent.status)));
    TRY_VOID(store::add_command(connection, {.id = crypto::to_hex(crypto::random_bytes(16)),
                                             .agent = agent.id,
                                             .command = std::string(command),
                                             .issued = now(),
                                             .expires = now() + command_life}));
    return true;
  };
}

std::string sum_of(std::string_view bytes) {
  return crypto::to_hex(crypto::view(crypto::sha256(bytes)));
}

// How the token is used: a line for the host's shell, which trusts nothing but this program's
// script and this server's authority: alone on its line, to be copied. The token itself is on
// standard output, where a script takes it.
void tell_how(const AdminArguments& arguments, const access::NewToken& made,
              std::string_view server) {
  if (server.empty()) {
    complain(said("token {}; --server https://HOST:PORT adds the line for the host", made.id));
    return;
  }
  const auto authority_file = serve::authority_file(directory_of(arguments));
  const auto authority = read_file(authority_file, largest_authority);
  if (!authority) {
    complain(
        said("token {}; the line for the host needs the server's authority, which its first "
             "start makes: {}",
             made.id, authority.error().what));
    return;
  }
  // A server that was given a certificate makes none, and its script names no authority.
  const bool own_certificate = serve::shows_own_certificate(directory_of(arguments));
  const auto script =
      api::agents::install_script(server, own_certificate ? *authority : std::string());
  const auto line = fmt::format(
      "curl -fsSkLO {}/agent/install && echo '{}  install' | sha256sum -c && sudo sh install{}{}",
      server, sum_of(script), own_certificate ? "" : " --ca FILE",
      arguments.release_key.empty() ? "" : " --release-key " + arguments.release_key);
  complain(said("token {}; on the host, which asks for the token:", made.id) + "\n" + line);
}

// Of --server, as the install script has it; empty: none was given.
Result<std::string> server_of(const AdminArguments& arguments) {
  constexpr std::string_view scheme = "https://";
  std::string_view text = arguments.server;
  if (text.empty()) return std::string();
  if (!text.starts_with(scheme))
    return invalid(fmt::format("{}: https://HOST:PORT is needed", printable(text)));
  text.remove_prefix(scheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  return api::agents::server_url(text);
}

}  // namespace

int admin_token_create_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    const auto life = parse_duration(arguments.expires);
    if (!life)
      return invalid(fmt::format("--expires {}: a time such as 30m, 1h or 7d is needed",
                                 printable(arguments.expires)));
    TRY(auto tags, read_tags(arguments.tags));
    TRY(const auto server, server_of(arguments));
    TRY(const auto made, access::create_token(*office.connection,
                                              {.account = arguments.account,
                                               .made_by = access::command_line,
                                               .expires_at = now() + *life,
                                               .uses = arguments.uses,
                                               .tags = std::move(tags)},
                                              now()));
    print(fmt::format("{}\n", made.token.reveal()));
    tell_how(arguments, made, server);
    return {};
  });
}

int admin_token_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account(office, arguments));
    TRY(const auto tokens, access::list_tokens(*office.connection, arguments.account));
    for (const auto& one : tokens)
      print(fmt::format("{}\t{}\t{}/{}\t{}\t{}\t{}\n", one.id, printable(one.made_by), one.used,
                        one.uses, shown_time(one.expires_at), shown_tags(one.tags),
                        one.live(now()) ? "live" : "ended"));
    return {};
  });
}

int admin_token_revoke_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    return access::revoke_token(*office.connection, arguments.account, arguments.id, now());
  });
}

int admin_agent_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account(office, arguments));
    auto& connection = *office.connection;
    std::string after;
    while (true) {
      TRY(const auto agents, store::list_agents(connection, arguments.account, after, page));
      if (agents.empty()) return {};
      TRY(const auto updates,
          store::list_updates(connection, arguments.account, after, agents.back().resource));
      for (const auto& one : agents) {
        const auto update = updates.find(one.id);
        print(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", one.id, one.resource,
                          or_dash(one.name.empty() ? one.host_name : one.name),
                          store::name(one.status), or_dash(one.version), shown_time(one.seen),
                          shown_time(one.reported), store::health_of(one, now()),
                          or_dash(one.wanted),
                          update == updates.end() ? "-" : shown_update(update->second, one)));
      }
      if (std::ssize(agents) < page) return {};
      after = agents.back().resource;
    }
  });
}

int admin_agent_rename_command(const AdminArguments& arguments) {
  return change_agent(
      arguments, "RenameAgent",
      [&](sql::Connection& connection, const store::Agent& agent) -> Result<bool> {
        if (arguments.name.size() > longest_agent_name ||
            printable(arguments.name) != arguments.name)
          return invalid(fmt::format("a name has at most {} printable bytes", longest_agent_name));
        TRY_VOID(store::rename_agent(connection, agent.id, arguments.name));
        return true;
      });
}

int admin_agent_retire_command(const AdminArguments& arguments) {
  return change_agent(
      arguments, "RetireAgent", ended_as(store::AgentStatus::retired),
      [](Office& office, const store::Agent& agent) -> Result<> {
        TRY(const auto changes,
            pipeline::retire(*office.connection, store::resource_id(agent.account, agent.resource),
                             fmt::format("retired by {}", access::command_line), now()));
        complain(said("{}: {} findings closed", agent.resource, changes.closed));
        return {};
      });
}

int admin_agent_revoke_command(const AdminArguments& arguments) {
  return change_agent(arguments, "RevokeAgent", ended_as(store::AgentStatus::revoked));
}

// The word of who runs the server, where no machine can tell whether two are one host.
int admin_agent_move_command(const AdminArguments& arguments) {
  return change_agent(
      arguments, "MoveAgent",
      [&](sql::Connection& connection, const store::Agent& agent) -> Result<bool> {
        if (agent.status != store::AgentStatus::active)
          return invalid(fmt::format("the agent {} was {}: enrol its host again first", agent.id,
                                     store::name(agent.status)));
        if (agent.resource == arguments.resource) return false;
        TRY_VOID(store::lock_owners(connection));
        TRY(const auto known, store::find_resource(connection, agent.account, arguments.resource));
        if (!known)
          return not_found(
              fmt::format("the account has no resource {}", printable(arguments.resource)));
        TRY(const auto owner, store::owner_of(connection, agent.account, arguments.resource));
        if (!owner.target.empty())
          return invalid(
              fmt::format("{} is collected over SSH from {}: remove that first (tenken "
                          "admin collect remove)",
                          printable(arguments.resource), printable(owner.target)));
        TRY_VOID(api::agents::take_resource(connection, agent, arguments.resource, now()));
        return told_to("collect")(connection, agent);  // else it says nothing for a minute
      });
}

int admin_agent_collect_command(const AdminArguments& arguments) {
  return change_agent(arguments, "CollectAgent", told_to("collect"));
}

int admin_agent_renew_command(const AdminArguments& arguments) {
  return change_agent(arguments, "AskAgentToRenew", told_to("renew"));
}

}  // namespace tenken::app
