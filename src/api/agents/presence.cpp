#include "api/agents/presence.h"

#include <algorithm>
#include <span>
#include <vector>

namespace tenken::api::agents {
namespace {

constexpr Seconds ask_again_after = 60;
constexpr Seconds refusals_are_known = 7'200;
constexpr std::size_t most_refused = 10'000;
// In one transaction: reports of changes are written between two of them.
constexpr std::size_t written_at_once = 500;

void take_newer(store::AgentSeen& into, const store::AgentSeen& other) {
  into.seen = std::max(into.seen, other.seen);
  into.confirmed = std::max(into.confirmed, other.confirmed);
}

}  // namespace

void Presence::seen(const store::AgentSeen& seen) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = seen_.try_emplace(seen.agent, seen);
  if (!fresh) take_newer(at->second, seen);
}

Result<> Presence::write(sql::Pool& pool) {
  std::map<std::string, store::AgentSeen, std::less<>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(seen_);
  }
  if (all.empty()) return {};
  std::vector<store::AgentSeen> list;
  list.reserve(all.size());
  for (const auto& [agent, one] : all) list.push_back(one);
  const auto written = [&]() -> Result<> {
    for (std::span<const store::AgentSeen> rest(list); !rest.empty();) {
      const auto some = std::min(written_at_once, rest.size());
      TRY(const auto connection, pool.lease());
      TRY_VOID(store::note_agents_seen(*connection, rest.first(some)));
      rest = rest.subspan(some);
    }
    return {};
  }();
  if (written) return {};
  for (const auto& one : list) seen(one);  // for the next time
  return written;
}

bool Presence::may_ask_for_whole(const store::Agent& agent, Seconds now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(asked_, [&](const auto& one) { return now - one.second >= ask_again_after; });
  const auto [asked, fresh] = asked_.try_emplace(agent.id, now);
  const bool may = fresh || asked->second < agent.enrolled;
  if (may) asked->second = now;
  return may;
}

bool Presence::comes_again(const std::string& who, Seconds now) {
  const std::lock_guard lock(mutex_);
  if (refused_.size() >= most_refused && !refused_.contains(who)) refused_.clear();
  auto& refused = refused_.try_emplace(who, Refused{now, now}).first->second;
  if (now - refused.last >= refusals_are_known) refused.first = now;
  refused.last = now;
  return now - refused.first > session_grace;
}

}  // namespace tenken::api::agents
