// Presence: which agents were heard of, in memory until it is written down for many at once, and
// who was refused as a second one. What a node that is killed had not written is heard of again
// within a minute.
//
// Thread rule: any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sql/sql.h"
#include "store/agents.h"

namespace tenken::api::agents {

// A request that was under way, when its process was replaced or sent the next report, is no second
// agent.
inline constexpr Seconds session_grace = 15;

class Presence {
 public:
  void seen(const store::AgentSeen& seen);
  Result<> write(sql::Pool& pool);

  // Whether an agent that has other facts than the store is asked for them now: once in a while,
  // for the answer takes its time. One that has enrolled since is asked at once.
  bool may_ask_for_whole(const store::Agent& agent, Seconds now);

  // Whether who is refused now was refused before: not just now, and within two hours. A request
  // that was under way for however long is refused once, for nobody waits for its answer; whoever
  // lives comes again.
  bool comes_again(const std::string& who, Seconds now);

 private:
  struct Refused {
    Seconds first = 0;
    Seconds last = 0;
  };

  std::mutex mutex_;
  std::map<std::string, store::AgentSeen, std::less<>> seen_;
  std::map<std::string, Seconds, std::less<>> asked_;
  std::map<std::string, Refused> refused_;
};

}  // namespace tenken::api::agents
