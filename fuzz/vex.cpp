// VEX documents: parsed and applied to a scan result, of which no finding may get lost.
#include "findings/vex.h"

#include <cstdint>

#include "../tests/support/sample_result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto document = tenken::findings::parse_vex(text, "fuzz");
  if (!document) return 0;
  auto before = tenken::test::sample_result();
  const auto count = before.findings.size() + before.ignored.size();
  const auto after =
      tenken::findings::apply_vex(std::move(before), {*std::move(document)}, tenken::Lang::ja);
  CHECK(after.findings.size() + after.ignored.size() == count);
  return 0;
}
