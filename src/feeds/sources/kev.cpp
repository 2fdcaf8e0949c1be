// CISA's catalogue of vulnerabilities that are exploited.
// Source: https://www.cisa.gov/known-exploited-vulnerabilities-catalog and its JSON schema.
#include <fmt/format.h>

#include "base/text.h"
#include "feeds/feed.h"
#include "feeds/json_fields.h"

namespace tenken::feeds {
namespace kev_ {

// "text ; https://… ; https://…"
std::vector<Reference> read_notes(std::string_view notes) {
  std::vector<Reference> out;
  for (const auto part : split(notes, ';')) {
    const auto text = trim(part);
    if (text.starts_with("https://") || text.starts_with("http://"))
      out.emplace_back("WEB", std::string(text));
  }
  return out;
}

Result<VulnerabilityNote> read_note(json::Value entry, const Document& document, Sink& sink) {
  VulnerabilityNote note;
  note.id = trim(entry["cveID"].string());
  if (!note.id.starts_with("CVE-")) return invalid("no id of a CVE");
  KnownExploited exploited;
  exploited.added = time_field(entry, "dateAdded", document, note.id, sink);
  exploited.due = time_field(entry, "dueDate", document, note.id, sink);
  exploited.name = trim(entry["vulnerabilityName"].string());
  exploited.action = trim(entry["requiredAction"].string());
  // Absent in catalogues before October 2023.
  exploited.ransomware = trim(entry["knownRansomwareCampaignUse"].string()) == "Known";
  note.modified = exploited.added;
  note.description = trim(entry["shortDescription"].string());
  TRY(note.cwes, text_list_field(entry, "cwes"));
  note.references = read_notes(entry["notes"].string());
  note.exploited = std::move(exploited);
  return note;
}

Result<> parse(const Document& document, Sink& sink) {
  json::Parser parser;
  TRY(const auto root, parser.parse(document.bytes));
  const auto list = root["vulnerabilities"];
  if (!list.is_array()) return invalid("no list of vulnerabilities");
  std::size_t position = 0;
  list.for_each([&](json::Value entry) {
    const auto where = position++;
    auto note = read_note(entry, document, sink);
    if (note) return sink.note(*std::move(note));
    sink.skip({std::string(document.path),
               fmt::format("vulnerabilities[{}] {}", where, entry["cveID"].string()),
               note.error().what});
  });
  return {};
}

constexpr std::string_view start[] = {
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"};

constexpr Place places[] = {
    {.file = "kev/cisa-kev.tar.zst", .member = "**/current/known_exploited_vulnerabilities.json"},
    {.file = "www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"},
};

}  // namespace kev_

extern constinit const Feed kev{
    .id = "kev",
    .title = "CISA Known Exploited Vulnerabilities",
    .licence = "CC0-1.0",
    .places = kev_::places,
    .fetching = {.start = kev_::start},
    .parse = kev_::parse,
};

}  // namespace tenken::feeds
