// tenken collect: another host over SSH, scanned here or sent to a server.
#include <chrono>

#include "app/commands.h"
#include "app/console.h"
#include "pipeline/collect.h"

namespace tenken::app {

int collect_command(const CollectArguments& arguments, ScanArguments scan) {
  if (arguments.print_script) {
    print(pipeline::collection_script());
    return exit_ok;
  }
  if (!pipeline::is_ssh_host(arguments.ssh.host)) {
    complain(said("--ssh: HOST or USER@HOST is needed"));
    return exit_usage;
  }
  const auto collected = pipeline::Collected::over_ssh(
      arguments.ssh, {.time = std::chrono::seconds(arguments.timeout_seconds)});
  if (!collected) {
    complain(said_of(collected.error().what));
    return exit_target;
  }
  scan.scan.copy = collected->copy();
  scan.server.agentless = true;
  return scan_command(scan);
}

}  // namespace tenken::app
