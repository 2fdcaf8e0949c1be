// Cursor: the only place where a parser of binary input does pointer arithmetic. Every read is
// compared with what remains; a read past the end is an Error, never undefined behaviour.
//
// Thread rule: a value; the bytes must outlive it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/result.h"

namespace tenken {

// Inlined always: a loop over four numbers then builds no Result for each.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  bool at_end() const { return remaining() == 0; }

  [[gnu::always_inline]] Result<std::string_view> take(std::size_t count) {
    if (count > remaining()) return short_read(count);
    const auto out = bytes_.substr(offset_, count);
    offset_ += count;
    return out;
  }

  Result<> seek(std::size_t offset) {
    if (offset > bytes_.size()) return short_read(offset);
    offset_ = offset;
    return {};
  }

  // A fixed-width unsigned integer in the given byte order.
  template <typename Unsigned>
  [[gnu::always_inline]] Result<Unsigned> read(std::endian order) {
    TRY(const auto raw, take(sizeof(Unsigned)));
    Unsigned value{};
    std::memcpy(&value, raw.data(), sizeof value);
    return order == std::endian::native ? value : std::byteswap(value);
  }
  template <typename Unsigned>
  [[gnu::always_inline]] Result<Unsigned> little() {
    return read<Unsigned>(std::endian::little);
  }
  template <typename Unsigned>
  [[gnu::always_inline]] Result<Unsigned> big() {
    return read<Unsigned>(std::endian::big);
  }

 private:
  Error short_read(std::size_t wanted) const;

  std::string_view bytes_;
  std::size_t offset_ = 0;
};

}  // namespace tenken
