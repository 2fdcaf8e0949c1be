// OSV records of any ecosystem, one per document. Source: OSV schema 1.7
// (https://ossf.github.io/osv-schema/) and the layout of the bucket osv-vulnerabilities.
#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "base/text.h"
#include "feeds/errata.h"
#include "feeds/feed.h"
#include "feeds/json_fields.h"

namespace tenken::feeds {
namespace osv_ {

// Real records reach some MB; a greater one is an attack or a fault.
constexpr json::Limits limits{.bytes = std::size_t{64} << 20, .unique_keys = true};
constexpr std::size_t max_events = 1'000'000;  // of one record

// Which publisher speaks for which ecosystem, for records that lie outside the bucket's layout.
struct Publisher {
  std::string_view prefix;  // of the record's id
  std::string_view ecosystem;
};
constexpr Publisher publishers[] = {
    {"ALBA-", "AlmaLinux"},
    {"ALEA-", "AlmaLinux"},
    {"ALSA-", "AlmaLinux"},
    {"ALPINE-", "Alpine"},
    {"ASB-", "Android"},
    {"BELL-", "Alpaquita"},
    {"BELL-", "BellSoft Hardened Containers"},
    {"BIT-", "Bitnami"},
    {"DEBIAN-", "Debian"},
    {"DLA-", "Debian"},
    {"DSA-", "Debian"},
    {"DTSA-", "Debian"},
    {"ECHO-", "Echo"},
    {"GHSA-", "GitHub Actions"},
    {"GHSA-", "Go"},
    {"GHSA-", "Hex"},
    {"GHSA-", "Maven"},
    {"GHSA-", "NuGet"},
    {"GHSA-", "Packagist"},
    {"GHSA-", "Pub"},
    {"GHSA-", "PyPI"},
    {"GHSA-", "RubyGems"},
    {"GHSA-", "SwiftURL"},
    {"GHSA-", "crates.io"},
    {"GHSA-", "npm"},
    {"GO-", "Go"},
    {"HSEC-", "GHC"},
    {"HSEC-", "Hackage"},
    {"JLSEC-", "Julia"},
    {"LSN-", "Ubuntu"},
    {"MGASA-", "Mageia"},
    {"MINI-", "MinimOS"},
    {"OESA-", "openEuler"},
    {"OSEC-", "opam"},
    {"OSV-", "OSS-Fuzz"},
    {"PYSEC-", "PyPI"},
    {"RHBA-", "Red Hat"},
    {"RHEA-", "Red Hat"},
    {"RHSA-", "Red Hat"},
    {"RLBA-", "Rocky Linux"},
    {"RLEA-", "Rocky Linux"},
    {"RLSA-", "Rocky Linux"},
    {"ROOT-", "Root"},
    {"RSEC-", "CRAN"},
    {"RUSTSEC-", "crates.io"},
    {"RXSA-", "Rocky Linux"},
    {"SUSE-", "SUSE"},
    {"UBUNTU-", "Ubuntu"},
    {"USN-", "Ubuntu"},
    {"openSUSE-", "openSUSE"},
    {"openSUSE-", "SUSE"},
};

bool publishes_for(std::string_view id, std::string_view ecosystem) {
  return std::ranges::any_of(publishers, [&](const Publisher& publisher) {
    return id.starts_with(publisher.prefix) && publisher.ecosystem == ecosystem;
  });
}

// "osv/Rocky%20Linux/all.zip/RLSA-2021:1.json" lies in "Rocky Linux", so does
// "osv/Rocky Linux/RLSA-2021:1.json".
std::string ecosystem_directory(std::string_view path) {
  auto segments = split(path, '/');
  segments.pop_back();
  if (!segments.empty() && segments.back() == "all.zip") segments.pop_back();
  std::string out(segments.empty() ? std::string_view() : segments.back());
  for (auto at = out.find("%20"); at != out.npos; at = out.find("%20")) out.replace(at, 3, " ");
  return out;
}

// Publishers write weaknesses as texts, or as objects with the id in one of two members.
void add_cwes(json::Value value, std::vector<std::string>& cwes) {
  const auto add = [&](json::Value item) {
    auto id = item.string();
    if (id.empty()) id = item["cweId"].string();
    if (id.empty()) id = item["id"].string();
    if (id.starts_with("CWE-")) cwes.emplace_back(id);
  };
  add(value);
  value.for_each(add);
}

void add_all_cwes(json::Value specific, std::vector<std::string>& cwes) {
  for (const auto key : {"cwe_ids", "cwes", "cwe", "CWE"}) add_cwes(specific[key], cwes);
}

Result<RangeEvent> read_event(json::Value value) {
  RangeEvent event;
  std::size_t members = 0;
  bool known = false;
  value.for_each_member([&](std::string_view key, json::Value version) {
    using Kind = RangeEvent::Kind;
    static constexpr std::pair<std::string_view, Kind> kinds[] = {
        {"introduced", Kind::introduced},
        {"fixed", Kind::fixed},
        {"last_affected", Kind::last_affected},
        {"limit", Kind::limit}};
    ++members;
    for (const auto& [name, kind] : kinds) {
      if (key != name || !version.is_string()) continue;
      known = true;
      event.kind = kind;
      event.version = version.string();
    }
  });
  if (members != 1 || !known)
    return invalid("an event is not one of the four kinds with a version");
  return event;
}

Result<Range> read_range(json::Value value) {
  Range range;
  const auto type = value["type"].string();
  if (type == "GIT") {
    range.type = Range::Type::git;
  } else if (type == "SEMVER") {
    range.type = Range::Type::semver;
  } else if (type != "ECOSYSTEM") {
    return invalid("a range has no known type");
  }
  const auto events = value["events"];
  if (!events.is_array()) return invalid("a range has no list of events");
  range.events.reserve(2);  // what most have
  Result<> fault;
  events.for_each([&](json::Value item) {
    auto event = read_event(item);
    if (event) {
      range.events.push_back(*std::move(event));
    } else {
      fault = std::move(event).error();
    }
  });
  TRY_VOID(std::move(fault));
  return range;
}

class RecordReader {
 public:
  RecordReader(const Document& document, Sink& sink) : document_(document), sink_(sink) {}

