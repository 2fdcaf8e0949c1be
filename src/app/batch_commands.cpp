// version compare and cvss: one answer for the words given, or one for each line of a file.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "base/text.h"
#include "cvss/cvss.h"
#include "version/batch.h"
#include "version/ecosystem.h"

namespace tenken::app {

namespace {

// An answer about a line that cannot be read is "?", a tab and the reason.
std::string with_reason(std::string answer) {
  constexpr std::string_view mark = "?\t";
  if (!answer.starts_with(mark)) return answer;
  return std::string(mark) + in_language(spoken(), answer.substr(mark.size()));
}

std::string compare_line(const Line& line) {
  return with_reason(line ? version::compare_batch_line(*line) : "?\t" + line.error().what);
}

std::string score_line(const Line& line) {
  return with_reason(line ? cvss::batch_line(*line) : "?\t" + line.error().what);
}

std::string unknown_ecosystem(std::string_view word) {
  std::string names;
  for (const auto& one : version::ecosystems())
    names.append(names.empty() ? "" : ", ").append(one.name);
  return said("no ecosystem \"{}\"; there are: {}",
              printable(version::split_release(word).ecosystem), names);
}

}  // namespace

int version_compare_command(const BatchArguments& arguments) {
  if (arguments.batch) return answer_lines(*arguments.batch, compare_line);
  if (arguments.words.size() != 3) {
    complain(said("version compare needs ECOSYSTEM A B, or --batch [FILE]"));
    return exit_usage;
  }
  const auto order =
      version::compare_versions(arguments.words[0], arguments.words[1], arguments.words[2]);
  if (!order) {
    complain(order.error().code == Errc::not_found ? unknown_ecosystem(arguments.words[0])
                                                   : printable(order.error().what));
    return exit_usage;
  }
  print(*order + "\n");
  return exit_ok;
}

int cvss_command(const BatchArguments& arguments) {
  if (arguments.batch) return answer_lines(*arguments.batch, score_line);
  if (arguments.words.empty()) {
    complain(said("cvss needs one or more vectors, or --batch [FILE]"));
    return exit_usage;
  }
  int code = exit_ok;
  for (const auto& vector : arguments.words) {
    const auto line = score_line(std::string_view(vector));
    print(line + "\n");
    if (line.starts_with("?\t")) code = exit_usage;
  }
  return code;
}

}  // namespace tenken::app
