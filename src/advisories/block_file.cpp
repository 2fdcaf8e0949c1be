#include "advisories/block_file.h"

#include <cstring>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/cursor.h"

namespace tenken::advisories {
namespace {

constexpr std::string_view magic("\x89TENKEN\n", 8);
constexpr std::uint64_t block_size = 4096;
constexpr std::uint64_t header_size = block_size;  // the header has the first block to itself

template <typename Unsigned>
void put(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

void pad_to_block(std::string& out) {
  out.resize((out.size() + block_size - 1) / block_size * block_size);
}

std::uint64_t hash(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

std::string compose_block_file(const std::array<std::string, section_count>& sections) {
  std::size_t total = header_size;
  for (const auto& section : sections) total += section.size() + block_size;
  std::string out;
  out.reserve(total + total / 256 + block_size);
  out.resize(header_size);
  std::string table;
  for (const auto& section : sections) {
    put<std::uint64_t>(table, out.size());
    put<std::uint64_t>(table, section.size());
    out += section;
    pad_to_block(out);
  }
  const std::uint64_t checksums = out.size();
  const std::uint64_t blocks = checksums / block_size;
  std::string sums;
  // Block 0 is the header, which carries its own checksum; its slot stays zero.
  put<std::uint64_t>(sums, 0);
  for (std::uint64_t block = 1; block < blocks; ++block)
    put<std::uint64_t>(sums, hash(std::string_view(out).substr(block * block_size, block_size)));
  out += sums;

  std::string header(magic);
  put<std::uint32_t>(header, format_version);
  put<std::uint32_t>(header, static_cast<std::uint32_t>(section_count));
  put<std::uint64_t>(header, out.size());
  put<std::uint64_t>(header, checksums);
  put<std::uint64_t>(header, hash(sums));
  header += table;
  put<std::uint64_t>(header, hash(header));
  out.replace(0, header.size(), header);
  return out;
}

Result<BlockFile> BlockFile::open(const std::string& path) {
  BlockFile file;
  file.path_ = path;
  TRY(file.file_, MappedFile::open(path));
  TRY_VOID(file.read_header().within(path));
  return file;
}

Result<> BlockFile::read_header() {
  const auto bytes = file_.bytes();
  if (!bytes.starts_with(magic)) return invalid("not an advisory database of tenken");
  Cursor cursor(bytes.substr(0, std::min<std::size_t>(bytes.size(), header_size)));
  TRY_VOID(cursor.seek(magic.size()));
  TRY(const auto version, cursor.little<std::uint32_t>());
  if (version != format_version)
    return invalid(
        fmt::format("database format {}, this program reads format {}", version, format_version));
  TRY(const auto count, cursor.little<std::uint32_t>());
  TRY(const auto size, cursor.little<std::uint64_t>());
  TRY(checksums_, cursor.little<std::uint64_t>());
  TRY(const auto sums_hash, cursor.little<std::uint64_t>());
  if (count != section_count) return invalid("corrupt: wrong number of sections");
  for (auto& section : sections_) {
    TRY(section.offset, cursor.little<std::uint64_t>());
    TRY(section.size, cursor.little<std::uint64_t>());
  }
  const auto expected = hash(bytes.substr(0, cursor.offset()));
  TRY(const auto stated, cursor.little<std::uint64_t>());
  if (stated != expected) return invalid("corrupt: the header's checksum is wrong");
  const auto padding = bytes.substr(
      cursor.offset(), header_size - std::min<std::size_t>(cursor.offset(), header_size));
  if (padding.find_first_not_of('\0') != std::string_view::npos)
    return invalid("corrupt: something stands behind the header");
  if (bytes.size() > size)
    return invalid(fmt::format("too long: {} bytes, the header says {}", bytes.size(), size));
  if (bytes.size() < size)
    return invalid(fmt::format("truncated: {} bytes, the header says {}", bytes.size(), size));
  blocks_ = checksums_ / block_size;
  if (checksums_ % block_size != 0 || checksums_ > size || size - checksums_ != blocks_ * 8)
    return invalid("corrupt: the checksum table does not fit");
  for (const auto& section : sections_) {
    if (section.offset > checksums_ || section.size > checksums_ - section.offset)
      return invalid("corrupt: a section lies outside the file");
  }
  const auto sums = bytes.substr(checksums_);
  if (hash(sums) != sums_hash) return invalid("corrupt: the checksum table's checksum is wrong");
  const auto generation = XXH3_128bits(sums.data(), sums.size());
  generation_ = fmt::format("{:016x}{:016x}", generation.high64, generation.low64);
  verified_ = std::make_unique<std::atomic<std::uint64_t>[]>(blocks_ / 64 + 1);
  return {};
}

Result<> BlockFile::verify_block(std::uint64_t block) const {
  const auto bytes = file_.bytes();
  std::uint64_t stated = 0;
  std::memcpy(&stated, bytes.data() + checksums_ + block * 8, sizeof stated);
  if constexpr (std::endian::native == std::endian::big) stated = std::byteswap(stated);
  if (hash(bytes.substr(block * block_size, block_size)) != stated)
    return invalid(fmt::format("{}: corrupt: block {} has a wrong checksum", path_, block));
  verified_[block / 64].fetch_or(std::uint64_t{1} << (block % 64), std::memory_order_relaxed);
  return {};
}

Result<std::string_view> BlockFile::bytes(Section section, std::uint64_t offset,
                                          std::uint64_t size) const {
  const auto& extent = sections_[index(section)];
  if (offset > extent.size || size > extent.size - offset)
    return invalid(fmt::format("{}: corrupt: {} bytes at {} of section {}, which has {}", path_,
                               size, offset, index(section), extent.size));
  if (size == 0) return std::string_view();
  const auto start = extent.offset + offset;
  for (auto block = start / block_size; block <= (start + size - 1) / block_size; ++block) {
    const auto bits = verified_[block / 64].load(std::memory_order_relaxed);
    if ((bits >> (block % 64) & 1) == 0) TRY_VOID(verify_block(block));
  }
  return file_.bytes().substr(start, size);
}

Result<> BlockFile::verify_all() const {
  for (std::uint64_t block = 1; block < blocks_; ++block) TRY_VOID(verify_block(block));
  return {};
}

}  // namespace tenken::advisories
