// Ignore files: parsed and applied to a scan result, of which no finding may get lost.
#include "findings/ignore.h"

#include <cstdint>

#include "../tests/support/sample_result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = tenken::findings::parse_ignore_file(text, "fuzz");
  if (!rules) return 0;
  auto before = tenken::test::sample_result();
  const auto count = before.findings.size() + before.ignored.size();
  const auto after =
      tenken::findings::apply_ignores(std::move(before), *rules, 1'729'512'000, tenken::Lang::en);
  CHECK(after.findings.size() + after.ignored.size() == count);
  return 0;
}
