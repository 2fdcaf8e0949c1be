#include <cstdio>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/version.h"
#include "base/file.h"
#include "base/text.h"
#include "findings/filter.h"
#include "pipeline/database_location.h"
#include "report/format.h"
#include "report/words.h"

namespace tenken::app {
namespace {

int failed(const pipeline::ScanFailure& failure, const ScanArguments& arguments) {
  using Stage = pipeline::ScanFailure::Stage;
  switch (failure.stage) {
    case Stage::database:
      return database_failed(failure.error, pipeline::database_path(arguments.scan.database));
    case Stage::usage:
      complain(printable(failure.error.what));
      return exit_usage;
    case Stage::target:
      complain(printable(failure.error.what));
      return exit_target;
  }
  return exit_target;
}

report::RenderOptions render_options(const ScanArguments& arguments) {
  const auto& output = arguments.output;
  const bool terminal = output.file.empty() && is_terminal(1);
  report::RenderOptions options;
  options.lang = arguments.scan.lang;
  options.colour = output.colour == "always" ||
                   (output.colour == "auto" && terminal && std::getenv("NO_COLOR") == nullptr);
  options.width = terminal ? terminal_width(1) : 0;
  options.now = arguments.scan.now;
  options.tool_version = tool_version;
  return options;
}

Result<> write(const ScanResult& result, const ScanArguments& arguments) {
  const auto* format = report::find_format(arguments.output.format);
  CHECK(format != nullptr);
  const auto options = render_options(arguments);
  if (!arguments.output.file.empty())
    return write_file_atomic(arguments.output.file, 0644, [&](const WritePiece& piece) {
      return format->write(result, options, piece);
    });
  TRY_VOID(format->write(result, options, [](std::string_view piece) -> Result<> {
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size())
      return unavailable("standard output: cannot be written");
    return {};
  }));
  if (std::fflush(stdout) != 0) return unavailable("standard output: cannot be written");
  return {};
}

}  // namespace

int scan_command(const ScanArguments& arguments) {
  if (!arguments.server.url.empty()) return send_inventory(arguments.scan, arguments.server);
  auto options = arguments.scan;
  if (arguments.output.format == "table") options.depth = pipeline::Depth::list;
  // Lives until the process ends, which is soon: nobody takes thousands of findings apart.
  static const auto& result = *new auto(pipeline::scan(options));
  if (!result) return failed(result.error(), arguments);
  if (const auto written = write(*result, arguments); !written) {
    complain(printable(written.error().what));
    return exit_usage;
  }
  // Formats other than the table may have no place for warnings.
  if (arguments.output.format != "table") {
    for (const auto& warning : result->warnings) complain(printable(warning));
  }
  // CSV has lines for findings only.
  if (arguments.output.format == "csv") {
    for (const auto& one : result->unknown)
      complain(printable(said("not decided: {} {} ({}): {}", report::kind_word(spoken(), one.kind),
                              one.subject, one.count, one.reason)));
  }
  if (arguments.fail_on && findings::count_failing(*result, *arguments.fail_on) > 0)
    return exit_findings;
  if (arguments.strict && !result->unknown.empty()) return exit_incomplete;
  return exit_ok;
}

}  // namespace tenken::app
