// Reports of hosts and deltas between them: what is read is written and read again without a loss,
// and a delta that fits can be undone by the one that is its opposite.
//
// The input is a text, then after a NUL the names that are gone, after another the lines that come.
#include "base/text.h"
#include "host/report.h"

namespace {

using tenken::host::line_name;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  if (text.empty()) return lines;
  for (const auto line : tenken::split(text, '\n')) lines.emplace_back(line);
  return lines;
}

void check_report(std::string_view text) {
  const auto report = tenken::host::read_report(text);
  if (!report) return;
  const auto lines = tenken::host::report_lines(*report);
  const auto again = tenken::host::read_report(joined(lines));
  CHECK(again.has_value());
  CHECK(tenken::host::report_lines(*again) == lines);
}

// Beside the names that the input states, those of the lines it numbers.
void check_delta(std::string_view text, std::string_view gone, std::string_view came) {
  const auto before = lines_of(text);
  tenken::host::ReportDelta delta{.came = lines_of(came)};
  std::vector<std::string> gone_lines;
  for (auto& name : lines_of(gone)) {
    const auto number = tenken::parse_uint(name);
    const bool numbers_a_line = number && *number + 1 < before.size();
    if (numbers_a_line) gone_lines.push_back(before[*number]);
    delta.gone.push_back(numbers_a_line ? line_name(before[*number]) : std::move(name));
  }
  const auto after = tenken::host::apply_delta(text, delta);
  if (!after || gone_lines.size() != delta.gone.size()) return;
  tenken::host::ReportDelta opposite{.came = gone_lines};
  for (const auto& line : delta.came) opposite.gone.push_back(line_name(line));
  const auto undone = tenken::host::apply_delta(*after, opposite);
  CHECK(undone.has_value() && *undone == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto text = tenken::split_once(input, '\0');
  const auto delta = tenken::split_once(text.second.value_or(""), '\0');
  check_report(text.first);
  check_delta(text.first, delta.first, delta.second.value_or(""));
  return 0;
}
