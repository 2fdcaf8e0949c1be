#include "inventory/rpm_header.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/cursor.h"
#include "inventory/package_list.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t max_header_bytes = std::size_t{32} << 20;
constexpr std::uint32_t max_entries = 65'536;
constexpr std::size_t max_text_bytes = std::size_t{64} << 10;

// Tag numbers and types: rpm's tag reference.
constexpr std::uint32_t type_int32 = 4;
constexpr std::uint32_t type_string = 6;
constexpr std::uint32_t type_string_array = 8;
constexpr std::uint32_t type_i18n_string = 9;
constexpr std::uint32_t tag_directory_indexes = 1116;
constexpr std::uint32_t tag_base_names = 1117;
constexpr std::uint32_t tag_directory_names = 1118;

struct Fields {
  std::string_view name;
  std::string_view version;
  std::string_view release;
  std::string_view vendor;
  std::string_view license;
  std::string_view arch;
  std::string_view source_rpm;
  std::string_view module_label;
  std::uint32_t epoch = 0;

  // The text that a tag states; nullptr: the tag is not one of these.
  std::string_view* text(std::uint32_t tag) {
    switch (tag) {
      case 1000:
        return &name;
      case 1001:
        return &version;
      case 1002:
        return &release;
      case 1011:
        return &vendor;
      case 1014:
        return &license;
      case 1022:
        return &arch;
      case 1044:
        return &source_rpm;
      case 5096:
        return &module_label;
      default:
        return nullptr;
    }
  }
};
constexpr std::uint32_t tag_epoch = 1003;

// A text ends with a NUL byte inside the data. "(none)" is how rpm prints an absent one, and some
// tools store it.
Result<std::string_view> read_text(std::string_view data, std::uint32_t offset) {
  if (offset >= data.size()) return invalid("a text begins past the end of the header");
  const auto rest = data.substr(offset);
  const auto end = rest.find('\0');
  if (end == std::string_view::npos) return invalid("a text does not end inside the header");
  if (end > max_text_bytes) return limit_exceeded("a text of more than 64 KB");
  const auto text = rest.substr(0, end);
  return text == "(none)" ? std::string_view() : text;
}

Result<std::uint32_t> read_number(std::string_view data, std::uint32_t offset) {
  Cursor cursor(data);
  TRY_VOID(cursor.seek(offset));
  return cursor.big<std::uint32_t>();
}

struct Entry {
  std::uint32_t tag = 0;
  std::uint32_t type = 0;
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
};

Result<> read_entry(const Entry& entry, std::string_view data, Fields& fields) {
  if (entry.tag == tag_epoch) {
    if (entry.type != type_int32 || entry.count == 0) return invalid("the epoch is no number");
    TRY(fields.epoch, read_number(data, entry.offset));
    return {};
  }
  auto* const text = fields.text(entry.tag);
  if (text == nullptr) return {};
  if (entry.type != type_string && entry.type != type_i18n_string)
    return invalid(fmt::format("tag {} is no text", entry.tag));
  TRY(*text, read_text(data, entry.offset));
  return {};
}

struct Header {
  std::string_view table;
  std::string_view data;
};

Result<Header> read_header(std::string_view blob) {
  if (blob.size() > max_header_bytes) return limit_exceeded("a header of more than 32 MB");
  Cursor cursor(blob);
  TRY(const auto entries, cursor.big<std::uint32_t>());
  TRY(const auto data_size, cursor.big<std::uint32_t>());
  if (entries > max_entries) return limit_exceeded(fmt::format("{} header entries", entries));
  Header header;
  TRY(header.table, cursor.take(std::size_t{entries} * sizeof(Entry)));
  TRY(header.data, cursor.take(data_size));
  return header;
}

template <typename F>
Result<> for_each_tag(const Header& header, F&& f) {
  Cursor rows(header.table);
  while (!rows.at_end()) {
    Entry entry;
    TRY(entry.tag, rows.big<std::uint32_t>());
    TRY(entry.type, rows.big<std::uint32_t>());
    TRY(entry.offset, rows.big<std::uint32_t>());
    TRY(entry.count, rows.big<std::uint32_t>());
    TRY_VOID(f(entry));
  }
  return {};
}

