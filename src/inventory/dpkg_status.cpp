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
  std::string_view description;
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
    Field{"Description", &Stanza::description},
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
  const bool is_port = same_field(stanza.type, "Port");
  const auto skip = [&](std::string_view reason) {
    if (stanza.fault.empty() && !stanza.package.empty())
      list.skip_package(is_port ? "vcpkg" : "deb", record, reason);
    else
      list.skip(record, reason);
  };
  if (is_port) {
    skip("a vcpkg port, not a dpkg package");
    return {};
  }
  const auto state = presence(stanza, layout);
  if (state == Presence::absent) return {};
  if (state == Presence::unclear) {
    skip(fmt::format("state unclear: \"{}\"", stanza.status));
    return {};
  }
  auto package = to_package(stanza);
  if (package) return list.add(*std::move(package));
  skip(package.error().what);
  return {};
}

// Why the end of a database is not its end; empty: it is. dpkg writes its packages in the order of
// their names and a blank line after each. A file that is out of order was put together by other
// means: there a last package is believed that has all that dpkg demands of one, of which the
// description comes last.
std::string_view why_cut(std::string_view text, const Stanza& last, bool in_order) {
  if (text.empty()) return {};
  if (text.back() != '\n') return "the file ends in the middle of a line";
  if (last.line == 0 || (!in_order && !last.description.empty())) return {};
  return "the file ends in the middle of a package";
}

}  // namespace

Result<PackageList> parse_dpkg_status(std::string_view text, std::string_view location,
                                      DpkgLayout layout) {
  PackageList list(location);
  Stanza stanza;
  std::string_view previous;
  bool in_order = true;
  std::size_t line_number = 0;
  bool last_line_is_read = false;
  for (auto rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line_number;
    if (trim(line).empty()) {
      TRY_VOID(finish(stanza, layout, list));
      if (!stanza.package.empty()) {
        in_order = in_order && previous <= stanza.package;
        previous = stanza.package;
      }
      stanza = {};
      continue;
    }
    if (stanza.line == 0) stanza.line = line_number;
    // A line that begins with a blank continues a field that is not read here.
    last_line_is_read = line[0] != ' ' && line[0] != '\t' && read_line(line, stanza);
  }
  in_order = in_order && (stanza.package.empty() || previous <= stanza.package);
  const auto cut =
      layout == DpkgLayout::database ? why_cut(text, stanza, in_order) : std::string_view();
  if (!cut.empty()) {
    list.skip_unsettled("", cut);
    if (text.back() != '\n' && last_line_is_read) stanza.fault = cut;
  }
  TRY_VOID(finish(stanza, layout, list));
  return list;
}

}  // namespace tenken::inventory
