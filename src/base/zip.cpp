#include "base/zip.h"

#include <algorithm>

#include <fmt/format.h>
#include <libdeflate.h>
#include <sys/stat.h>

namespace tenken {
namespace {

constexpr std::string_view end_mark("PK\x05\x06", 4);
constexpr std::string_view zip64_end_mark("PK\x06\x06", 4);
constexpr std::string_view zip64_locator_mark("PK\x06\x07", 4);
constexpr std::string_view entry_mark("PK\x01\x02", 4);
constexpr std::string_view local_mark("PK\x03\x04", 4);
constexpr std::size_t end_size = 22;
constexpr std::size_t zip64_locator_size = 20;
constexpr std::size_t comment_limit = 0xFFFF;
constexpr std::uint32_t in_zip64 = 0xFFFFFFFF;  // the value stands in the zip64 record
constexpr std::uint16_t in_zip64_short = 0xFFFF;
constexpr std::uint16_t zip64_field = 0x0001;
constexpr std::uint16_t stored = 0;
constexpr std::uint16_t deflated = 8;
constexpr std::uint16_t encrypted_flag = 1;
constexpr unsigned made_by_unix = 3;
constexpr std::uint64_t most_inflation = 1032;  // a deflated byte never gives more

// Reads little-endian fields of a part whose size was checked when it was taken.
class Fields {
 public:
  explicit Fields(std::string_view part) : cursor_(part) {}
  template <typename Unsigned>
  Unsigned get() {
    auto value = cursor_.little<Unsigned>();
    CHECK(value.has_value());
    return *value;
  }
  void skip(std::size_t count) { CHECK(cursor_.take(count).has_value()); }

