#include "inventory/os_release.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "inventory/distributions.h"

namespace tenken::inventory {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20;
constexpr std::size_t max_skips = 100;

// A value of shell syntax: bare, in single quotes (no escapes) or in double quotes (a backslash
// protects the next character).
Result<std::string> unquote(std::string_view text) {
  std::string value;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'') {
      if (++i == text.size()) return invalid("a backslash at the end");
      // In double quotes only these four lose the backslash (POSIX shell, section 2.2.3).
      constexpr std::string_view protectable = "\\\"$`";
      if (quote == '"' && !protectable.contains(text[i])) value += '\\';
      value += text[i];
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote == '\0' && is_space(c)) {
      return invalid("more than one word without quotes");
    } else {
      value += c;
    }
  }
  if (quote != '\0') return invalid("a quote that does not end");
  return value;
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_'; });
}

void assign(std::string_view key, std::string value, OperatingSystem& os) {
  if (key == "ID") {
    os.id = std::move(value);
  } else if (key == "VERSION_ID") {
    os.version_id = std::move(value);
  } else if (key == "VERSION_CODENAME") {
    os.codename = std::move(value);
  } else if (key == "PRETTY_NAME") {
    os.pretty_name = std::move(value);
  } else if (key == "ID_LIKE") {
    os.id_like.clear();
    for (const auto word : split(value, ' '))
      if (!word.empty()) os.id_like.emplace_back(word);
  }
}

void name_ecosystem(OperatingSystem& os) {
  const auto* distribution = find_distribution(os.id);
  if (distribution == nullptr) return;
  os.ecosystem = distribution->ecosystem;
  os.release = distribution->release(distribution->ecosystem, os);
}

OperatingSystem parse_alpine_release(std::string_view text) {
  OperatingSystem os;
  os.id = "alpine";
  os.version_id = trim(text);
  os.pretty_name = fmt::format("Alpine Linux {}", os.version_id);
  name_ecosystem(os);
  return os;
}

struct ReleaseFile {
  std::string_view path;
  OperatingSystem (*parse)(std::string_view text);
};
constexpr std::string_view own_files[] = {"etc/os-release", "usr/lib/os-release"};

bool is_own(const Skip& skip) {
  return std::ranges::find(own_files, skip.file) != std::end(own_files);
}

// The files of derivatives stand before those of their parents, which derivatives ship as well.
constexpr std::array release_files{
    ReleaseFile{"etc/alpine-release", parse_alpine_release},
    ReleaseFile{"etc/almalinux-release", parse_redhat_release},
    ReleaseFile{"etc/rocky-release", parse_redhat_release},
    ReleaseFile{"etc/redhat-release", parse_redhat_release},
    ReleaseFile{"etc/debian_version", parse_debian_version},
};

// A file that is not there is no news; one that cannot be read is.
Result<std::string> read_or_skip(const Root& root, std::string_view path, OsRelease& out) {
  auto text = root.read(path, max_bytes);
  if (!text && text.error().code != Errc::not_found)
    out.skips.push_back({.file = std::string(path), .record = "", .reason = text.error().what});
  return text;
}

}  // namespace

OsRelease parse_os_release(std::string_view text, std::string_view location) {
  OsRelease out;
  std::size_t number = 0;
  const auto skip = [&](std::string_view reason) {
    if (out.skips.size() == max_skips) return;
    out.skips.push_back({.file = std::string(location),
                         .record = fmt::format("line {}", number),
                         .reason = std::string(reason)});
  };
  for_each_line(text, [&](std::string_view raw) {
    ++number;
    const auto line = trim(raw);
    if (line.empty() || line.starts_with('#')) return;
    const auto [key, quoted] = split_once(line, '=');
    if (!quoted || !is_variable_name(key)) return skip("not an assignment");
    auto value = unquote(*quoted);
    if (!value) return skip(value.error().what);
    assign(key, *std::move(value), out.os);
  });
  name_ecosystem(out.os);
  return out;
}

OperatingSystem parse_redhat_release(std::string_view text) {
  struct Name {
    std::string_view text;
    std::string_view id;
  };
  constexpr std::array names{
      Name{"AlmaLinux", "almalinux"}, Name{"CentOS", "centos"},
      Name{"Fedora", "fedora"},       Name{"Red Hat Enterprise Linux", "rhel"},
      Name{"Rocky Linux", "rocky"},
  };
  OperatingSystem os;
  const auto line = trim(split_once(text, '\n').first);
  os.pretty_name = line;
  const auto found =
      std::ranges::find_if(names, [&](const Name& name) { return line.starts_with(name.text); });
  if (found == names.end()) return os;
  os.id = found->id;
  constexpr std::string_view before_version = " release ";
  if (const auto at = line.find(before_version); at != std::string_view::npos)
    os.version_id = split_once(line.substr(at + before_version.size()), ' ').first;
  name_ecosystem(os);
  return os;
}

OperatingSystem parse_debian_version(std::string_view text) {
  OperatingSystem os;
  const auto version = trim(split_once(text, '\n').first);
  if (version.empty() || !is_digit(version[0])) return os;
  os.id = "debian";
  os.version_id = version;
  os.pretty_name = fmt::format("Debian GNU/Linux {}", version);
  name_ecosystem(os);
  return os;
}

std::vector<std::string_view> os_release_files() {
  std::vector<std::string_view> out(std::begin(own_files), std::end(own_files));
  for (const auto& file : release_files) out.push_back(file.path);
  return out;
}

OsRelease read_os_release(const Root& root, std::span<const Skip> unread) {
  OsRelease out;
  for (const auto path : own_files) {
    const auto text = read_or_skip(root, path, out);
    if (!text) continue;
    auto parsed = parse_os_release(*text, path);
    out.os = std::move(parsed.os);
    std::ranges::move(parsed.skips, std::back_inserter(out.skips));
    if (!out.os.id.empty()) return out;
    out.skips.push_back({.file = std::string(path), .record = "", .reason = "no ID in it"});
  }
  if (std::ranges::any_of(out.skips, is_own) || std::ranges::any_of(unread, is_own)) return out;
  for (const auto& file : release_files) {
    const auto text = read_or_skip(root, file.path, out);
    if (!text) continue;
    out.os = file.parse(*text);
    if (!out.os.id.empty()) return out;
    out.skips.push_back(
        {.file = std::string(file.path), .record = "", .reason = "names no distribution we know"});
  }
  if (out.skips.empty())
    out.skips.push_back({.file = "etc/os-release",
                         .record = "",
                         .reason = "neither it nor usr/lib/os-release nor an older file is there"});
  return out;
}

}  // namespace tenken::inventory
