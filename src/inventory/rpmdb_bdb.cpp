// A Berkeley DB file of the hash kind, as rpm before 4.16 keeps it. Every page of the file is
// looked at: hash pages hold pairs of items, key (the package's number, 4 bytes) and data (the
// header blob). A blob stands in the item or, as nearly all do, in a chain of overflow pages.
// Page 0 describes the file; its magic gives the byte order of all numbers.
#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/cursor.h"
#include "inventory/rpmdb.h"

namespace tenken::inventory {
namespace {

constexpr std::uint32_t hash_magic = 0x061561;
constexpr std::uint8_t page_hash_unsorted = 2;
constexpr std::uint8_t page_overflow = 7;
constexpr std::uint8_t page_hash_meta = 8;
constexpr std::uint8_t page_hash = 13;
constexpr std::uint8_t item_inline = 1;
constexpr std::uint8_t item_off_page = 3;
constexpr std::size_t page_header_bytes = 26;
constexpr std::size_t smallest_page_bytes = 512;

struct PageHeader {
  std::uint32_t next = 0;
  std::uint16_t entries = 0;  // of a hash page
  std::uint16_t used = 0;     // bytes of data on an overflow page
  std::uint8_t type = 0;
};

class Reader {
 public:
  static Result<Reader> open(const ByteWindow& bytes) {
    auto start = bytes;
    TRY(const auto page, start.at(0, std::min(bytes.size(), smallest_page_bytes)));
    TRY(const auto order, byte_order(page));
    Cursor meta(page);
    TRY_VOID(meta.seek(20));
    TRY(const auto page_size, meta.read<std::uint32_t>(order));
    TRY(const auto encryption, meta.read<std::uint8_t>(order));
    TRY(const auto type, meta.read<std::uint8_t>(order));
    TRY(const auto flags, meta.read<std::uint8_t>(order));
    TRY_VOID(meta.seek(32));
    TRY(const auto last_page, meta.read<std::uint32_t>(order));
    if (page_size < smallest_page_bytes || page_size > 65'536 || !std::has_single_bit(page_size))
      return invalid(fmt::format("a page size of {} bytes", page_size));
    if (type != page_hash_meta) return invalid("a Berkeley DB of another kind than hash");
    if (encryption != 0) return invalid("the database is encrypted");
    // Page checksums make page headers longer; rpm never sets them.
    if ((flags & 1) != 0) return invalid("a database with page checksums is not supported");
    return Reader(bytes, page_size, last_page, order);
  }

  Result<> read(const VisitRpmHeader& visit) {
    for (std::uint32_t number = 1; number < page_count_; ++number) {
      TRY(const auto whole, page(pages_, number));
      TRY(const auto header, page_header(whole));
      if (header.type == page_hash || header.type == page_hash_unsorted)
        TRY_VOID(read_hash_page(whole, header, visit).within(fmt::format("page {}", number)));
    }
    if (last_page_ >= page_count_)
      return invalid(fmt::format("the file is cut off: {} of {} pages", page_count_,
                                 std::uint64_t{last_page_} + 1));
    return {};
  }

 private:
  Reader(const ByteWindow& bytes, std::uint32_t page_size, std::uint32_t last_page,
         std::endian order)
      : pages_(bytes),
        chains_(bytes),
        page_size_(page_size),
        page_count_(static_cast<std::uint32_t>(bytes.size() / page_size)),
        last_page_(last_page),
        order_(order),
        overflow_room_(page_count_) {}

  static Result<std::endian> byte_order(std::string_view bytes) {
    Cursor meta(bytes);
    TRY_VOID(meta.seek(12));
    TRY(const auto magic, meta.little<std::uint32_t>());
    if (magic == hash_magic) return std::endian::little;
    if (std::byteswap(magic) == hash_magic) return std::endian::big;
    return invalid("no Berkeley DB hash database");
  }

  Result<std::string_view> page(ByteWindow& bytes, std::uint32_t number) const {
    return bytes.at(std::size_t{number} * page_size_, page_size_);
  }

  Result<PageHeader> page_header(std::string_view page) const {
    Cursor cursor(page);
    PageHeader header;
    TRY_VOID(cursor.seek(16));
    TRY(header.next, cursor.read<std::uint32_t>(order_));
    TRY(header.entries, cursor.read<std::uint16_t>(order_));
    TRY(header.used, cursor.read<std::uint16_t>(order_));
    TRY_VOID(cursor.take(1));  // level
    TRY(header.type, cursor.read<std::uint8_t>(order_));
    return header;
  }

  // Offsets of the items stand behind the page header; items fill the page from its end, so that
  // each reaches to the start of the one before.
  Result<> read_hash_page(std::string_view whole, const PageHeader& header,
                          const VisitRpmHeader& visit) {
    if (header.entries % 2 != 0) return invalid("a key without data");
    Cursor offsets(whole.substr(page_header_bytes));
    std::size_t end = whole.size();
    std::optional<std::uint32_t> key;
    for (std::uint16_t i = 0; i < header.entries; ++i) {
      TRY(const auto begin, offsets.read<std::uint16_t>(order_));
      if (begin < page_header_bytes || begin >= end)
        return invalid("an item lies outside its page");
      const auto item = whole.substr(begin, end - begin);
      end = begin;
      if (i % 2 == 0) {
        TRY(key, read_key(item));
        continue;
      }
      // Number 0 keeps the next free number, no package.
      if (key != 0U) TRY_VOID(read_item(item, *key, visit));
    }
    return {};
  }

  Result<std::uint32_t> read_key(std::string_view item) const {
    if (item.size() != 5 || item[0] != static_cast<char>(item_inline))
      return invalid("a key that is no package number");
    return Cursor(item.substr(1)).read<std::uint32_t>(order_);
  }

  Result<> read_item(std::string_view item, std::uint32_t key, const VisitRpmHeader& visit) {
    Cursor cursor(item);
    TRY(const auto type, cursor.read<std::uint8_t>(order_));
    if (type == item_inline) return visit(item.substr(1), key);
    if (type != item_off_page) return invalid(fmt::format("an item of type {}", type));
    TRY_VOID(cursor.take(3));
    TRY(const auto first, cursor.read<std::uint32_t>(order_));
    TRY(const auto length, cursor.read<std::uint32_t>(order_));
    TRY(const auto blob, read_overflow(first, length));
    return visit(blob, key);
  }

  // An overflow page belongs to one item only, so that all chains together are no longer than the
  // file has pages; a chain that runs in a circle ends there.
  Result<std::string> read_overflow(std::uint32_t number, std::uint32_t length) {
    if (length > max_rpm_header_bytes) return limit_exceeded("a header of more than 32 MB");
    std::string blob;
    blob.reserve(std::min<std::size_t>(length, chains_.size()));
    while (blob.size() < length) {
      if (number == 0 || number >= page_count_)
        return invalid(fmt::format("an overflow chain leads to page {}", number));
      if (overflow_room_ == 0) return invalid("overflow chains share pages");
      --overflow_room_;
      TRY(const auto whole, page(chains_, number));
      TRY(const auto header, page_header(whole));
      if (header.type != page_overflow) return invalid("an overflow chain leads to another page");
      Cursor cursor(whole);
      TRY_VOID(cursor.seek(page_header_bytes));
      TRY(const auto data, cursor.take(header.used));
      blob += data;
      number = header.next;
    }
    if (blob.size() != length) return invalid("an overflow chain is longer than its item");
    return blob;
  }

  ByteWindow pages_;
  ByteWindow chains_;  // which are followed while a page is looked at
  std::uint32_t page_size_;
  std::uint32_t page_count_;
  std::uint32_t last_page_;  // as the database says
  std::endian order_;
  std::uint32_t overflow_room_;  // pages that may still be read as overflow
};

}  // namespace

Result<> read_rpmdb_bdb(const ByteWindow& bytes, const VisitRpmHeader& visit) {
  TRY(auto reader, Reader::open(bytes));
  return reader.read(visit);
}

}  // namespace tenken::inventory
