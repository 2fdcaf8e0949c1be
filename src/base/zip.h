// ZipReader: the members of a zip archive that lies in memory, by its central directory. Stored and
// deflated members are read, of archives of one part, with zip64. The bytes are not trusted: every
// place, size and count is checked against what is there, and a member's length and checksum
// against what the directory says.
//
// Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5. Inflating is libdeflate's.
//
// Thread rule: one reader per thread; the archive's bytes must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/cursor.h"
#include "base/result.h"

namespace tenken {

struct ZipMember {
  std::string_view name;  // as it stands there: any bytes
  bool regular = true;    // no directory, link or device
  bool encrypted = false;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t place = 0;  // of its local header
};

class ZipReader {
 public:
  // Errors: invalid, where no end record with a central directory inside the bytes is found.
  static Result<ZipReader> open(std::string_view bytes);
  ~ZipReader();
  ZipReader(ZipReader&&) noexcept;

  // Members in the order of the directory, then nothing. Errors: invalid, which ends the walk.
  Result<std::optional<ZipMember>> next();

  // The member's content; it lives until the next call. Errors: invalid, limit.
  Result<std::string_view> unpack(const ZipMember& member, std::size_t limit_bytes);

 private:
  struct Inflater;
  struct Directory {
    std::uint64_t members = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
  };
  ZipReader(std::string_view bytes, std::string_view directory, std::uint64_t members);
  static Result<Directory> find_directory(std::string_view bytes);
  static Result<Directory> read_zip64(std::string_view bytes, std::size_t end_record);
  Result<std::string_view> packed_bytes(const ZipMember& member) const;

  std::string_view bytes_;
  Cursor directory_;
  std::uint64_t members_left_ = 0;
  std::unique_ptr<Inflater> inflater_;
  std::vector<char> buffer_;
};

}  // namespace tenken
