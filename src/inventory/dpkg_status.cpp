#include "inventory/dpkg_status.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::inventory {
namespace {

struct Stanza {
  std::size_t line = 0;  // of its first field, from 1; 0: no field seen yet
  std::string_view package;
  std::string_view version;
  std::string_view architecture;
  std::string_view source;
  std::string_view status;
  std::string_view origin;
  std::string_view type;
  std::string fault;  // the first one; empty: none
};

struct Field {
  std::string_view name;
  std::string_view Stanza::* value;
};
constexpr std::array fields{
    Field{"Package", &Stanza::package},
    Field{"Version", &Stanza::version},
    Field{"Architecture", &Stanza::architecture},
    Field{"Source", &Stanza::source},
    Field{"Status", &Stanza::status},
    Field{"Origin", &Stanza::origin},
    Field{"Type", &Stanza::type},
};

// Field names are not case-sensitive (deb822(5)).
bool same_field(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](char c) { return ascii_lower(c); }, [](char c) { return ascii_lower(c); });
}

// Whether the line holds a field that is read here.
bool read_line(std::string_view line, Stanza& stanza) {
  const auto [name, value] = split_once(line, ':');
  if (!value) {
    if (stanza.fault.empty()) stanza.fault = "a line that is no field";
    return true;
  }
  const auto field = std::ranges::find_if(
      fields, [&](const Field& known) { return same_field(known.name, trim(name)); });
  if (field == fields.end()) return false;
  auto& target = stanza.*field->value;
  if (!target.empty() && stanza.fault.empty())
    stanza.fault = fmt::format("the field {} stands there twice", field->name);
  target = trim(*value);
  return true;
}

enum class Presence : std::uint8_t { installed, absent, unclear };

// "want flag state" (dpkg-query(1), --show, db:Status-*).
Presence presence(const Stanza& stanza, DpkgLayout layout) {
  if (stanza.status.empty() && layout == DpkgLayout::single_file) return Presence::installed;
  const auto words = split(stanza.status, ' ');
  if (words.size() != 3) return Presence::unclear;
  constexpr std::string_view installed[] = {"installed", "triggers-pending", "triggers-awaited",
                                            "half-configured", "unpacked"};
  constexpr std::string_view absent[] = {"config-files", "not-installed"};
  if (std::ranges::count(installed, words[2]) > 0) return Presence::installed;
  if (std::ranges::count(absent, words[2]) > 0) return Presence::absent;
  return Presence::unclear;
}

// "Source: name (version)"; the version stands there only if it is not the package's own.
struct Source {
  std::string_view name;
  std::string_view version;
};
Result<Source> parse_source(std::string_view text) {
  const auto [name, rest] = split_once(text, '(');
  Source source{.name = trim(name), .version = {}};
  if (rest) {
    if (!rest->ends_with(')')) return invalid("the Source field is not \"name (version)\"");
    source.version = trim(rest->substr(0, rest->size() - 1));
  }
  if (!is_plain_word(source.name) || (rest && !is_plain_word(source.version)))
    return invalid("the Source field is not \"name (version)\"");
  return source;
}

Result<Package> to_package(const Stanza& stanza) {
  if (!stanza.fault.empty()) return invalid(stanza.fault);
  if (stanza.package.empty()) return invalid("no Package field");
  if (!is_plain_word(stanza.package)) return invalid("the package name is not usable");
  if (stanza.version.empty()) return invalid("no version");
  if (!is_plain_word(stanza.version)) return invalid("the version is not usable");
  Package package;
  package.kind = "deb";
  package.name = stanza.package;
  package.version = stanza.version;
  package.arch = stanza.architecture;
  package.vendor = stanza.origin;
  if (stanza.source.empty()) return package;
  TRY(const auto source, parse_source(stanza.source));
  package.source_name = source.name;
  package.source_version = source.version;
  return package;
}

Result<> finish(const Stanza& stanza, DpkgLayout layout, PackageList& list) {
  if (stanza.line == 0) return {};
  const auto record =
      stanza.package.empty() ? fmt::format("line {}", stanza.line) : std::string(stanza.package);
  // vcpkg keeps its ports in the same format; they are not packages of the system.
  if (same_field(stanza.type, "Port")) {
    list.skip(record, "a vcpkg port, not a dpkg package");
    return {};
  }
  const auto state = presence(stanza, layout);
  if (state == Presence::absent) return {};
  if (state == Presence::unclear) {
    list.skip(record, fmt::format("state unclear: \"{}\"", stanza.status));
    return {};
  }
  auto package = to_package(stanza);
  if (package) return list.add(*std::move(package));
  list.skip(record, package.error().what);
  return {};
}

}  // namespace

Result<PackageList> parse_dpkg_status(std::string_view text, std::string_view location,
                                      DpkgLayout layout) {
  PackageList list(location);
  Stanza stanza;
  std::size_t line_number = 0;
  // dpkg always writes the last newline: without it the file was cut off inside the last line.
  const bool cut_off = layout == DpkgLayout::database && !text.empty() && text.back() != '\n';
  bool last_line_is_read = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (trim(line).empty()) {
      TRY_VOID(finish(stanza, layout, list));
      stanza = {};
      continue;
    }
    if (stanza.line == 0) stanza.line = line_number;
    // A line that begins with a blank continues a field that is not read here.
    last_line_is_read = line[0] != ' ' && line[0] != '\t' && read_line(line, stanza);
  }
  if (cut_off) {
    constexpr std::string_view reason = "the file ends in the middle of a line";
    list.skip("", reason);
    if (last_line_is_read) stanza.fault = reason;
  }
  TRY_VOID(finish(stanza, layout, list));
  return list;
}

}  // namespace tenken::inventory
