// One line of CSV, RFC 4180: CRLF line ends, quotes where needed, UTF-8, no byte order mark.
// Control characters are made visible, so that a record is one line; a cell that a spreadsheet
// would take for a formula is led by an apostrophe.
//
// Thread rule: a value.
#pragma once

#include <string>
#include <string_view>

namespace tenken::report {

class CsvLine {
 public:
  CsvLine& cell(std::string_view text);
  // The line with its end, once all cells are in.
  std::string_view end() { return text_ += "\r\n"; }

 private:
  std::string text_;
  bool first_ = true;
};

}  // namespace tenken::report
