#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "base/file.h"
#include "base/text.h"
#include "sbom/sbom.h"

namespace tenken::app {

int sbom_command(const SbomArguments& arguments) {
  const auto inventory = pipeline::take_inventory(arguments.scan);
  if (!inventory) {
    complain(printable(inventory.error().what));
    return exit_target;
  }
  for (const auto& skip : inventory->skips)
    complain(
        fmt::format("{} {}: {}", printable(skip.file), said_of(skip.record), said_of(skip.reason)));
  if (inventory->databases_read == 0) {
    complain(said("{}: no package database that is known", printable(inventory->name)));
    return exit_target;
  }
  const auto text = arguments.format == "spdx"
                        ? sbom::write_spdx(*inventory, arguments.scan.now)
                        : sbom::write_cyclonedx(*inventory, arguments.scan.now);
  if (arguments.file.empty()) {
    print(text);
    print("\n");
    return exit_ok;
  }
  if (const auto written = write_file_atomic(arguments.file, text + "\n"); !written) {
    complain(printable(written.error().what));
    return exit_usage;
  }
  return exit_ok;
}

}  // namespace tenken::app
