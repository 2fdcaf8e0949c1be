// version compare and cvss: one answer for the words given, or one for each line of a file.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "base/text.h"
#include "cvss/cvss.h"
#include "version/batch.h"

namespace tenken::app {

int version_compare_command(const BatchArguments& arguments) {
  if (arguments.batch) return answer_lines(*arguments.batch, version::compare_batch_line);
  if (arguments.words.size() != 3) {
    complain("version compare needs ECOSYSTEM A B, or --batch [FILE]");
    return exit_usage;
  }
  const auto order =
      version::compare_versions(arguments.words[0], arguments.words[1], arguments.words[2]);
  if (!order) {
    complain(printable(order.error().what));
    return exit_usage;
  }
  print(*order + "\n");
  return exit_ok;
}

int cvss_command(const BatchArguments& arguments) {
  if (arguments.batch) return answer_lines(*arguments.batch, cvss::batch_line);
  if (arguments.words.empty()) {
    complain("cvss needs one or more vectors, or --batch [FILE]");
    return exit_usage;
  }
  int code = exit_ok;
  for (const auto& vector : arguments.words) {
    const auto line = cvss::batch_line(vector);
    print(line + "\n");
    if (line.starts_with("?\t")) code = exit_usage;
  }
  return code;
}

}  // namespace tenken::app
