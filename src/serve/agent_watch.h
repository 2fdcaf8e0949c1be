// AgentWatch: the thread that looks each second for commands to agents and for those that were
// ended, which other processes write too, and writes down four times a minute which agents were
// heard of.
//
// Thread rule: start and stop from one thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "api/agents/door.h"
#include "serve/log.h"

namespace tenken::serve {

struct AgentWatchOptions {
  api::agents::AgentDoor* door = nullptr;
  std::function<void(std::string_view key)> wake;  // polls that are held
  Log* log = nullptr;
};

class AgentWatch {
 public:
  static std::unique_ptr<AgentWatch> start(AgentWatchOptions options);
  virtual ~AgentWatch() = default;
  virtual void stop() = 0;
};

}  // namespace tenken::serve
