// Header blobs and package databases of rpm, written by hand for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenken::inventory::test {

inline std::string big32(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
  return bytes;
}
inline std::string little32(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {0, 8, 16, 24}) bytes += static_cast<char>(value >> shift);
  return bytes;
}
inline std::string little16(unsigned value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8)};
}

struct HeaderEntry {
  static HeaderEntry text(std::uint32_t tag, std::string_view value) {
    return {.tag = tag, .type = 6, .data = std::string(value) + '\0'};
  }
  static HeaderEntry number(std::uint32_t tag, std::uint32_t value) {
    return {.tag = tag, .type = 4, .data = big32(value)};
  }
  // An entry that points wherever it likes.
  static HeaderEntry at(std::uint32_t tag, std::uint32_t type, std::uint32_t offset,
                        std::uint32_t count) {
    return {.tag = tag, .type = type, .offset = offset, .count = count, .fixed = true};
  }

  std::uint32_t tag = 0;
  std::uint32_t type = 0;
  std::string data = {};
  std::uint32_t offset = 0;
  std::uint32_t count = 1;
  bool fixed = false;
};

inline std::string rpm_header(const std::vector<HeaderEntry>& entries) {
  std::string table;
  std::string data;
  for (const auto& entry : entries) {
    const auto offset = entry.fixed ? entry.offset : static_cast<std::uint32_t>(data.size());
    table += big32(entry.tag) + big32(entry.type) + big32(offset) + big32(entry.count);
    data += entry.data;
  }
  return big32(static_cast<std::uint32_t>(entries.size())) +
         big32(static_cast<std::uint32_t>(data.size())) + table + data;
}

inline std::string rpm_package(std::string_view name) {
  return rpm_header(
      {HeaderEntry::text(1000, name), HeaderEntry::text(1001, "1"), HeaderEntry::text(1002, "1")});
}

// An ndb database with one slot page; each package takes as many blocks as it needs.
inline std::string ndb(const std::vector<std::string>& blobs) {
  std::string slots;
  std::string packages;
  std::uint32_t number = 0;
  for (const auto& blob : blobs) {
    ++number;
    const auto length = static_cast<std::uint32_t>(blob.size());
    const auto blocks = (16 + length + 12 + 15) / 16;
    slots += "Slot" + little32(number) +
             little32(static_cast<std::uint32_t>((4096 + packages.size()) / 16)) + little32(blocks);
    std::string package = "BlbS" + little32(number) + little32(1) + little32(length) + blob;
    package.resize(blocks * 16 - 12);
    packages += package + little32(0) + little32(length) + "BlbE";
  }
  while (slots.size() < 4096 - 32) slots += "Slot" + std::string(12, '\0');
  return "RpmP" + little32(0) + little32(1) + little32(1) + little32(number + 1) +
         std::string(12, '\0') + slots + packages;
}

// A Berkeley DB of 512-byte pages: the description, one hash page with one off-page item, and
// the overflow pages that hold it.
inline std::string bdb(std::string_view blob) {
  constexpr std::size_t page_size = 512;
  constexpr std::size_t room = page_size - 26;
  const auto page = [](std::uint32_t number, std::uint32_t next, unsigned entries, unsigned used,
                       char type, std::string_view body) {
    std::string bytes = std::string(8, '\0') + little32(number) + little32(0) + little32(next) +
                        little16(entries) + little16(used) + '\0' + type + std::string(body);
    bytes.resize(page_size);
    return bytes;
  };
  std::string meta = std::string(12, '\0') + little32(0x061561) + little32(9) +
                     little32(page_size) + std::string("\0\x08\0\0\0\0\0\0", 8) +
                     little32(static_cast<std::uint32_t>(1 + (blob.size() + room - 1) / room));
  meta.resize(page_size);
  const auto item = std::string("\x03\0\0\0", 4) + little32(2) +
                    little32(static_cast<std::uint32_t>(blob.size()));
  const auto key = '\x01' + little32(1);
  std::string hash = little16(page_size - 5) + little16(page_size - 5 - 12);
  hash.resize(page_size - 26 - key.size() - item.size());
  std::string file = meta + page(1, 0, 2, 0, 13, hash + item + key);
  for (std::uint32_t number = 2; !blob.empty(); ++number) {
    const auto part = blob.substr(0, room);
    blob.remove_prefix(part.size());
    file +=
        page(number, blob.empty() ? 0 : number + 1, 1, static_cast<unsigned>(part.size()), 7, part);
  }
  return file;
}

}  // namespace tenken::inventory::test
