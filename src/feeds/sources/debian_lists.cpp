// Debian's advisories as its security team writes them: the lists DSA, DLA and DTSA. They name
// source packages. Form: security-tracker's doc/narrative and the files themselves, where an entry
// is a line that begins with "[" and the indented lines after it:
//
//   [29 Mar 2023] DSA-5380-1 xorg-server - security update
//     {CVE-2023-1393}
//     [bullseye] - xorg-server 2:1.20.11-1+deb11u6
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "feeds/debian_releases.h"
#include "feeds/feed.h"

namespace tenken::feeds {
namespace debian_lists_ {

// "29 Mar 2023" and, in DTSA's list, "August 26th, 2005".
std::optional<Seconds> parse_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months = {
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  const auto words = split(text, ' ');
  if (words.size() != 3 || words[0].empty()) return std::nullopt;
  const bool month_first = is_alpha(words[0][0]);
  auto day = words[month_first ? 1 : 0];
  while (!day.empty() && !is_digit(day.back())) day.remove_suffix(1);
  const auto month =
      std::ranges::find(months, ascii_lower(words[month_first ? 0 : 1].substr(0, 3)));
  const auto day_number = parse_uint(day);
  if (month == months.end() || !day_number || words[2].size() != 4) return std::nullopt;
  return parse_time(
      fmt::format("{}-{:02}-{:02}", words[2], month - months.begin() + 1, *day_number));
}

// What stands in place of a version.
std::optional<VendorStatus> parse_status(std::string_view word) {
  if (word == "<unfixed>") return VendorStatus::affected;
  if (word == "<not-affected>") return VendorStatus::not_affected;
  if (word == "<end-of-life>") return VendorStatus::end_of_life;
  if (word == "<no-dsa>" || word == "<postponed>") return VendorStatus::fix_deferred;
  if (word == "<ignored>") return VendorStatus::will_not_fix;
  if (word == "<undetermined>") return VendorStatus::under_investigation;
  return std::nullopt;
}

// The rating in "(bug #324531; medium)".
std::string_view urgency_of(std::string_view note) {
  for (const auto part : split(note, ';')) {
    const auto word = trim(part);
    if (word == "high" || word == "medium" || word == "low" || word == "unimportant") return word;
  }
  return {};
}

// One of "[bullseye] - xorg-server 2:1.20.11-1+deb11u6", "[woody] - pam <not-affected> (why)".
Result<AffectedPackage> read_package(std::string_view text) {
  const auto [bracket, rest] = split_once(text, ']');
  const auto codename = bracket.substr(1);
  if (!rest || !rest->starts_with(" - ")) return invalid("no \"[release] - package version\"");
  const auto [name, after_name] = split_once(trim(rest->substr(3)), ' ');
  const auto [version, after_version] = split_once(trim(after_name.value_or("")), ' ');
  auto note = trim(after_version.value_or(""));
  if (!note.empty() && (!note.starts_with('(') || !note.ends_with(')')))
    return invalid("unknown words after the version");
  if (!note.empty()) note = note.substr(1, note.size() - 2);

  AffectedPackage package{.ecosystem = "Debian",
                          .release = std::string(debian_release(codename)),
                          .name = std::string(name)};
  if (package.release.empty()) return invalid(fmt::format("unknown release {}", codename));
  if (name.empty() || version.empty()) return invalid("no package or no version");
  package.vendor_severity = urgency_of(note);
  Range range;
  range.events.push_back({RangeEvent::Kind::introduced, "0"});
  if (version.starts_with('<')) {
    const auto status = parse_status(version);
    if (!status) return invalid(fmt::format("unknown status {}", version));
    package.status = *status;
    package.status_note = note;
  } else {
    range.events.push_back({RangeEvent::Kind::fixed, std::string(version)});
  }
  if (package.status != VendorStatus::not_affected) package.ranges.push_back(std::move(range));
  return package;
}

class ListReader {
 public:
  ListReader(const Document& document, Sink& sink) : document_(document), sink_(sink) {}

