#include "serve/agent_watch.h"

#include <chrono>
#include <thread>

#include "serve/sleeper.h"

namespace tenken::serve {
namespace {

constexpr auto look_interval = std::chrono::seconds(1);
constexpr int looks_before_writing = 15;

class RunningAgentWatch : public AgentWatch {
 public:
  explicit RunningAgentWatch(AgentWatchOptions options) : options_(std::move(options)) {
    thread_ = std::thread([this] { work(); });
  }
  ~RunningAgentWatch() override { stop(); }

  void stop() override {
    sleeper_.stop();
    if (!thread_.joinable()) return;
    thread_.join();
    if (const auto written = options_.door->write_seen(); !written) tell(written.error().what);
  }

 private:
  void work() {
    int looks = 0;
    do {
      auto done = look();
      if (done && ++looks % looks_before_writing == 0) done = options_.door->write_seen();
      tell(done ? std::string() : done.error().what);
    } while (sleeper_.sleep(look_interval));
  }

  Result<> look() {
    TRY(const auto keys, options_.door->polls_to_wake());
    for (const auto& key : keys) options_.wake(key);
    return {};
  }

  // The same fault every second is one line.
  void tell(std::string fault) {
    if (fault != last_fault_ && !fault.empty())
      options_.log->note(Level::error, "agents", {{"error", fault}});
    last_fault_ = std::move(fault);
  }

  AgentWatchOptions options_;
  std::string last_fault_;
  Sleeper sleeper_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<AgentWatch> AgentWatch::start(AgentWatchOptions options) {
  return std::make_unique<RunningAgentWatch>(std::move(options));
}

}  // namespace tenken::serve
