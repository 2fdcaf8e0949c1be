#include "serve/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

namespace tenken::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int tick_ms = 100;
constexpr int low_priority = 15;

// What posix_spawn is given, and gives back.
class Spawning {
 public:
  explicit Spawning(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes_);
    // The server's threads block all signals; the child must be endable.
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  Result<pid_t> spawn(const ChildCommand& command) const {
    std::vector<std::string> added;
    for (const auto& [name, value] : command.environment)
      added.push_back(fmt::format("{}={}", name, value));
    std::vector<char*> environment;
    for (auto& one : added) environment.push_back(one.data());
    // Of two equal names the first counts (getenv(3)).
    for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
    environment.push_back(nullptr);
    auto words = command.words;
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, arguments.front(), &actions_, &attributes_,
                                     arguments.data(), environment.data());
    if (failed != 0) return from_errno(failed, words.front());
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Processor and disk are the requests' first; that it cannot be said is no fault.
void lower_priority(pid_t pid) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), low_priority);
  constexpr long one_process = 1;        // IOPRIO_WHO_PROCESS
  constexpr long idle_class = 3L << 13;  // IOPRIO_CLASS_IDLE
  ::syscall(SYS_ioprio_set, one_process, static_cast<long>(pid), idle_class);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Reads to the end of the pipe, which is the end of the child.
Result<std::string> collect(const Fd& from, const ChildCommand& command,
                            const std::function<bool()>& stop) {
  const auto deadline = Clock::now() + command.limit;
  std::string output;
  std::array<char, 16'384> buffer{};
  while (true) {
    if (stop()) return unavailable("stopped");
    if (Clock::now() > deadline) return unavailable("it took too long and was ended");
    pollfd ready{.fd = from.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, tick_ms) <= 0) continue;
    const auto count = ::read(from.get(), buffer.data(), buffer.size());
    if (count == 0) return output;
    if (count < 0 && errno != EINTR) return from_errno(errno, "the child's output");
    if (count > 0) output.append(buffer.data(), static_cast<std::size_t>(count));
    if (output.size() > command.limit_bytes) return unavailable("it wrote too much and was ended");
  }
}

}  // namespace

Result<ChildAnswer> run_child(const ChildCommand& command, const std::function<bool()>& stop) {
  TRY(auto pipe, make_pipe());
  TRY(const auto pid, Spawning(pipe.write.get()).spawn(command));
  lower_priority(pid);
  pipe.write = Fd();
  auto output = collect(pipe.read, command, stop);
  if (!output) ::kill(-pid, SIGKILL);
  const int code = wait_for(pid);
  if (!output) return std::move(output).error().within(command.words.front());
  return ChildAnswer{.code = code, .output = *std::move(output)};
}

}  // namespace tenken::serve
