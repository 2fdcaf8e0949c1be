// Layout, all little-endian: a header of 32 bytes {magic "RpmP", version, generation, number of
// slot pages, …}; slots of 16 bytes {magic "Slot", package number, first block, block count} fill
// the slot pages of 4,096 bytes; blocks are 16 bytes. A package's blocks hold a head {magic
// "BlbS", package number, generation, length}, the header blob and, at their very end, a tail
// {checksum, length, magic "BlbE"}. A slot whose package number is 0 is free.
#include <fmt/format.h>

#include "base/cursor.h"
#include "inventory/rpmdb.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t header_bytes = 32;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t slot_bytes = 16;
constexpr std::size_t block_bytes = 16;
constexpr std::size_t tail_bytes = 12;

struct Slot {
  std::uint32_t number = 0;
  std::uint32_t first_block = 0;
  std::uint32_t blocks = 0;
};

// begin: of the cursor's bytes in the file.
Result<> expect(Cursor& cursor, std::size_t begin, std::string_view magic, std::string_view what) {
  TRY(const auto found, cursor.take(magic.size()));
  if (found != magic)
    return invalid(fmt::format("{} at byte {} is damaged", what, begin + cursor.offset()));
  return {};
}

Result<Slot> read_slot(std::string_view bytes, std::size_t begin) {
  Cursor cursor(bytes);
  TRY_VOID(expect(cursor, begin, "Slot", "a slot"));
  Slot slot;
  TRY(slot.number, cursor.little<std::uint32_t>());
  TRY(slot.first_block, cursor.little<std::uint32_t>());
  TRY(slot.blocks, cursor.little<std::uint32_t>());
  return slot;
}

Result<std::string_view> read_blob(ByteWindow& bytes, const Slot& slot) {
  const auto begin = std::size_t{slot.first_block} * block_bytes;
  const auto size = std::size_t{slot.blocks} * block_bytes;
  if (size > max_rpm_header_bytes) return limit_exceeded("a header of more than 32 MB");
  TRY(const auto blocks, bytes.at(begin, size));
  Cursor cursor(blocks);
  TRY_VOID(expect(cursor, begin, "BlbS", "a package's head"));
  TRY(const auto number, cursor.little<std::uint32_t>());
  if (number != slot.number) return invalid("a package's head names another package");
  TRY_VOID(cursor.take(sizeof(std::uint32_t)));  // generation
  TRY(const auto length, cursor.little<std::uint32_t>());
  TRY(const auto blob, cursor.take(length));
  if (cursor.remaining() < tail_bytes) return invalid("a package's tail is missing");
  TRY_VOID(cursor.seek(blocks.size() - tail_bytes + sizeof(std::uint32_t)));
  TRY(const auto tail_length, cursor.little<std::uint32_t>());
  if (tail_length != length) return invalid("a package's head and tail differ in length");
  TRY_VOID(expect(cursor, begin, "BlbE", "a package's tail"));
  return blob;
}

}  // namespace

Result<> read_rpmdb_ndb(const ByteWindow& bytes, const VisitRpmHeader& visit) {
  auto slots = bytes;
  auto packages = bytes;
  TRY(const auto header, slots.at(0, header_bytes));
  Cursor cursor(header);
  TRY_VOID(expect(cursor, 0, "RpmP", "the database's header"));
  TRY(const auto version, cursor.little<std::uint32_t>());
  if (version != 0) return invalid(fmt::format("version {} of the ndb format", version));
  TRY_VOID(cursor.take(sizeof(std::uint32_t)));  // generation
  TRY(const auto slot_pages, cursor.little<std::uint32_t>());
  if (slot_pages == 0 || slot_pages > bytes.size() / page_bytes)
    return invalid(fmt::format("{} slot pages do not fit into the file", slot_pages));
  // Packages do not overlap: together they are no larger than the file.
  std::size_t room = bytes.size();
  for (auto at = header_bytes; at < slot_pages * page_bytes; at += slot_bytes) {
    TRY(const auto bytes_of_slot, slots.at(at, slot_bytes));
    TRY(const auto slot, read_slot(bytes_of_slot, at));
    if (slot.number == 0) continue;
    const auto size = std::size_t{slot.blocks} * block_bytes;
    if (size > room) return invalid("packages overlap");
    room -= size;
    TRY(const auto blob, read_blob(packages, slot));
    TRY_VOID(visit(blob, slot.number));
  }
  return {};
}

}  // namespace tenken::inventory
