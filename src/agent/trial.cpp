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
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  execute(program, arguments);
  ::_exit(127);
}

// Its end, where it has ended.
std::optional<std::string> end_of(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != child) return std::nullopt;
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

// True: this process is to end. Others are the child's.
bool take_order(int orders, pid_t child) {
  pollfd watched{.fd = orders, .events = POLLIN, .revents = 0};
  if (::poll(&watched, 1, look_every_ms) <= 0) return false;
  char order = 't';
  if (::read(orders, &order, 1) == 1 && order == 'c') ::kill(child, SIGHUP);
  return order == 't';
}

}  // namespace

Trial try_version(const Versions& versions, std::string_view version, const TrialOptions& options) {
  versions.forget_check_in();
  const auto until = Clock::now() + options.limit;
  std::string why;
  for (int i = 0; i < most_tries; ++i) {
    options.log(fmt::format("version {} is tried", version));
    const pid_t child = start(versions.program(version), options.arguments);
    if (child < 0) {
      why = "no process could be made for it";
      break;
    }
    while (true) {
      const auto ended = end_of(child);
      if (versions.has_checked_in(version)) {
        if (!ended) stop(child);
        return Trial::passed;
      }
      if (ended) {
        why = *ended;
        break;
      }
      if (take_order(options.orders, child)) {
        stop(child);
        return Trial::ended;
      }
      if (Clock::now() < until) continue;
      stop(child);
      versions.give_up(version, fmt::format("it did not speak to the server within {} s",
                                            options.limit.count() / 1000));
      return Trial::failed;
    }
  }
  versions.give_up(version, why);
  return Trial::failed;
}

void become(const Versions& versions, std::string_view version, char* const* arguments) {
  execute(versions.program(version), arguments);
  ::unsetenv(mark);
}

bool was_started_by_another() {
  return std::getenv(mark) != nullptr;
}

}  // namespace tenken::agent
