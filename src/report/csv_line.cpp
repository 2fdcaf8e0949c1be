#include "report/csv_line.h"

#include <utility>

#include "base/text.h"

namespace tenken::report {
namespace {

// A spreadsheet takes a cell that begins with one of these for a formula.
bool looks_like_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@").contains(text.front());
}

}  // namespace

CsvLine& CsvLine::cell(std::string_view text) {
  if (!std::exchange(first_, false)) text_ += ',';
  std::string safe = printable(text);
  if (looks_like_formula(safe)) safe.insert(0, 1, '\'');
  if (safe.find_first_of(",\"") == std::string::npos) {
    text_ += safe;
    return *this;
  }
  text_ += '"';
  for (const char c : safe) {
    if (c == '"') text_ += '"';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

}  // namespace tenken::report
