// os-release and its older kin: an ecosystem is named only together with an id.
#include "inventory/os_release.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = tenken::inventory::parse_os_release(text, "os-release");
  CHECK(parsed.skips.size() <= 100);
  for (const auto& os : {parsed.os, tenken::inventory::parse_redhat_release(text),
                         tenken::inventory::parse_debian_version(text)}) {
    CHECK(os.ecosystem.empty() || !os.id.empty());
    CHECK(os.release.empty() || !os.ecosystem.empty());
  }
  return 0;
}