// Tags may be added behind the signed region of the header; such a later entry replaces an
// earlier one of the same tag, so the last one wins.
Result<Fields> read_fields(const Header& header) {
  Fields fields;
  TRY_VOID(for_each_tag(
      header, [&](const Entry& entry) { return read_entry(entry, header.data, fields); }));
  return fields;
}

// Texts that follow each other. A text is a byte at least: a count that the data cannot hold ends
// with an error before it costs anything.
Result<std::vector<std::string_view>> read_texts(std::string_view data, const Entry& entry) {
  if (entry.type != type_string_array) return invalid(fmt::format("tag {} is no text", entry.tag));
  std::vector<std::string_view> out;
  auto offset = entry.offset;
  for (std::uint32_t i = 0; i < entry.count; ++i) {
    if (offset >= data.size()) return invalid("a text begins past the end of the header");
    const auto end = data.find('\0', offset);
    if (end == std::string_view::npos) return invalid("a text does not end inside the header");
    out.push_back(data.substr(offset, end - offset));
    offset = static_cast<std::uint32_t>(end + 1);
  }
  return out;
}

// Of each of the package's files.
struct Files {
  std::vector<std::string_view> names;
  std::vector<std::string_view> directories;
  Entry directory_of;  // numbers
};

Result<> read_files(const Entry& entry, std::string_view data, Files& files) {
  if (entry.tag == tag_base_names) {
    TRY(files.names, read_texts(data, entry));
  }
  if (entry.tag == tag_directory_names) {
    TRY(files.directories, read_texts(data, entry));
  }
  if (entry.tag == tag_directory_indexes) {
    if (entry.type != type_int32) return invalid("the lists of files do not fit each other");
    files.directory_of = entry;
  }
  return {};
}

}  // namespace

SourceRpm parse_source_rpm(std::string_view file_name) {
  for (const std::string_view suffix : {".src.rpm", ".nosrc.rpm"}) {
    if (!file_name.ends_with(suffix)) continue;
    const auto stem = file_name.substr(0, file_name.size() - suffix.size());
    const auto release = stem.rfind('-');
    if (release == std::string_view::npos || release == 0) return {};
    const auto version = stem.rfind('-', release - 1);
    if (version == std::string_view::npos || version == 0) return {};
    return {.name = stem.substr(0, version), .version = stem.substr(version + 1)};
  }
  return {};
}

Result<Package> parse_rpm_header(std::string_view blob) {
  TRY(const auto header, read_header(blob));
  TRY(const auto fields, read_fields(header));
  if (!is_plain_word(fields.name)) return invalid("no usable package name");
  if (!is_plain_word(fields.version) || !is_plain_word(fields.release))
    return invalid(fmt::format("{}: no usable version and release", fields.name));
  Package package;
  package.kind = "rpm";
  package.name = fields.name;
  package.version = fields.epoch == 0
                        ? fmt::format("{}-{}", fields.version, fields.release)
                        : fmt::format("{}:{}-{}", fields.epoch, fields.version, fields.release);
  package.arch = fields.arch;
  const auto source = parse_source_rpm(fields.source_rpm);
  package.source_name = source.name;
  package.source_version = source.version;
  package.module_label = fields.module_label;
  package.vendor = fields.vendor;
  package.license = fields.license;
  package.listed_only = package.name == "gpg-pubkey";
  return package;
}

Result<> list_rpm_files(std::string_view blob, FileOwners& query) {
  TRY(const auto header, read_header(blob));
  TRY(const auto fields, read_fields(header));
  Files files;
  TRY_VOID(for_each_tag(header,
                        [&](const Entry& entry) { return read_files(entry, header.data, files); }));
  if (files.names.size() != files.directory_of.count)
    return invalid("the lists of files do not fit each other");
  Cursor indexes(header.data);
  if (!files.names.empty()) TRY_VOID(indexes.seek(files.directory_of.offset));
  for (const auto name : files.names) {
    TRY(const auto index, indexes.big<std::uint32_t>());
    if (index >= files.directories.size())
      return invalid("the lists of files do not fit each other");
    query.add(fmt::format("{}{}", files.directories[index], name), fields.name);
  }
  return {};
}

}  // namespace tenken::inventory
