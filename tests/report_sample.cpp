// Prints the sample result in a format: what tests/check_scan_result_schema.py validates.
#include <cstdio>

#include "report/format.h"
#include "support/sample_result.h"

int main(int argc, char** argv) {
  const auto* format = argc == 2 ? tenken::report::find_format(argv[1]) : nullptr;
  if (format == nullptr) return 2;
  const auto text = tenken::report::render(*format, tenken::test::sample_result(),
                                           {.now = 1'729'512'000, .tool_version = "0.1.0"});
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}
