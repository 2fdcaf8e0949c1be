// tenken admin agent update: agents are asked to go over to a release, one, or a fleet in steps.
#include <algorithm>

#include <fmt/format.h>

#include "access/audit.h"
#include "api/agents/releases.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/office.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/random.h"
#include "store/agent_updates.h"
#include "store/agents.h"

namespace tenken::app {
namespace {

constexpr std::int64_t page = 1'000;

// What is known of a fleet and a release.
struct Fleet {
  std::int64_t agents = 0;
  std::int64_t updated = 0;
  std::int64_t asked = 0;  // and not updated yet
  std::int64_t failed = 0;
  std::vector<store::Agent> others;
};

Result<> ask(sql::Connection& connection, const store::Agent& agent, const std::string& release) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(store::ask_for_update(connection, agent.id, release, now()));
  TRY_VOID(store::add_command(connection, {.id = crypto::to_hex(crypto::random_bytes(16)),
                                           .agent = agent.id,
                                           .command = "update",
                                           .issued = now(),
                                           .expires = now() + store::update_ends_after}));
  TRY_VOID(access::note_command(connection, agent.account, "UpdateAgent", agent.resource, now()));
  TRY_VOID(transaction.commit());
  print(fmt::format("{}\t{}\n", agent.id, agent.resource));
  return {};
}

void count(Fleet& fleet, const store::Agent& agent, const store::AgentUpdate* update,
           const std::string& release) {
  ++fleet.agents;
  if (agent.version == release)
    ++fleet.updated;
  else if (update == nullptr || update->release != release || store::is_over(*update, now()))
    fleet.others.push_back(agent);
  else
    ++(update->state == store::UpdateState::failed ? fleet.failed : fleet.asked);
}

Result<Fleet> fleet_of(sql::Connection& connection, const AdminArguments& arguments) {
  Fleet out;
  std::string after;
  while (true) {
    TRY(const auto agents, store::list_agents(connection, arguments.account, after, page));
    if (agents.empty()) break;
    TRY(const auto updates,
        store::list_updates(connection, arguments.account, after, agents.back().resource));
    for (const auto& agent : agents) {
      if (agent.status != store::AgentStatus::active) continue;
      const auto update = updates.find(agent.id);
      count(out, agent, update == updates.end() ? nullptr : &update->second, arguments.release);
    }
    after = agents.back().resource;
  }
  // Ids are random: the first of them are any part of the fleet, not one data centre.
  std::ranges::sort(out.others, {}, &store::Agent::id);
  return out;
}

// Those that failed count as asked: a release that fails is not sent to more and more hosts.
std::int64_t how_many(const Fleet& fleet, const AdminArguments& arguments) {
  if (arguments.count > 0) return arguments.count;
  const auto wanted = (fleet.agents * arguments.percent + 99) / 100;
  return wanted - fleet.updated - fleet.asked - fleet.failed;
}

Result<> ask_fleet(sql::Connection& connection, const AdminArguments& arguments) {
  TRY(const auto fleet, fleet_of(connection, arguments));
  const auto more =
      std::clamp<std::int64_t>(how_many(fleet, arguments), 0, std::ssize(fleet.others));
  for (std::int64_t i = 0; i < more; ++i)
    TRY_VOID(ask(connection, fleet.others[static_cast<std::size_t>(i)], arguments.release));
  complain(
      said("{} of {} agents were asked now; {} run {} already, {} were asked before, {} failed",
           more, fleet.agents, fleet.updated, arguments.release, fleet.asked, fleet.failed));
  return {};
}

}  // namespace

int admin_agent_update_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    if (!api::agents::is_release(arguments.release))
      return invalid(fmt::format("--release {}: three numbers such as 0.2.0 are needed",
                                 printable(arguments.release)));
    if (arguments.all == !arguments.id.empty())
      return invalid("AGENT or --all is needed, to say which agents go over");
    if (arguments.all) return ask_fleet(*office.connection, arguments);
    TRY(const auto agent, agent_named(office, arguments));
    if (agent.status != store::AgentStatus::active)
      return invalid(fmt::format("the agent {} has ended", agent.id));
    return ask(*office.connection, agent, arguments.release);
  });
}

}  // namespace tenken::app
