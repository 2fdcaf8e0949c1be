#include "advisories/table.h"

#include <limits>

#include <fmt/format.h>

#include "base/cursor.h"

namespace tenken::advisories {
namespace {

void put_u32(std::string& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((value >> shift) & 0xFF);
}

}  // namespace

Result<> TableWriter::add(std::string_view entry) {
  if (entries_.size() + entry.size() > std::numeric_limits<std::uint32_t>::max())
    return limit_exceeded("a section of the database would pass 4 GiB");
  put_u32(offsets_, entries_.size());
  entries_ += entry;
  ++count_;
  return {};
}

std::string TableWriter::take() const {
  std::string out;
  out.reserve(offsets_.size() + entries_.size() + 8);
  put_u32(out, count_);
  out += offsets_;
  put_u32(out, entries_.size());
  out += entries_;
  return out;
}

Result<Table> Table::open(const BlockFile& file, Section section) {
  Table table;
  table.section_ = section;
  TRY(const auto head, file.bytes(section, 0, 4));
  TRY(table.count_, Cursor(head).little<std::uint32_t>());
  return table;
}

Result<std::string_view> Table::entry(const BlockFile& file, std::uint32_t index) const {
  if (index >= count_)
    return invalid(fmt::format("{}: corrupt: entry {} of {}", file.path(), index, count_));
  TRY(const auto raw, file.bytes(section_, 4 + std::uint64_t{index} * 4, 8));
  Cursor cursor(raw);
  TRY(const auto start, cursor.little<std::uint32_t>());
  TRY(const auto end, cursor.little<std::uint32_t>());
  if (end < start)
    return invalid(fmt::format("{}: corrupt: entry {} ends before it starts", file.path(), index));
  return file.bytes(section_, 8 + std::uint64_t{count_} * 4 + start, end - start);
}

}  // namespace tenken::advisories
