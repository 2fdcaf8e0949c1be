// Presence: which agents were heard of, in memory until it is written down for many at once. What a
// node that is killed had not written is heard of again within a minute.
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

class Presence {
 public:
  void seen(const store::AgentSeen& seen);
  Result<> write(sql::Pool& pool);

  // Whether an agent that has other facts than the store is asked for them now: once in a while,
  // for the answer takes its time.
  bool may_ask_for_whole(std::string_view agent, Seconds now);

 private:
  std::mutex mutex_;
  std::map<std::string, store::AgentSeen, std::less<>> seen_;
  std::map<std::string, Seconds, std::less<>> asked_;
};

}  // namespace tenken::api::agents
