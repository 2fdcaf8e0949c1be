// Package URLs: what is read is printed canonically and reads back the same, and a package made
// from it keeps what the matcher looks at on the way through another purl.
#include "sbom/purl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto purl = tenken::sbom::parse_purl(text, tenken::sbom::KeyCase::any);
  if (!purl.has_value()) return 0;
  const auto canonical = tenken::sbom::to_string(*purl);
  const auto again = tenken::sbom::parse_purl(canonical);
  CHECK(again.has_value() && *again == *purl && tenken::sbom::to_string(*again) == canonical);

  const auto package = tenken::sbom::package_from_purl(*purl);
  const auto back = tenken::sbom::purl_from_package(package);
  CHECK(back.has_value());
  const auto second = tenken::sbom::package_from_purl(*back);
  CHECK(second.ecosystem == package.ecosystem && second.release == package.release);
  CHECK(second.name == package.name && second.version == package.version);
  CHECK(second.arch == package.arch && second.module_label == package.module_label);
  CHECK(second.source_name == package.source_name);
  CHECK(second.source_version == package.source_version);
  return 0;
}
