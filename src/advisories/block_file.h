// BlockFile: the outer form of the advisory database, one immutable file mapped into memory.
//
//   header    magic, format version, block size, file size, section table, checksum of itself
//   blocks    the sections, each starting on a block boundary
//   checksums XXH3-64 of each block
//
// Opening checks magic, format version, file size, header checksum and the checksum table; a
// block is checked on its first touch. So a damaged file is an error at the latest when its damage
// would be read, never a smaller answer.
//
// Thread rule: one object may be read from many threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace tenken::advisories {

enum class Section : std::uint8_t {
  meta,             // feeds, coverage, skips
  partitions,       // table: (ecosystem, release)
  names,            // table: package names, by partition and name
  rows,             // affected rows of a name, one run per name
  records,          // table: advisories, by id
  vulnerabilities,  // table: by id
  dictionary,       // zstd dictionary of the documents
  documents,        // zstd frames: texts and references
};
inline constexpr std::size_t section_count = 8;
inline constexpr std::uint32_t format_version = 2;

class BlockFile {
 public:
  // not_found: no such file; invalid: no database, another format version, truncated or corrupt.
  static Result<BlockFile> open(const std::string& path);

  std::uint64_t section_size(Section section) const { return sections_[index(section)].size; }
  // Bytes of a section; invalid where the range or a block's checksum is wrong.
  Result<std::string_view> bytes(Section section, std::uint64_t offset, std::uint64_t size) const;
  Result<> verify_all() const;
  void release_pages() const { file_.release_pages(); }
  const std::string& generation() const { return generation_; }  // hex, of the whole content
  std::uint64_t file_size() const { return file_.bytes().size(); }
  const std::string& path() const { return path_; }

 private:
  struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  static std::size_t index(Section section) { return static_cast<std::size_t>(section); }
  Result<> verify_block(std::uint64_t block) const;
  Result<> read_header();

  std::string path_;
  MappedFile file_;
  std::array<Extent, section_count> sections_{};
  std::uint64_t checksums_ = 0;  // offset
  std::uint64_t blocks_ = 0;
  std::string generation_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> verified_;  // one bit a block
};

// The whole file's bytes from its sections, in the order of the enumeration.
std::string compose_block_file(const std::array<std::string, section_count>& sections);

}  // namespace tenken::advisories
