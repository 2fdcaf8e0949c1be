// The list of installed packages of apk: what is handed out has a usable name and version, and
// the owner of a file stands in it.
#include "inventory/apk_installed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenken::inventory::is_plain_word;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> files{"/usr/bin/a", "/lib/a.so.1.2"};
  tenken::inventory::FileOwners query(files);
  tenken::inventory::list_apk_files(text, query);
  for (const auto& owner : query.take()) CHECK(owner.empty() || owner.size() < size);
  const auto list = tenken::inventory::parse_apk_installed(text, "installed");
  CHECK(list.has_value());
  for (const auto& package : list->packages()) {
    CHECK(package.kind == "apk" && is_plain_word(package.name) && is_plain_word(package.version));
    CHECK(package.source_version.empty() || package.source_version == package.version);
  }
  return 0;
}
