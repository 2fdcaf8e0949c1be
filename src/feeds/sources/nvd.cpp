// NVD's notes on CVEs: pages of its API 2.0 and the yearly files of the same form. They never
// create a match; their CPE configurations are not read.
// Source: https://nvd.nist.gov/developers/vulnerabilities.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/archive.h"
#include "base/text.h"
#include "feeds/feed.h"
#include "feeds/json_fields.h"

namespace tenken::feeds {
namespace nvd_ {

constexpr std::size_t limit_bytes = std::size_t{1} << 30;  // a year is about 200 MB unpacked

std::string english(json::Value texts) {
  std::string out;
  texts.for_each([&](json::Value text) {
    if (out.empty() && text["lang"].string() == "en") out = text["value"].string();
  });
  return out;
}

std::vector<Severity> read_metrics(json::Value metrics) {
  static constexpr std::pair<std::string_view, std::string_view> versions[] = {
      {"cvssMetricV40", "CVSS_V4"},
      {"cvssMetricV31", "CVSS_V3"},
      {"cvssMetricV30", "CVSS_V3"},
      {"cvssMetricV2", "CVSS_V2"}};
  std::vector<Severity> out;
  for (const auto& [key, type] : versions) {
    metrics[key].for_each([&](json::Value metric) {
      const auto vector = metric["cvssData"]["vectorString"].string();
      if (vector.empty()) return;
      out.push_back({.type = std::string(type),
                     .score = std::string(vector),
                     .source = std::string(metric["source"].string()),
                     .primary = metric["type"].string() == "Primary"});
    });
  }
  return out;
}

// Without the placeholders "NVD-CWE-noinfo" and "NVD-CWE-Other".
std::vector<std::string> read_weaknesses(json::Value weaknesses) {
  std::vector<std::string> out;
  weaknesses.for_each([&](json::Value weakness) {
    weakness["description"].for_each([&](json::Value text) {
      const auto id = text["value"].string();
      if (id.starts_with("CWE-")) out.emplace_back(id);
    });
  });
  sort_unique(out);
  return out;
}

// OSV's word for the first of NVD's tags that has one.
std::string_view reference_type(json::Value tags) {
  static constexpr std::pair<std::string_view, std::string_view> types[] = {
      {"Patch", "FIX"},
      {"Vendor Advisory", "ADVISORY"},
      {"Third Party Advisory", "ADVISORY"},
      {"Exploit", "EVIDENCE"},
      {"Issue Tracking", "REPORT"}};
  for (const auto& [tag, type] : types) {
    bool found = false;
    tags.for_each([&](json::Value item) { found = found || item.string() == tag; });
    if (found) return type;
  }
  return "WEB";
}

Result<VulnerabilityNote> read_note(json::Value cve, const Document& document, Sink& sink) {
  VulnerabilityNote note;
  TRY(note.id, text_field(cve, "id"));
  if (!note.id.starts_with("CVE-")) return invalid("no id of a CVE");
  note.modified = time_field(cve, "lastModified", document, note.id, sink);
  note.published = time_field(cve, "published", document, note.id, sink);
  TRY(note.status, text_field(cve, "vulnStatus"));
  note.description = english(cve["descriptions"]);
  note.severity = read_metrics(cve["metrics"]);
  note.cwes = read_weaknesses(cve["weaknesses"]);
  cve["references"].for_each([&](json::Value reference) {
    const auto url = reference["url"].string();
    if (url.empty()) return;
    note.references.emplace_back(std::string(reference_type(reference["tags"])), std::string(url));
  });
  return note;
}

Result<> parse(const Document& document, Sink& sink) {
  std::string unpacked;
  auto bytes = document.bytes;
  if (bytes.starts_with("\x1f\x8b")) {
    TRY(unpacked, decompress(bytes, limit_bytes));
    bytes = unpacked;
  }
  json::Parser parser;
  TRY(const auto root, parser.parse(bytes));
  const auto list = root["vulnerabilities"];
  if (!list.is_array()) return invalid("no list of vulnerabilities");
  std::size_t position = 0;
  list.for_each([&](json::Value item) {
    const auto where = position++;
    auto note = read_note(item["cve"], document, sink);
    if (note) return sink.note(*std::move(note));
    sink.skip({std::string(document.path),
               fmt::format("vulnerabilities[{}] {}", where, item["cve"]["id"].string()),
               note.error().what});
  });
  return {};
}

constexpr std::string_view start[] = {
    "https://services.nvd.nist.gov/rest/json/cves/2.0?startIndex=0&resultsPerPage=2000"};

// The page after this one. The total may grow while the pages are read; an empty page ends it, and
// so does an answer that does not go on from where it was asked for.
std::vector<std::string> next(std::string_view url, std::string_view bytes) {
  constexpr std::string_view key = "startIndex=";
  const auto at = url.find(key);
  json::Parser parser;
  const auto root = parser.parse(bytes);
  if (at == url.npos || !root) return {};
  const auto [asked_text, rest] = split_once(url.substr(at + key.size()), '&');
  const auto asked = parse_uint(asked_text);
  const auto total = (*root)["totalResults"].integer();
  const auto count = (*root)["vulnerabilities"].size();
  const auto first = (*root)["startIndex"].integer();
  if (!asked || !total || *total < 0 || !first || *first < 0 || count == 0) return {};
  const auto following = static_cast<std::uint64_t>(*first) + count;
  if (following <= *asked || following >= static_cast<std::uint64_t>(*total)) return {};
  return {fmt::format("{}{}{}{}", url.substr(0, at + key.size()), following, rest ? "&" : "",
                      rest.value_or(""))};
}

constexpr Place places[] = {
    {.file = "nvd/nvd-2.0.tar.zst", .member = "**/derived/*.json"},
    {.file = "services.nvd.nist.gov/rest/json/cves/2.0*"},
    {.file = "nvd.nist.gov/feeds/json/cve/2.0/*.json.gz"},
};

}  // namespace nvd_

extern constinit const Feed nvd{
    .id = "nvd",
    .title = "NVD: National Vulnerability Database",
    .licence = "public domain (NIST); neither endorsed nor certified by the NVD",
    .places = nvd_::places,
    // Without a key the API takes five requests in thirty seconds.
    .fetching = {.start = nvd_::start, .next = nvd_::next, .pause_ms = 6000},
    .parse = nvd_::parse,
};

}  // namespace tenken::feeds
