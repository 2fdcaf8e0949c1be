// SBOMs of every format: what is read survives both writers with all that matching looks at.
#include "sbom/sbom.h"

namespace {

// Sources go through an upstream qualifier, which cannot hold every text.
bool same_source(const tenken::Package& a, const tenken::Package& b) {
  const auto text = a.source_name + a.source_version;
  return text.contains('@') || text.contains(".src.rpm") || text.contains(".nosrc.rpm") ||
         (a.source_name == b.source_name && a.source_version == b.source_version);
}

bool same(const tenken::Package& a, const tenken::Package& b) {
  return a.ecosystem == b.ecosystem && a.release == b.release && a.kind == b.kind &&
         a.name == b.name && a.version == b.version && a.arch == b.arch &&
         a.module_label == b.module_label && a.vendor == b.vendor && same_source(a, b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto inventory = tenken::sbom::read_sbom(text, "document");
  if (!inventory.has_value()) return 0;
  for (const auto& written :
       {tenken::sbom::write_cyclonedx(*inventory, 0), tenken::sbom::write_spdx(*inventory, 0)}) {
    const auto again = tenken::sbom::read_sbom(written, "document");
    CHECK(again.has_value());
    CHECK(again->packages.size() == inventory->packages.size());
    CHECK(again->skips.empty() == inventory->skips.empty());
    for (std::size_t i = 0; i < again->packages.size(); ++i)
      CHECK(same(inventory->packages[i], again->packages[i]));
  }
  return 0;
}