  void read_line(std::string_view line);
  void end_entry();
  std::size_t entries() const { return entries_; }

 private:
  void begin_entry(std::string_view line);
  void add_names(std::string_view text);
  void skip(std::string reason) {
    sink_.skip({std::string(document_.path),
                fmt::format("line {}{}{}", line_, in_entry_ ? " " : "", advisory_.id),
                std::move(reason)});
  }

  const Document& document_;
  Sink& sink_;
  Advisory advisory_;
  bool in_entry_ = false;
  std::size_t entries_ = 0;
  std::size_t line_ = 0;
};

void ListReader::read_line(std::string_view line) {
  ++line_;
  const auto text = trim(line);
  if (text.empty()) return;
  if (line.starts_with('[')) return begin_entry(line);
  if (!in_entry_) return skip("the line belongs to no entry");
  if (text.starts_with('{')) return add_names(text);
  if (text.starts_with("NOTE:")) {
    if (!advisory_.details.empty()) advisory_.details += '\n';
    advisory_.details += trim(text.substr(5));
    return;
  }
  if (!text.starts_with('[')) return skip("unknown line");
  auto package = read_package(text);
  if (!package) return skip(package.error().what);
  sink_.covers(package->ecosystem, package->release);
  advisory_.affected.push_back(*std::move(package));
}

void ListReader::begin_entry(std::string_view line) {
  end_entry();
  const auto [date, rest] = split_once(line.substr(1), ']');
  const auto [id, summary] = split_once(trim(rest.value_or("")), ' ');
  if (!id.starts_with("DSA-") && !id.starts_with("DLA-") && !id.starts_with("DTSA-"))
    return skip("the entry has no id of a Debian advisory");
  in_entry_ = true;
  ++entries_;
  advisory_.id = id;
  advisory_.summary = trim(summary.value_or(""));
  const auto time = parse_date(date);
  if (!time) skip("the entry has no date");
  advisory_.published = advisory_.modified = time.value_or(0);
  advisory_.references.emplace_back(
      "ADVISORY", fmt::format("https://security-tracker.debian.org/tracker/{}", id));
}

// "{CVE-2005-2626 CAN-2005-2627 }": CAN- is what a CVE was called before it was approved.
void ListReader::add_names(std::string_view text) {
  if (!text.ends_with('}')) return skip("the list of vulnerabilities does not end");
  for (const auto word : split(text.substr(1, text.size() - 2), ' ')) {
    if (trim(word).empty()) continue;
    advisory_.upstream.push_back(word.starts_with("CAN-") ? fmt::format("CVE-{}", word.substr(4))
                                                          : std::string(word));
  }
}

void ListReader::end_entry() {
  if (in_entry_) sink_.advisory(std::move(advisory_));
  advisory_ = {};
  in_entry_ = false;
}

Result<> parse(const Document& document, Sink& sink) {
  ListReader reader(document, sink);
  for_each_line(document.bytes, [&](std::string_view line) { reader.read_line(line); });
  reader.end_entry();
  if (reader.entries() == 0) return invalid("no list of Debian advisories");
  return {};
}

constexpr std::string_view start[] = {
    "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DSA/list",
    "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DLA/list",
    "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DTSA/list",
};

constexpr std::string_view archive = "debian/debian-tracker-lists.tar.zst";
constexpr Place places[] = {
    {.file = archive, .member = "**/data/DSA/list"},
    {.file = archive, .member = "**/data/DLA/list"},
    {.file = archive, .member = "**/data/DTSA/list"},
    {.file = "salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DSA/list"},
    {.file = "salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DLA/list"},
    {.file = "salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DTSA/list"},
};

}  // namespace debian_lists_

extern constinit const Feed debian_lists{
    .id = "debian_lists",
    .title = "Debian security advisories (DSA, DLA, DTSA)",
    .licence = "Debian's web site licence (MIT)",
    .places = debian_lists_::places,
    .shares_ids_with = "osv",
    .fetching = {.start = debian_lists_::start},
    .parse = debian_lists_::parse,
};

}  // namespace tenken::feeds
