#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <pthread.h>

#include "app/commands.h"
#include "app/console.h"
#include "base/text.h"
#include "base/time.h"
#include "pipeline/database_location.h"

namespace tenken::app {
namespace {

constexpr int stop_grace_ms = 8'000;

// Blocked in every thread, so that only wait_for_signal takes them.
sigset_t block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

void tell_first_key(const ServeArguments& arguments) {
  std::fputs(
      said("the first key: tenken admin key create --data {} --account 111122223333 --user admin "
           "--role admin\n",
           printable(arguments.node.data_directory))
          .c_str(),
      stderr);
}

}  // namespace

int serve_command(ServeArguments arguments) {
  auto& node_options = arguments.node;
  if (node_options.data_directory.empty())
    node_options.data_directory = pipeline::data_directory() + "/server";
  node_options.log = [](std::string_view line) {
    std::fputs(fmt::format("{} {}\n", format_time(now()), printable(line)).c_str(), stderr);
  };
  const auto signals = block_signals();
  auto node = serve::Node::start(node_options);
  if (!node) {
    complain(node.error().what);
    return node.error().code == Errc::invalid ? exit_usage : exit_target;
  }
  tell_first_key(arguments);
  print(fmt::format("listening {}\n", (*node)->url()));
  std::fflush(stdout);
  while (true) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) break;
    if (const auto reloaded = (*node)->reload(); !reloaded) complain(reloaded.error().what);
  }
  (*node)->stop(stop_grace_ms);
  return exit_ok;
}

}  // namespace tenken::app
