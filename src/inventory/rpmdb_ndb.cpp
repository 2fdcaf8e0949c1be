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

Result<> expect(Cursor& cursor, std::string_view magic, std::string_view what) {
  TRY(const auto found, cursor.take(magic.size()));
  if (found != magic)
    return invalid(fmt::format("{} at byte {} is damaged", what, cursor.offset()));
  return {};
}

Result<std::string_view> read_blob(std::string_view bytes, const Slot& slot) {
  Cursor file(bytes);
  TRY_VOID(file.seek(std::size_t{slot.first_block} * block_bytes));
  TRY(const auto blocks, file.take(std::size_t{slot.blocks} * block_bytes));
  Cursor cursor(blocks);
  TRY_VOID(expect(cursor, "BlbS", "a package's head"));
  TRY(const auto number, cursor.little<std::uint32_t>());
  if (number != slot.number) return invalid("a package's head names another package");
  TRY_VOID(cursor.take(sizeof(std::uint32_t)));  // generation
  TRY(const auto length, cursor.little<std::uint32_t>());
  TRY(const auto blob, cursor.take(length));
  if (cursor.remaining() < tail_bytes) return invalid("a package's tail is missing");
  TRY_VOID(cursor.seek(blocks.size() - tail_bytes + sizeof(std::uint32_t)));
  TRY(const auto tail_length, cursor.little<std::uint32_t>());
  if (tail_length != length) return invalid("a package's head and tail differ in length");
  TRY_VOID(expect(cursor, "BlbE", "a package's tail"));
  return blob;
}

}  // namespace

Result<> read_rpmdb_ndb(std::string_view bytes, const VisitRpmHeader& visit) {
  Cursor cursor(bytes);
  TRY_VOID(expect(cursor, "RpmP", "the database's header"));
  TRY(const auto version, cursor.little<std::uint32_t>());
  if (version != 0) return invalid(fmt::format("version {} of the ndb format", version));
  TRY_VOID(cursor.take(sizeof(std::uint32_t)));  // generation
  TRY(const auto slot_pages, cursor.little<std::uint32_t>());
  TRY_VOID(cursor.seek(header_bytes));
  if (slot_pages == 0 || slot_pages > bytes.size() / page_bytes)
    return invalid(fmt::format("{} slot pages do not fit into the file", slot_pages));
  TRY(const auto table, cursor.take(slot_pages * page_bytes - header_bytes));
  // Packages do not overlap: together they are no larger than the file.
  std::size_t room = bytes.size();
  Cursor slots(table);
  while (slots.remaining() >= slot_bytes) {
    TRY_VOID(expect(slots, "Slot", "a slot"));
    Slot slot;
    TRY(slot.number, slots.little<std::uint32_t>());
    TRY(slot.first_block, slots.little<std::uint32_t>());
    TRY(slot.blocks, slots.little<std::uint32_t>());
    if (slot.number == 0) continue;
    TRY(const auto blob, read_blob(bytes, slot));
    if (blob.size() > room) return invalid("packages overlap");
    room -= blob.size();
    TRY_VOID(visit(blob, slot.number));
  }
  return {};
}

}  // namespace tenken::inventory
