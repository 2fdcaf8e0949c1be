// Zip archives and single compressed files: whatever the bytes, members are values or faults, and
// none is longer than the archive says or the limit allows.
#include "base/archive.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t limit = 1 << 20;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto content = tenken::decompress(bytes, limit);
      content && content->size() > limit && content->size() > size)
    std::abort();
  auto reader = tenken::ZipReader::open(bytes);
  if (!reader) return 0;
  for (;;) {
    const auto member = reader->next();
    if (!member || !*member) return 0;
    const auto content = reader->unpack(**member, limit);
    if (content && (content->size() > limit || content->size() != (*member)->size)) std::abort();
  }
}
