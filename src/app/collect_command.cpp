// tenken collect: another host over SSH, scanned here or sent to a server.
#include <chrono>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "base/file.h"
#include "host/identity.h"
#include "inventory/document.h"
#include "pipeline/collect.h"

namespace tenken::app {

namespace {

int save_inventory(const pipeline::ScanOptions& scan, const std::string& file) {
  const auto saved = [&]() -> Result<std::string> {
    TRY(const auto root, inventory::Root::at(scan.copy->directory));
    TRY(const auto machine, host::machine_hash(root));
    TRY(const auto inventory, pipeline::take_inventory(scan));
    if (inventory.databases_read == 0)
      return invalid(fmt::format("{}: no package database that is known", inventory.name));
    TRY_VOID(write_file_atomic(file, inventory::write_document(inventory), 0600));
    return host::resource_of_machine(machine);
  }();
  if (!saved) {
    complain(said_of(saved.error().what));
    return exit_target;
  }
  print(*saved + "\n");
  return exit_ok;
}

}  // namespace

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
  if (!arguments.save.empty()) return save_inventory(scan.scan, arguments.save);
  scan.server.agentless = true;
  return scan_command(scan);
}

}  // namespace tenken::app
