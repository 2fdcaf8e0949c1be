// Alpine's security database: one document per release and repository, naming for each source
// package the version that fixed a vulnerability. Source: https://secdb.alpinelinux.org/.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "feeds/feed.h"
#include "feeds/json_fields.h"

namespace tenken::feeds {
namespace alpine_secdb_ {

// What one text of a list of ids names. CVEs are vulnerabilities of their own; an XSA beside them
// may stand for several and is only related.
struct Names {
  std::vector<std::string> cves;
  std::vector<std::string> others;
};

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

// The CVE at the start of "2017-8073.patch" or "2017-17434-1"; empty where there is none.
std::string cve_from_number(std::string_view text) {
  if (count_digits(text) != 4 || !text.substr(4).starts_with('-')) return {};
  const auto digits = count_digits(text.substr(5));
  const auto rest = text.substr(5 + digits);
  const bool part =
      rest.starts_with('-') && rest.size() > 1 && count_digits(rest.substr(1)) + 1 == rest.size();
  if (digits < 4 || !(rest.empty() || rest == ".patch" || part)) return {};
  return fmt::format("CVE-{}", text.substr(0, 5 + digits));
}

// "XSA-182", "TALOS-2017-0488", "wnpa-sec-2017-18": letters first, a number last.
bool is_other_id(std::string_view word) {
  const auto dash = word.rfind('-');
  return dash != word.npos && is_alpha(word[0]) && dash + 1 < word.size() &&
         count_digits(word.substr(dash + 1)) == word.size() - dash - 1;
}

// Maintainers write ids by hand: "CVE-2016-6258 XSA-182", "CVE_2019-2426", "CVE 2018-16859",
// "CVE-????-?????  XSA-284", "CVE-2017-16808 (AoE)".
Names read_names(std::string_view text) {
  Names out;
  bool after_cve = false;  // the word before was "CVE" alone
  for (const auto word : split(text.substr(0, text.find('(')), ' ')) {
    if (word.empty()) continue;
    const bool prefixed = word.starts_with("CVE-") || word.starts_with("CVE_");
    auto cve = prefixed    ? cve_from_number(word.substr(4))
               : after_cve ? cve_from_number(word)
                           : std::string();
    after_cve = word == "CVE";
    if (!cve.empty()) {
      out.cves.push_back(std::move(cve));
    } else if (!prefixed && is_other_id(word)) {
      out.others.emplace_back(word);
    }
  }
  return out;
}

class SecdbReader {
 public:
  SecdbReader(const Document& document, Sink& sink, std::string_view release)
      : document_(document), sink_(sink), release_(release) {}

  void read_package(json::Value package);
  void finish() {
    sink_.covers("Alpine", release_);
    for (auto& [id, advisory] : advisories_) {
      sort_unique(advisory.related);
      sink_.advisory(std::move(advisory));
    }
  }

 private:
  void read_fix(std::string_view package, std::string_view version, json::Value ids);
  void add(std::string id, std::string_view package, std::string_view version,
           const std::vector<std::string>& related);
  void skip(std::string record, std::string reason) {
    sink_.skip({std::string(document_.path), std::move(record), std::move(reason)});
  }

  const Document& document_;
  Sink& sink_;
  std::string_view release_;
  std::map<std::string, Advisory, std::less<>> advisories_;
};

void SecdbReader::read_package(json::Value package) {
  const auto name = package["name"].string();
  const auto fixes = package["secfixes"];
  if (name.empty()) return skip("", "a package has no name");
  if (absent(fixes)) return;
  if (!fixes.is_object()) return skip(std::string(name), "secfixes is no object");
  fixes.for_each_member(
      [&](std::string_view version, json::Value ids) { read_fix(name, version, ids); });
}

void SecdbReader::read_fix(std::string_view package, std::string_view version, json::Value ids) {
  const auto record = fmt::format("{} {}", package, version);
  if (!ids.is_array()) return skip(record, "the fix names no vulnerability");
  if (version.empty()) return skip(record, "the fix has no version");
  ids.for_each([&](json::Value text) {
    auto names = read_names(text.string());
    if (names.cves.empty() && names.others.empty())
      return skip(record, fmt::format("\"{}\" is no id", text.string()));
    if (names.cves.empty()) {
      for (auto& other : names.others) add(std::move(other), package, version, {});
    }
    for (auto& cve : names.cves) add(std::move(cve), package, version, names.others);
  });
}

void SecdbReader::add(std::string id, std::string_view package, std::string_view version,
                      const std::vector<std::string>& related) {
  auto& advisory = advisories_[id];
  advisory.id = std::move(id);
  advisory.related.insert(advisory.related.end(), related.begin(), related.end());
  AffectedPackage affected{
      .ecosystem = "Alpine", .release = std::string(release_), .name = std::string(package)};
  // "0" in place of a version: looked at, and no version is affected.
  if (version == "0") {
    affected.status = VendorStatus::not_affected;
  } else {
    affected.ranges.push_back({.events = {{RangeEvent::Kind::introduced, "0"},
                                          {RangeEvent::Kind::fixed, std::string(version)}}});
  }
  advisory.affected.push_back(std::move(affected));
}

Result<> parse(const Document& document, Sink& sink) {
  json::Parser parser;
  TRY(const auto root, parser.parse(document.bytes));
  const auto release = root["distroversion"].string();
  if (release.empty()) return invalid("no distroversion");
  const auto packages = root["packages"];
  // A repository without fixes has null or an empty object here.
  const bool none = absent(packages) || (packages.is_object() && packages.size() == 0);
  if (!none && !packages.is_array()) return invalid("packages is no list");
  SecdbReader reader(document, sink, release);
  packages.for_each([&](json::Value item) { reader.read_package(item["pkg"]); });
  reader.finish();
  return {};
}

constexpr std::string_view start[] = {"https://secdb.alpinelinux.org/"};

// The start page is a directory listing, whose links are the releases: "v3.11/", "edge/".
std::vector<std::string> next(std::string_view url, std::string_view bytes) {
  std::vector<std::string> out;
  if (!url.ends_with('/')) return out;
  constexpr std::string_view link = "href=\"";
  for (auto at = bytes.find(link); at != bytes.npos; at = bytes.find(link, at)) {
    at += link.size();
    const auto [target, rest] = split_once(bytes.substr(at), '"');
    const auto [release, after] = split_once(target, '/');
    const bool numbered = release.starts_with("v3.") && parse_uint(release.substr(3));
    if (!rest || after != "" || !(numbered || release == "edge")) continue;
    out.push_back(fmt::format("{}{}/main.json", url, release));
    // The repository "community" came with v3.3.
    if (release != "v3.0" && release != "v3.1" && release != "v3.2")
      out.push_back(fmt::format("{}{}/community.json", url, release));
  }
  return out;
}

constexpr Place places[] = {
    {.file = "alpine/alpine-secdb-2020.tar.zst", .member = "**/v*/*.json"},
    {.file = "secdb.alpinelinux.org/*/*.json"},
};

}  // namespace alpine_secdb_

extern constinit const Feed alpine_secdb{
    .id = "alpine_secdb",
    .title = "Alpine security database",
    .licence = "none stated by Alpine Linux",
    .places = alpine_secdb_::places,
    .ids_per_document = true,
    .fetching = {.start = alpine_secdb_::start, .next = alpine_secdb_::next},
    .parse = alpine_secdb_::parse,
};

}  // namespace tenken::feeds
