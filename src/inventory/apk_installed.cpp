#include "inventory/apk_installed.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::inventory {
namespace {

struct Record {
  std::size_t line = 0;  // of its first line, from 1; 0: no line seen yet
  std::string_view name;
  std::string_view version;
  std::string_view arch;
  std::string_view origin;
  std::string_view license;
  std::string_view fault;  // the first one; empty: none
};

// Whether the line holds a field that is read here.
bool read_line(std::string_view line, Record& record) {
  const auto fault = [&](std::string_view what) {
    if (record.fault.empty()) record.fault = what;
    return true;
  };
  if (line.size() < 2 || line[1] != ':') return fault("a line that is no field");
  std::string_view* target = nullptr;
  switch (line[0]) {
    case 'P':
      target = &record.name;
      break;
    case 'V':
      target = &record.version;
      break;
    case 'A':
      target = &record.arch;
      break;
    case 'o':
      target = &record.origin;
      break;
    case 'L':
      target = &record.license;
      break;
    default:
      return false;
  }
  if (!target->empty()) return fault("a field stands there twice");
  *target = trim(line.substr(2));
  return true;
}

Result<> finish(const Record& record, PackageList& list) {
  if (record.line == 0) return {};
  const auto fault = [&]() -> std::string_view {
    if (!record.fault.empty()) return record.fault;
    if (!is_plain_word(record.name)) return "no usable name";
    if (!is_plain_word(record.version)) return "no usable version";
    return {};
  }();
  if (!fault.empty() && record.name.empty()) {
    list.skip(fmt::format("line {}", record.line), fault);
    return {};
  }
  if (!fault.empty()) {
    if (record.fault.empty())
      list.skip_package("apk", record.name, fault);
    else
      list.skip(record.name, fault);
    return {};
  }
  Package package;
  package.kind = "apk";
  package.name = record.name;
  package.version = record.version;
  package.arch = record.arch;
  package.license = record.license;
  if (!record.origin.empty()) {
    package.source_name = record.origin;
    package.source_version = record.version;
  }
  return list.add(std::move(package));
}

}  // namespace

Result<PackageList> parse_apk_installed(std::string_view text, std::string_view location) {
  PackageList list(location);
  Record record;
  std::size_t line_number = 0;
  const bool ends_in_line = !text.empty() && text.back() != '\n';
  bool last_line_is_read = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.empty()) {
      TRY_VOID(finish(record, list));
      record = {};
      continue;
    }
    if (record.line == 0) record.line = line_number;
    last_line_is_read = read_line(line, record);
  }
  // apk ends every record with a blank line.
  if (record.line > 0) {
    const std::string_view reason = ends_in_line ? "the file ends in the middle of a line"
                                                 : "the file ends in the middle of a package";
    list.skip_unsettled("", reason);
    if (ends_in_line && last_line_is_read) record.fault = reason;
  }
  TRY_VOID(finish(record, list));
  return list;
}

void list_apk_files(std::string_view text, FileOwners& query) {
  std::string_view package;
  std::string_view directory;
  for_each_line(text, [&](std::string_view line) {
    const auto value = line.size() < 2 ? std::string_view() : line.substr(2);
    if (line.starts_with("P:")) package = value;
    if (line.starts_with("F:")) directory = value;
    if (line.starts_with("R:")) query.add(fmt::format("/{}/{}", directory, value), package);
  });
}

}  // namespace tenken::inventory