 private:
  Cursor cursor_;
};

Result<Fields> part(Cursor& cursor, std::string_view mark, std::size_t size) {
  TRY(const auto bytes, cursor.take(size));
  if (!bytes.starts_with(mark)) return invalid("corrupt zip archive: a header has a wrong mark");
  return Fields(bytes.substr(mark.size()));
}

// The end record is the last one whose comment reaches to the end of the file.
std::optional<std::size_t> find_end_record(std::string_view bytes) {
  if (bytes.size() < end_size) return std::nullopt;
  const std::size_t last = bytes.size() - end_size;
  const std::size_t first = last - std::min(last, comment_limit);
  for (auto at = bytes.rfind(end_mark, last); at != bytes.npos && at >= first;
       at = bytes.rfind(end_mark, at - 1)) {
    Fields comment(bytes.substr(at + end_size - 2, 2));
    if (comment.get<std::uint16_t>() == bytes.size() - at - end_size) return at;
    if (at == 0) break;
  }
  return std::nullopt;
}

// Sizes and places that pass 4 GiB stand in an extra field, those alone and in this order.
Result<> read_zip64_field(std::string_view extra, ZipMember& member) {
  Cursor cursor(extra);
  while (cursor.remaining() >= 4) {
    TRY(const auto id, cursor.little<std::uint16_t>());
    TRY(const auto size, cursor.little<std::uint16_t>());
    TRY(const auto bytes, cursor.take(size));
    if (id != zip64_field) continue;
    Cursor values(bytes);
    for (auto* value : {&member.size, &member.packed_size, &member.place}) {
      if (*value != in_zip64) continue;
      TRY(*value, values.little<std::uint64_t>());
    }
    return {};
  }
  return invalid("corrupt zip archive: a member's zip64 field is missing");
}

}  // namespace

struct ZipReader::Inflater {
  libdeflate_decompressor* state = libdeflate_alloc_decompressor();

  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { libdeflate_free_decompressor(state); }
};

ZipReader::ZipReader(std::string_view bytes, std::string_view directory, std::uint64_t members)
    : bytes_(bytes),
      directory_(directory),
      members_left_(members),
      inflater_(std::make_unique<Inflater>()) {}
ZipReader::~ZipReader() = default;
ZipReader::ZipReader(ZipReader&&) noexcept = default;

Result<ZipReader> ZipReader::open(std::string_view bytes) {
  TRY(const auto directory, find_directory(bytes));
  if (directory.offset > bytes.size() || directory.size > bytes.size() - directory.offset)
    return invalid("corrupt zip archive: its directory lies outside the file");
  ZipReader reader(bytes, bytes.substr(directory.offset, directory.size), directory.members);
  if (reader.inflater_->state == nullptr) return unavailable("no memory to inflate");
  return reader;
}

Result<ZipReader::Directory> ZipReader::find_directory(std::string_view bytes) {
  const auto end_record = find_end_record(bytes);
  if (!end_record) return invalid("no zip archive, or cut off: it has no end record");
  Fields fields(bytes.substr(*end_record + end_mark.size(), end_size - end_mark.size()));
  const auto disk = fields.get<std::uint16_t>();
  const auto directory_disk = fields.get<std::uint16_t>();
  fields.skip(2);  // members on this disk
  const auto members = fields.get<std::uint16_t>();
  const auto size = fields.get<std::uint32_t>();
  const auto offset = fields.get<std::uint32_t>();
  if (members == in_zip64_short || size == in_zip64 || offset == in_zip64)
    return read_zip64(bytes, *end_record);
  if (disk != 0 || directory_disk != 0) return invalid("zip archive of several parts");
  return Directory{members, size, offset};
}

Result<ZipReader::Directory> ZipReader::read_zip64(std::string_view bytes, std::size_t end_record) {
  if (end_record < zip64_locator_size) return invalid("corrupt zip archive: no zip64 locator");
  Cursor cursor(bytes.substr(0, end_record));
  TRY_VOID(cursor.seek(end_record - zip64_locator_size));
  TRY(auto locator, part(cursor, zip64_locator_mark, zip64_locator_size));
  if (locator.get<std::uint32_t>() != 0) return invalid("zip archive of several parts");
  TRY_VOID(cursor.seek(locator.get<std::uint64_t>()));
  constexpr std::size_t zip64_end_size = 56;
  TRY(auto fields, part(cursor, zip64_end_mark, zip64_end_size));
  fields.skip(12);  // size of the record, versions
  const auto disk = fields.get<std::uint32_t>();
  const auto directory_disk = fields.get<std::uint32_t>();
  if (disk != 0 || directory_disk != 0) return invalid("zip archive of several parts");
  fields.skip(8);  // members on this disk
  Directory out;
  out.members = fields.get<std::uint64_t>();
  out.size = fields.get<std::uint64_t>();
  out.offset = fields.get<std::uint64_t>();
  return out;
}

Result<std::optional<ZipMember>> ZipReader::next() {
  if (members_left_ == 0) return std::nullopt;
  --members_left_;
  constexpr std::size_t entry_size = 46;
  TRY(auto fields, part(directory_, entry_mark, entry_size));
  const auto made_by = fields.get<std::uint16_t>();
  fields.skip(2);  // version needed
  ZipMember member;
  member.encrypted = (fields.get<std::uint16_t>() & encrypted_flag) != 0;
  member.method = fields.get<std::uint16_t>();
  fields.skip(4);  // time and date
  member.crc = fields.get<std::uint32_t>();
  member.packed_size = fields.get<std::uint32_t>();
  member.size = fields.get<std::uint32_t>();
  const auto name_size = fields.get<std::uint16_t>();
  const auto extra_size = fields.get<std::uint16_t>();
  const auto comment_size = fields.get<std::uint16_t>();
  fields.skip(4);  // disk, internal attributes
  const auto mode = fields.get<std::uint32_t>() >> 16;
  member.place = fields.get<std::uint32_t>();
  TRY(member.name, directory_.take(name_size));
  TRY(const auto extra, directory_.take(extra_size));
  TRY_VOID(directory_.take(comment_size));
  if (member.size == in_zip64 || member.packed_size == in_zip64 || member.place == in_zip64)
    TRY_VOID(read_zip64_field(extra, member));
  const bool other_type =
      made_by >> 8 == made_by_unix && (mode & S_IFMT) != 0 && !S_ISREG(mode & S_IFMT);
  member.regular = !other_type && !member.name.ends_with('/');
  return member;
}

Result<std::string_view> ZipReader::packed_bytes(const ZipMember& member) const {
  constexpr std::size_t local_size = 30;
  Cursor cursor(bytes_);
  TRY_VOID(cursor.seek(member.place));
  TRY(auto fields, part(cursor, local_mark, local_size));
  fields.skip(22);  // what the directory says too
  const auto name_size = fields.get<std::uint16_t>();
  const auto extra_size = fields.get<std::uint16_t>();
  TRY(const auto name, cursor.take(name_size));
  if (name != member.name) return invalid("its local header has another name");
  TRY_VOID(cursor.take(extra_size));
  return cursor.take(member.packed_size);
}

Result<std::string_view> ZipReader::unpack(const ZipMember& member, std::size_t limit_bytes) {
  if (member.encrypted) return invalid("encrypted");
  if (member.size > limit_bytes)
    return limit_exceeded(fmt::format("more than {} bytes unpacked", limit_bytes));
  TRY(const auto packed, packed_bytes(member));
  std::string_view content = packed;
  if (member.method == deflated) {
    // Nothing is reserved that the packed bytes could not fill.
    if (member.size > packed.size() * most_inflation)
      return invalid("shorter than its stated size");
    if (buffer_.size() < member.size) buffer_.resize(member.size);
    std::size_t written = 0;
    const auto result = libdeflate_deflate_decompress(
        inflater_->state, packed.data(), packed.size(), buffer_.data(), member.size, &written);
    if (result != LIBDEFLATE_SUCCESS) return invalid("corrupt, or longer than its stated size");
    content = {buffer_.data(), written};
  } else if (member.method != stored) {
    return invalid(fmt::format("packed by method {}, which is not read", member.method));
  }
  if (content.size() != member.size) return invalid("not of its stated size");
  if (libdeflate_crc32(0, content.data(), content.size()) != member.crc)
    return invalid("its checksum is wrong");
  return content;
}

}  // namespace tenken
