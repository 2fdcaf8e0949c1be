// The header blob of an installed rpm package: a package with a usable name and version, or an
// error; no text is longer than the blob. Its files have an owner only where it is a package.
#include "inventory/rpm_header.h"

#include "inventory/package_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenken::inventory::is_plain_word;
  const std::string_view blob(reinterpret_cast<const char*>(data), size);
  const auto package = tenken::inventory::parse_rpm_header(blob);
  const std::vector<std::string> files{"/usr/bin/a"};
  tenken::inventory::FileOwners query(files);
  const auto listed = tenken::inventory::list_rpm_files(blob, query);
  if (!package) return 0;
  const auto owner = query.take().front();
  CHECK(owner.empty() || owner == package->name);
  CHECK(is_plain_word(package->name) && package->version.contains('-'));
  for (const auto& text : {package->name, package->arch, package->source_name, package->vendor,
                           package->license, package->module_label})
    CHECK(text.size() < size);
  CHECK(package->source_name.empty() == package->source_version.empty());
  CHECK(package->listed_only == (package->name == "gpg-pubkey"));
  return 0;
}
