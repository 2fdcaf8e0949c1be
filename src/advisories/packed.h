// The byte form of the database's entries: numbers as LEB128 varints, text with its length before
// it. The reader never goes past its bytes: after a fault it answers zeros and empty text, and
// ok() tells, so that an entry is decoded straight through and checked once at its end.
//
// Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tenken::advisories {

class PackWriter {
 public:
  PackWriter& number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
    return *this;
  }
  // Zigzag: times before 1970 exist in feeds.
  PackWriter& signed_number(std::int64_t value) {
    return number((static_cast<std::uint64_t>(value) << 1) ^
                  static_cast<std::uint64_t>(value >> 63));
  }
  PackWriter& text(std::string_view text) {
    number(text.size());
    out_ += text;
    return *this;
  }
  template <typename Texts>
  PackWriter& texts(const Texts& texts) {
    number(texts.size());
    for (const auto& one : texts) text(one);
    return *this;
  }
  // What another writer packed.
  PackWriter& packed(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  std::size_t size() const { return out_.size(); }
  void reserve(std::size_t size) { out_.reserve(size); }
  void clear() { out_.clear(); }  // keeps its memory
  std::string take() { return std::move(out_); }
  const std::string& bytes() const { return out_; }

 private:
  std::string out_;
};

class PackReader {
 public:
  explicit PackReader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) < 0x80) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      return byte;
    }
    return long_number();
  }
  std::int64_t signed_number() {
    const auto value = number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::string_view text() {
    const auto size = number();
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  // A count of items of at least one byte each: never more than bytes remain.
  std::size_t count() {
    const auto value = number();
    return value > rest_.size() ? static_cast<std::size_t>(fail())
                                : static_cast<std::size_t>(value);
  }
  std::string_view rest() const { return rest_; }  // empty after a fault
  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::uint64_t long_number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return fail();
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return fail();
  }
  std::uint64_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tenken::advisories
