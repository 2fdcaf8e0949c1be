// Zip archives for tests, also such as no program writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <libdeflate.h>

namespace tenken::test {

// Little-endian.
template <typename Unsigned>
void put(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

struct ZipMember {
  std::string name;
  std::string content;
  bool deflate = false;
  std::uint16_t method = 0;  // where it is neither stored nor deflated
  std::uint16_t flags = 0;
  std::uint32_t mode = 0100644;
  std::string local_name = {};  // where it differs
  std::uint64_t stated_size = ~std::uint64_t{0};
};

inline std::string deflated(const std::string& content) {
  auto* state = libdeflate_alloc_compressor(6);
  std::string out(libdeflate_deflate_compress_bound(state, content.size()), '\0');
  out.resize(
      libdeflate_deflate_compress(state, content.data(), content.size(), out.data(), out.size()));
  libdeflate_free_compressor(state);
  return out;
}

// zip64: every size and place stands in the zip64 records, as in archives that pass 4 GiB.
inline std::string zip(const std::vector<ZipMember>& members, bool zip64 = false,
                       const std::string& comment = {}) {
  std::string out;
  std::string directory;
  for (const auto& member : members) {
    const auto packed = member.deflate ? deflated(member.content) : member.content;
    const std::uint64_t size =
        member.stated_size != ~std::uint64_t{0} ? member.stated_size : member.content.size();
    const auto crc = libdeflate_crc32(0, member.content.data(), member.content.size());
    const std::uint64_t place = out.size();
    const auto& local_name = member.local_name.empty() ? member.name : member.local_name;
    out += "PK\x03\x04" + std::string(22, '\0');
    put<std::uint16_t>(out, static_cast<std::uint16_t>(local_name.size()));
    put<std::uint16_t>(out, 0);
    out += local_name + packed;

    directory += "PK\x01\x02";
    put<std::uint16_t>(directory, 0x0314);  // made by unix
    put<std::uint16_t>(directory, 20);
    put<std::uint16_t>(directory, member.flags);
    put<std::uint16_t>(directory, member.deflate ? std::uint16_t{8} : member.method);
    put<std::uint32_t>(directory, 0);
    put<std::uint32_t>(directory, crc);
    std::string extra;
    put<std::uint32_t>(directory, zip64 ? ~0U : static_cast<std::uint32_t>(packed.size()));
    put<std::uint32_t>(directory, zip64 ? ~0U : static_cast<std::uint32_t>(size));
    if (zip64) {
      put<std::uint16_t>(extra, 0x5455);  // another field before it
      put<std::uint16_t>(extra, 1);
      extra += '\0';
      put<std::uint16_t>(extra, 1);
      put<std::uint16_t>(extra, 24);
      put<std::uint64_t>(extra, size);
      put<std::uint64_t>(extra, packed.size());
      put<std::uint64_t>(extra, place);
    }
    put<std::uint16_t>(directory, static_cast<std::uint16_t>(member.name.size()));
    put<std::uint16_t>(directory, static_cast<std::uint16_t>(extra.size()));
    put<std::uint16_t>(directory, 0);
    put<std::uint32_t>(directory, 0);
    put<std::uint32_t>(directory, member.mode << 16);
    put<std::uint32_t>(directory, zip64 ? ~0U : static_cast<std::uint32_t>(place));
    directory += member.name + extra;
  }
  const std::uint64_t directory_place = out.size();
  out += directory;
  if (zip64) {
    const std::uint64_t end = out.size();
    out += "PK\x06\x06";
    put<std::uint64_t>(out, 44);
    put<std::uint32_t>(out, 0);
    put<std::uint64_t>(out, 0);
    put<std::uint64_t>(out, members.size());
    put<std::uint64_t>(out, members.size());
    put<std::uint64_t>(out, directory.size());
    put<std::uint64_t>(out, directory_place);
    out += "PK\x06\x07";
    put<std::uint32_t>(out, 0);
    put<std::uint64_t>(out, end);
    put<std::uint32_t>(out, 1);
  }
  const auto count = zip64 ? 0xFFFFU : static_cast<unsigned>(members.size());
  out += std::string("PK\x05\x06\0\0\0\0", 8);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(count));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(count));
  put<std::uint32_t>(out, zip64 ? ~0U : static_cast<std::uint32_t>(directory.size()));
  put<std::uint32_t>(out, zip64 ? ~0U : static_cast<std::uint32_t>(directory_place));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(comment.size()));
  return out + comment;
}

}  // namespace tenken::test
