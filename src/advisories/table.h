// Table: a section that holds a sorted sequence of packed entries behind an array of their
// offsets: u32 count, u32 offset of each entry and of the end, entries.
//
// Thread rule: like the BlockFile it reads from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "advisories/block_file.h"
#include "base/result.h"

namespace tenken::advisories {

class TableWriter {
 public:
  // limit: the section would pass 4 GiB.
  Result<> add(std::string_view entry);
  std::uint32_t count() const { return count_; }
  std::string take() const;

 private:
  std::string offsets_;
  std::string entries_;
  std::uint32_t count_ = 0;
};

class Table {
 public:
  static Result<Table> open(const BlockFile& file, Section section);
  std::uint32_t count() const { return count_; }
  Result<std::string_view> entry(const BlockFile& file, std::uint32_t index) const;

 private:
  Section section_ = Section::meta;
  std::uint32_t count_ = 0;
};

}  // namespace tenken::advisories
