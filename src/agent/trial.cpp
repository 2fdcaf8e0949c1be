#include "agent/trial.h"

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenken::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_tries = 3;
// Of the limit, so long: the third try has half of it left.
constexpr int pauses = 4;
constexpr int pauses_of_busy = 20;  // another agent's run is over in seconds
constexpr int look_every_ms = 200;
constexpr auto ends_within = std::chrono::seconds(10);
constexpr const char* mark = "TENKEN_AGENT_STARTED";

// Exec that leaves the arguments as they are but for the program.
void execute(const std::string& program, char* const* arguments) {
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (auto* const* word = arguments + 1; *word != nullptr; ++word) words.push_back(*word);
  words.push_back(nullptr);
  ::setenv(mark, "1", 1);
  ::execv(program.c_str(), words.data());
}

pid_t start(const std::string& program, char* const* arguments) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // which had ended before that was set
  execute(program, arguments);
  ::_exit(127);
}

// Its wait status, where it has ended.
std::optional<int> end_of(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != child) return std::nullopt;
  return status;
}

bool was_busy(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == exit_busy;
}

std::string described(int status) {
  if (was_busy(status)) return "another tenken-agent used the state";
  if (WIFSIGNALED(status)) return fmt::format("it was ended by signal {}", WTERMSIG(status));
  return fmt::format("it ended with code {}", WEXITSTATUS(status));
}

void stop(pid_t child) {
  ::kill(child, SIGTERM);
  for (const auto until = Clock::now() + ends_within; Clock::now() < until;) {
    if (end_of(child)) return;
    ::poll(nullptr, 0, look_every_ms);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// True: this process is to end. Others are the child's; 0: there is none.
bool take_order(int orders, pid_t child) {
  pollfd watched{.fd = orders, .events = POLLIN, .revents = 0};
  if (::poll(&watched, 1, look_every_ms) <= 0) return false;
  char order = 't';
  if (::read(orders, &order, 1) == 1 && order == 'c' && child > 0) ::kill(child, SIGHUP);
  return order == 't';
}

class Trying {
 public:
  Trying(const Versions& versions, std::string_view version, const TrialOptions& options)
      : versions_(versions),
        version_(version),
        options_(options),
        until_(Clock::now() + options.limit) {}

  Trial run() {
    versions_.forget_check_in();
    for (int tries = 0; tries < most_tries;) {
      options_.log(fmt::format("version {} is tried", version_));
      const pid_t child = start(versions_.program(version_), options_.arguments);
      if (child < 0) return give_up("no process could be made for it");
      if (const auto known = watch(child)) return *known;
      const bool busy = was_busy(status_);
      if (!busy && ++tries == most_tries) break;
      if (const auto known = pause(busy)) return *known;
    }
    return give_up(described(status_));
  }

 private:
  // Until it is known what comes of the trial, or the child has ended by itself.
  std::optional<Trial> watch(pid_t child) {
    while (true) {
      const auto ended = end_of(child);
      if (versions_.has_checked_in(version_)) {
        if (!ended) stop(child);
        return Trial::passed;
      }
      if (ended) {
        status_ = *ended;
        return std::nullopt;
      }
      const bool told = take_order(options_.orders, child);
      if (!told && Clock::now() < until_) continue;
      stop(child);
      return told ? interrupted() : too_late();
    }
  }

  // Before the next try.
  std::optional<Trial> pause(bool busy) {
    const auto next = Clock::now() + options_.limit / (busy ? pauses_of_busy : pauses);
    while (Clock::now() < next) {
      if (take_order(options_.orders, 0)) return interrupted();
      if (Clock::now() >= until_) return too_late();
    }
    return std::nullopt;
  }

  Trial interrupted() {
    versions_.give_up(version_, interruption);
    return Trial::ended;
  }

  Trial too_late() {
    auto why = fmt::format("it did not speak to the server within {} s",
                           std::chrono::duration<double>(options_.limit).count());
    if (status_ != 0) why += fmt::format("; when it was tried before, {}", described(status_));
    return give_up(why);
  }

  // A check-in that cannot be written looks like none.
  Trial give_up(std::string why) {
    if (const auto written = versions_.checked_in("none"); !written)
      why += fmt::format("; it cannot say that it did: {}", written.error().what);
    versions_.forget_check_in();
    options_.log(fmt::format("version {}: {}", version_, why));
    versions_.give_up(version_, why);
    return Trial::failed;
  }

  const Versions& versions_;
  std::string_view version_;
  const TrialOptions& options_;
  Clock::time_point until_;
  int status_ = 0;  // of the last try that ended by itself
};

}  // namespace

Trial try_version(const Versions& versions, std::string_view version, const TrialOptions& options) {
  return Trying(versions, version, options).run();
}

void become(const Versions& versions, std::string_view version, char* const* arguments) {
  execute(versions.program(version), arguments);
  ::unsetenv(mark);
}

bool was_started_by_another() {
  return std::getenv(mark) != nullptr;
}

}  // namespace tenken::agent