  // Errors: the record as a whole cannot be used.
  Result<Advisory> read(json::Value record);

 private:
  Result<> read_names(json::Value record);
  Result<> read_affected(json::Value record);
  Result<AffectedPackage> read_package(json::Value entry);
  Result<> read_ranges(json::Value entry, AffectedPackage& package);
  void add_package(AffectedPackage&& package, json::Value entry);
  std::vector<Severity> read_severity(json::Value owner, std::string_view where);
  void read_references(json::Value record);
  void skip(std::string_view where, std::string reason) {
    sink_.skip({std::string(document_.path),
                fmt::format("{}{}{}", advisory_.id, where.empty() ? "" : " ", where),
                std::move(reason)});
  }

  const Document& document_;
  Sink& sink_;
  Advisory advisory_;
  std::vector<std::string> modules_;  // that the summary names
  std::size_t events_ = 0;
};

Result<Advisory> RecordReader::read(json::Value record) {
  if (!record.is_object()) return invalid("no JSON object");
  TRY_VOID(read_names(record));
  advisory_.modified = time_field(record, "modified", document_, advisory_.id, sink_);
  advisory_.published = time_field(record, "published", document_, advisory_.id, sink_);
  const auto withdrawn = time_field(record, "withdrawn", document_, advisory_.id, sink_);
  if (withdrawn != 0) advisory_.withdrawn = withdrawn;
  advisory_.severity = read_severity(record, "");
  const auto specific = record["database_specific"];
  add_all_cwes(specific, advisory_.cwes);
  advisory_.summary_ja = specific["summary_ja"].string();
  advisory_.vendor_severity = specific["severity"].string();
  if (const auto rating = errata_rating(advisory_.id, advisory_.summary); !rating.empty())
    advisory_.vendor_severity = rating;
  for (const auto& severity : advisory_.severity) {
    if (severity.type == "Ubuntu") advisory_.vendor_severity = severity.score;
  }
  modules_ = modules_of_summary(advisory_.id, advisory_.summary);
  TRY_VOID(read_affected(record));
  read_references(record);
  sort_unique(advisory_.cwes);
  return std::move(advisory_);
}

Result<> RecordReader::read_names(json::Value record) {
  TRY(advisory_.id, text_field(record, "id"));
  if (advisory_.id.empty()) return invalid("the record has no id");
  TRY(advisory_.aliases, text_list_field(record, "aliases"));
  TRY(advisory_.upstream, text_list_field(record, "upstream"));
  TRY(advisory_.related, text_list_field(record, "related"));
  TRY(advisory_.summary, text_field(record, "summary"));
  TRY(advisory_.details, text_field(record, "details"));
  return {};
}

std::vector<Severity> RecordReader::read_severity(json::Value owner, std::string_view where) {
  std::vector<Severity> out;
  const auto list = owner["severity"];
  if (!absent(list) && !list.is_array()) skip(where, "severity is no list");
  list.for_each([&](json::Value item) {
    Severity severity{.type = std::string(item["type"].string()),
                      .score = std::string(item["score"].string()),
                      .source = std::string(item["source"].string())};
    if (severity.type.empty() || severity.score.empty()) {
      skip(where, "a severity has no type or no score");
    } else {
      out.push_back(std::move(severity));
    }
  });
  return out;
}

void RecordReader::read_references(json::Value record) {
  const auto list = record["references"];
  if (!absent(list) && !list.is_array()) skip("references", "references is no list");
  advisory_.references.reserve(list.size());
  list.for_each([&](json::Value item) {
    const auto url = item["url"].string();
    if (url.empty()) return skip("references", "a reference has no url");
    advisory_.references.emplace_back(std::string(item["type"].string()), std::string(url));
  });
}

Result<> RecordReader::read_affected(json::Value record) {
  const auto list = record["affected"];
  if (absent(list)) return {};
  if (!list.is_array()) return invalid("affected is no list");
  advisory_.affected.reserve(list.size());
  std::size_t position = 0;
  list.for_each([&](json::Value entry) {
    const auto where = position++;
    // Records about commits alone name no package; nothing installed could match them.
    const auto named = entry["package"];
    if ((absent(named) || (named.is_object() && named.size() == 0)) && entry["ranges"].size() > 0)
      return;
    auto package = read_package(entry);
    if (!package) return skip(fmt::format("affected[{}]", where), package.error().what);
    add_package(*std::move(package), entry);
  });
  if (events_ > max_events) return limit_exceeded("the record has too many events");
  return {};
}

Result<AffectedPackage> RecordReader::read_package(json::Value entry) {
  AffectedPackage package;
  const auto named = entry["package"];
  const auto [ecosystem, release] = split_once(named["ecosystem"].string(), ':');
  package.ecosystem = ecosystem;
  package.release = release.value_or("");
  package.name = named["name"].string();
  if (package.ecosystem.empty() || package.name.empty())
    return invalid("the package has no ecosystem or no name");
  TRY_VOID(read_ranges(entry, package));
  TRY(package.versions, text_list_field(entry, "versions"));
  package.severity = read_severity(entry, package.name);
  const auto ecosystem_specific = entry["ecosystem_specific"];
  const auto database_specific = entry["database_specific"];
  add_all_cwes(database_specific, advisory_.cwes);
  for (const auto word : {ecosystem_specific["urgency"], ecosystem_specific["ubuntu_priority"],
                          ecosystem_specific["severity"], database_specific["severity"]}) {
    if (package.vendor_severity.empty()) package.vendor_severity = word.string();
  }
  for (const auto& severity : package.severity) {
    if (severity.type == "Ubuntu") package.vendor_severity = severity.score;
  }
  // Debian's urgency has two words that are no rating.
  if (package.vendor_severity == "end-of-life") package.status = VendorStatus::end_of_life;
  if (package.vendor_severity == "end-of-life" || package.vendor_severity == "not yet assigned")
    package.vendor_severity.clear();
  // Ubuntu says here whether the fix needs a subscription.
  const auto availability = ecosystem_specific["availability"].string();
  if (availability != "No subscription required") package.status_note = availability;
  return package;
}

Result<> RecordReader::read_ranges(json::Value entry, AffectedPackage& package) {
  const auto list = entry["ranges"];
  if (absent(list)) return {};
  if (!list.is_array()) return invalid("ranges is no list");
  list.for_each([&](json::Value item) {
    auto range = read_range(item);
    if (!range) {
      // The package stays: what the other ranges say holds, and this one is unknown.
      skip(package.name, range.error().what);
      package.ranges.push_back(
          {.type = Range::Type::ecosystem, .events = {}, .fault = range.error().what});
      return;
    }
    events_ += range->events.size();
    package.ranges.push_back(*std::move(range));
  });
  return {};
}

void RecordReader::add_package(AffectedPackage&& package, json::Value entry) {
  if (!fixed_in_module(package)) {
    advisory_.affected.push_back(std::move(package));
    return;
  }
  package.module_stream = module_of_purl(entry["package"]["purl"].string());
  if (package.module_stream.empty() && !modules_.empty()) {
    // The summary may name several modules; the build belongs to one of them, and an installed
    // one can only be compared within its own, so that each gets its row.
    for (const auto& further : modules_ | std::views::drop(1)) {
      advisory_.affected.push_back(package);
      advisory_.affected.back().module_stream = further;
    }
    package.module_stream = modules_.front();
  }
  advisory_.affected.push_back(std::move(package));
}

// Every record of `osv/Debian/all.zip` lies there because Debian publishes for the release its rows
// name; a row of another ecosystem in that zip says nothing about who else publishes for it.
void report_coverage(std::string_view path, const Advisory& advisory, Sink& sink) {
  const auto directory = ecosystem_directory(path);
  // A directory named after an ecosystem holds its records and speaks for no other.
  const bool in_layout =
      directory == "GIT" ||
      std::ranges::any_of(publishers,
                          [&](const auto& row) { return row.ecosystem == directory; }) ||
      std::ranges::any_of(advisory.affected, [&](const AffectedPackage& package) {
        return package.ecosystem == directory;
      });
  const AffectedPackage* last = nullptr;
  for (const auto& package : advisory.affected) {
    if (last != nullptr && last->ecosystem == package.ecosystem && last->release == package.release)
      continue;
    last = &package;
    if (in_layout ? package.ecosystem == directory : publishes_for(advisory.id, package.ecosystem))
      sink.covers(package.ecosystem, package.release);
  }
}

Result<> parse(const Document& document, Sink& sink) {
  static thread_local json::Parser parser(limits);  // keeps its memory from record to record
  const auto unusable = [&](std::string_view record, const Error& error) {
    sink.skip({std::string(document.path), std::string(record), error.what});
    return Result<>();
  };
  const auto record = parser.parse(document.bytes);
  if (!record) return unusable("", record.error());
  auto advisory = RecordReader(document, sink).read(*record);
  if (!advisory) return unusable((*record)["id"].string(), advisory.error());
  report_coverage(document.path, *advisory, sink);
  sink.advisory(*std::move(advisory));
  return {};
}

constexpr std::string_view start[] = {
    "https://osv-vulnerabilities.storage.googleapis.com/ecosystems.txt"};

// ecosystems.txt names one directory a line. Names with a release ("Debian:11") are of an older
// layout and stand in the directory without it.
std::vector<std::string> next(std::string_view url, std::string_view bytes) {
  std::vector<std::string> out;
  if (!url.ends_with("/ecosystems.txt")) return out;
  const auto base = url.substr(0, url.rfind('/') + 1);
  for_each_line(bytes, [&](std::string_view line) {
    const auto ecosystem = trim(line);
    if (ecosystem.empty() || ecosystem.find_first_of(":/[<") != ecosystem.npos) return;
    std::string encoded;
    for (const char c : ecosystem) {
      if (is_alnum(c) || c == '.' || c == '-' || c == '_') {
        encoded += c;
      } else {
        encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      }
    }
    out.push_back(fmt::format("{}{}/all.zip", base, encoded));
  });
  return out;
}

constexpr Place places[] = {
    {.file = "osv/*/all.zip", .member = "*.json"},
    {.file = "osv-vulnerabilities.storage.googleapis.com/*/all.zip", .member = "*.json"},
    {.file = "osv-vulnerabilities.storage.googleapis.com/*/*.json"},  // changed since the archive
    {.file = "storage.googleapis.com/osv-vulnerabilities/*/all.zip", .member = "*.json"},
};

}  // namespace osv_

extern constinit const Feed osv{
    .id = "osv",
    .title = "OSV: Open Source Vulnerabilities, all ecosystems",
    .licence = "as each publisher's: CC-BY-4.0, CC0-1.0, MIT, Apache-2.0, Unlicense and others",
    .places = osv_::places,
    .fetching = {.start = osv_::start,
                 .next = osv_::next,
                 .delta_index = "modified_id.csv",
                 .delta_record = "{}.json"},
    .parse = osv_::parse,
};

}  // namespace tenken::feeds
