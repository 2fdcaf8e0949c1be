// The package databases of rpm; the first byte chooses the format. The blobs of one database do
// not overlap, so that together they are no larger than it; SQLite's are bounded by its reader.
#include "inventory/rpmdb.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

namespace {

using tenken::Result;
using tenken::inventory::VisitRpmHeader;

Result<> read_sqlite(std::string_view bytes, const VisitRpmHeader& visit) {
  const tenken::Fd file(::memfd_create("rpmdb.sqlite", MFD_CLOEXEC));
  CHECK(::write(file.get(), bytes.data(), bytes.size()) == std::ssize(bytes));
  return tenken::inventory::read_rpmdb_sqlite(fmt::format("/proc/self/fd/{}", file.get()),
                                              tenken::inventory::SqliteAccess::immutable, visit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t total = 0;
  const VisitRpmHeader visit = [&](std::string_view blob, std::uint64_t) -> Result<> {
    total += blob.size();
    return {};
  };
  switch (data[0]) {
    case 'n':
      static_cast<void>(tenken::inventory::read_rpmdb_ndb(bytes, visit));
      CHECK(total <= bytes.size());
      break;
    case 'b':
      static_cast<void>(tenken::inventory::read_rpmdb_bdb(bytes, visit));
      break;
    case 's':
      static_cast<void>(read_sqlite(bytes, visit));
      break;
  }
  return 0;
}
