#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/console.h"
#include "pipeline/database_location.h"

namespace tenken::app {
namespace {

constexpr int stop_grace_ms = 6'000;
// Beyond it the process ends with whatever is under way: like one that was killed, it loses
// nothing.
constexpr auto longest_stop = std::chrono::seconds(9);

// Blocked in every thread, so that only wait_for_signal takes them; a reader of standard error
// that went away ends nothing.
sigset_t block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  auto blocked = set;
  ::sigaddset(&blocked, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  return set;
}

int wait_for_signal(const sigset_t& set) {
  int signal = 0;
  while (::sigwait(&set, &signal) != 0) {
  }
  return signal;
}

// Each client takes one; the soft limit is often 1,024.
void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// What threads give back stays in the arena it came from. Of those glibc makes eight a core; with
// two the server is as fast, and has a quarter less memory left after a burst.
void limit_arenas() {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  ::mallopt(M_ARENA_MAX, static_cast<int>(2 * cores));
}

void end_by(std::chrono::seconds limit) {
  std::thread([limit] {
    std::this_thread::sleep_for(limit);
    ::_exit(exit_ok);
  }).detach();
}

std::string own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

int failed(const Error& error) {
  complain(error.what);
  return error.code == Errc::invalid ? exit_usage : exit_target;
}

}  // namespace

int serve_command(ServeArguments arguments) {
  auto& options = arguments.node;
  if (options.data_directory.empty())
    options.data_directory = pipeline::home_directory() + "/server";
  options.program = own_program();
  raise_file_limit();
  limit_arenas();
  const auto signals = block_signals();
  auto log = serve::Log::open(arguments.log_file);
  if (!log) return failed(log.error());
  options.log = log->get();
  auto node = serve::Node::start(options);
  if (!node) return failed(node.error());
  print(fmt::format("listening {}\n", (*node)->url()));
  std::fflush(stdout);
  while (wait_for_signal(signals) == SIGHUP) (*node)->reload();
  end_by(longest_stop);
  (*node)->stop(stop_grace_ms);
  return exit_ok;
}

}  // namespace tenken::app
