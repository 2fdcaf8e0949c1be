#include "base/compress.h"

#include <fmt/format.h>
#include <zstd.h>

namespace tenken {

std::string pack(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const auto size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  CHECK(ZSTD_isError(size) == 0);
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

Result<std::string> unpack(std::string_view packed, std::size_t limit_bytes) {
  const auto stated = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (stated == ZSTD_CONTENTSIZE_ERROR || stated == ZSTD_CONTENTSIZE_UNKNOWN)
    return invalid("not packed by pack");
  if (stated > limit_bytes)
    return limit_exceeded(fmt::format("{} bytes unpacked, at most {}", stated, limit_bytes));
  std::string out(static_cast<std::size_t>(stated), '\0');
  const auto size = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != out.size())
    return invalid(fmt::format("packed bytes: {}", ZSTD_getErrorName(size)));
  return out;
}

}  // namespace tenken
