// The status file of dpkg: what is handed out has a usable name and version, in both layouts.
#include "inventory/dpkg_status.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenken::inventory::DpkgLayout;
  using tenken::inventory::is_plain_word;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto layout : {DpkgLayout::database, DpkgLayout::single_file}) {
    const auto list = tenken::inventory::parse_dpkg_status(text, "status", layout);
    CHECK(list.has_value());
    for (const auto& package : list->packages()) {
      CHECK(package.kind == "deb" && is_plain_word(package.name) && is_plain_word(package.version));
      CHECK(package.source_name.empty() || is_plain_word(package.source_name));
      CHECK(package.source_version.empty() || is_plain_word(package.source_version));
    }
  }
  return 0;
}
