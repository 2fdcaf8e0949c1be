// Debian's security tracker: what holds for each vulnerability, source package and release. One
// document: source package → vulnerability → {description, releases: codename → state}.
// Source: https://security-tracker.debian.org/tracker/data/json.
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "feeds/debian_releases.h"
#include "feeds/feed.h"
#include "feeds/json_fields.h"

namespace tenken::feeds {
namespace debian_tracker_ {

// The tracker's own rating: "low", "high**" (the stars mean that a script set it), "unimportant".
std::string_view severity_of(std::string_view urgency) {
  while (urgency.ends_with('*')) urgency.remove_suffix(1);
  if (urgency == "not yet assigned" || urgency == "end-of-life") return {};
  return urgency;
}

// An open entry: no fix yet, and perhaps the reason why none comes.
void read_open(json::Value state, AffectedPackage& package) {
  const auto reason = state["nodsa_reason"].string();
  const auto comment = state["nodsa"].string();
  if (state["urgency"].string() == "end-of-life") {
    package.status = VendorStatus::end_of_life;
  } else if (reason == "ignored") {
    package.status = VendorStatus::will_not_fix;
  } else if (!absent(state["nodsa"]) || !absent(state["nodsa_reason"])) {
    package.status = VendorStatus::fix_deferred;
  }
  package.status_note =
      fmt::format("{}{}{}", reason, reason.empty() || comment.empty() ? "" : "; ", comment);
}

Result<AffectedPackage> read_state(std::string_view name, std::string_view release,
                                   json::Value state) {
  AffectedPackage package{
      .ecosystem = "Debian", .release = std::string(release), .name = std::string(name)};
  package.vendor_severity = severity_of(state["urgency"].string());
  const auto status = state["status"].string();
  Range range;
  range.events.push_back({RangeEvent::Kind::introduced, "0"});
  if (status == "open") {
    read_open(state, package);
  } else if (status == "undetermined") {
    package.status = VendorStatus::under_investigation;
  } else if (status == "resolved") {
    const auto fixed = state["fixed_version"].string();
    if (fixed.empty()) return invalid("resolved without a fixed version");
    // "0" is how the tracker says that no version of this release was affected.
    if (fixed == "0") {
      package.status = VendorStatus::not_affected;
      return package;
    }
    range.events.push_back({RangeEvent::Kind::fixed, std::string(fixed)});
  } else {
    return invalid(fmt::format("unknown status \"{}\"", status));
  }
  package.ranges.push_back(std::move(range));
  return package;
}

class TrackerReader {
 public:
  TrackerReader(const Document& document, Sink& sink) : document_(document), sink_(sink) {}

  void read_entry(std::string_view package, std::string_view id, json::Value entry);
  // The document is grouped by package; an advisory is all that it says of one vulnerability.
  void finish() {
    for (const auto& release : releases_) sink_.covers("Debian", release);
    for (auto& [id, advisory] : advisories_) sink_.advisory(std::move(advisory));
  }

 private:
  void skip(std::string record, std::string reason) {
    sink_.skip({std::string(document_.path), std::move(record), std::move(reason)});
  }

  const Document& document_;
  Sink& sink_;
  std::map<std::string, Advisory, std::less<>> advisories_;
  std::set<std::string, std::less<>> releases_;
  std::set<std::string, std::less<>> unknown_codenames_;
};

void TrackerReader::read_entry(std::string_view package, std::string_view id, json::Value entry) {
  const auto releases = entry["releases"];
  if (id.empty() || !releases.is_object())
    return skip(fmt::format("{} {}", package, id), "no releases or no id");
  auto& advisory = advisories_[std::string(id)];
  advisory.id = id;
  if (advisory.details.empty()) advisory.details = entry["description"].string();
  releases.for_each_member([&](std::string_view codename, json::Value state) {
    const auto release = debian_release(codename);
    if (release.empty()) {
      // Once, not for each of its thousands of rows.
      if (unknown_codenames_.emplace(codename).second)
        skip(std::string(codename), "unknown release");
      return;
    }
    auto affected = read_state(package, release, state);
    if (!affected)
      return skip(fmt::format("{} {} {}", package, id, codename), affected.error().what);
    releases_.emplace(release);
    advisory.affected.push_back(*std::move(affected));
  });
}

Result<> parse(const Document& document, Sink& sink) {
  json::Parser parser;
  TRY(const auto root, parser.parse(document.bytes));
  if (!root.is_object() || root.size() == 0) return invalid("no object of source packages");
  TrackerReader reader(document, sink);
  std::size_t entries = 0;
  root.for_each_member([&](std::string_view package, json::Value vulnerabilities) {
    vulnerabilities.for_each_member([&](std::string_view id, json::Value entry) {
      ++entries;
      reader.read_entry(package, id, entry);
    });
    if (!vulnerabilities.is_object())
      sink.skip({std::string(document.path), std::string(package), "no object of vulnerabilities"});
  });
  if (entries == 0) return invalid("no vulnerability of any source package");
  reader.finish();
  return {};
}

constexpr std::string_view start[] = {"https://security-tracker.debian.org/tracker/data/json"};

constexpr Place places[] = {
    {.file = "debian/debian-tracker-json-derived.tar.zst", .member = "**/data/json"},
    {.file = "security-tracker.debian.org/tracker/data/json"},
};

}  // namespace debian_tracker_

extern constinit const Feed debian_tracker{
    .id = "debian_tracker",
    .title = "Debian security tracker",
    .licence = "Debian's web site licence (MIT)",
    .places = debian_tracker_::places,
    .fetching = {.start = debian_tracker_::start},
    .parse = debian_tracker_::parse,
};

}  // namespace tenken::feeds
