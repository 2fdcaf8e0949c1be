// apk: Alpine, Wolfi, Chainguard; apk-tools 3 moved its database below usr.
#include "inventory/apk_installed.h"
#include "inventory/os_package_database.h"

namespace tenken::inventory {
namespace apk_ {

constexpr std::size_t max_bytes = std::size_t{256} << 20;

constexpr std::string_view places[] = {"lib/apk/db/installed", "usr/lib/apk/db/installed"};

// Where both places exist one is a link to the other.
Result<PackageList> read(const Root& root) {
  for (const auto path : places) {
    const auto text = root.read(path, max_bytes);
    if (text) return parse_apk_installed(*text, path);
    if (text.error().code != Errc::not_found) return text.error();
  }
  return not_found("no apk database");
}

void list_files(const Root& root, FileOwners& query) {
  for (const auto path : places) {
    if (const auto text = root.read(path, max_bytes)) list_apk_files(*text, query);
  }
}

}  // namespace apk_

extern constinit const OsPackageDatabase apk{
    .id = "apk",
    .kind = "apk",
    .places = "lib/apk/db/installed, usr/lib/apk/db/installed",
    .files = apk_::places,
    .locks = {},
    .read = apk_::read,
    .list_files = apk_::list_files,
};

}  // namespace tenken::inventory
