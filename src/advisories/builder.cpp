#include "advisories/builder.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include "advisories/aliases.h"
#include "advisories/block_file.h"
#include "advisories/documents.h"
#include "advisories/entries.h"
#include "advisories/scoring.h"
#include "advisories/table.h"
#include "version/ecosystem.h"

namespace tenken::advisories {
namespace {

constexpr std::size_t skip_reason_limit = 1000;

struct PendingRow {
  std::uint32_t name = 0;  // number of the (partition, name)
  std::string body;
};

struct PendingRecord {
  RecordLinks links;
  std::string feed;
  std::string ecosystem;  // of its first affected package
  bool at_home = false;   // published by the ecosystem it is about
  Seconds modified = 0;
  std::optional<Seconds> withdrawn;
  std::string vendor_severity;
  std::string summary;
  std::string summary_ja;
  std::vector<Severity> severity;
  std::vector<PendingRow> rows;
  std::uint32_t document = 0;
  std::uint64_t hash = 0;  // of the contents
};

struct PendingNote {
  std::vector<Severity> severity;
  std::optional<KnownExploited> exploited;
  std::optional<ExploitPrediction> prediction;
  std::optional<std::uint32_t> document;
  Seconds modified = 0;
};

struct PartitionKey {
  std::string ecosystem;
  std::string release;
  auto operator<=>(const PartitionKey&) const = default;
};

struct NameKey {
  PartitionKey partition;
  std::string name;
  auto operator<=>(const NameKey&) const = default;
};

std::uint64_t hash(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace

struct Builder::State {
  std::vector<PendingRecord> records;
  std::unordered_map<std::string, std::size_t> by_id;    // "<id space>\0<id>"
  std::unordered_map<std::string, PendingNote> notes;    // by CVE
  std::unordered_map<std::string, std::uint32_t> names;  // "<ecosystem>\0<release>\0<name>"
  std::vector<NameKey> name_keys;
  std::map<std::string, FeedMeta, std::less<>> feeds;
  std::map<std::pair<std::string, std::string>, SkipCount> skips;
  struct Covered {
    bool partial = true;
    std::uint64_t rows = 0;
    Seconds newest = 0;
  };
  std::map<std::pair<PartitionKey, std::string>, Covered> coverage;  // by feed second
  std::set<std::pair<std::string, std::string>> damaged;  // feed, home ecosystem or empty
  DocumentWriter documents;
  bool starter = false;

  FeedMeta& feed(std::string_view id) {
    const auto found = feeds.find(id);
    if (found != feeds.end()) return found->second;
    auto& fresh = feeds[std::string(id)];
    fresh.id = id;
    return fresh;
  }

  std::uint32_t name(PartitionKey partition, std::string name);
  PendingRecord pending(const Origin& origin, Advisory&& advisory);
  static bool replaces(const PendingRecord& fresh, const PendingRecord& kept);
  void count_skip(std::string_view feed, Skip&& skip);
};

Builder::Builder() : state_(std::make_unique<State>()) {}
Builder::~Builder() = default;

std::uint32_t Builder::State::name(PartitionKey partition, std::string name) {
  std::string key = partition.ecosystem + '\0' + partition.release + '\0' + name;
  const auto [it, fresh] =
      names.try_emplace(std::move(key), static_cast<std::uint32_t>(name_keys.size()));
  if (fresh) name_keys.push_back({std::move(partition), std::move(name)});
  return it->second;
}

void Builder::State::count_skip(std::string_view feed_id, Skip&& skip) {
  ++feed(feed_id).skipped;
  // A hostile feed may give every skip a reason of its own.
  const bool many = skips.size() >= skip_reason_limit;
  auto& counted = skips[{std::string(feed_id), many ? "for other reasons" : skip.reason}];
  if (many) skip.reason = "for other reasons";
  if (counted.count++ > 0) return;
  counted.feed = feed_id;
  counted.reason = skip.reason;
  counted.example = std::move(skip);
}

PendingRecord Builder::State::pending(const Origin& origin, Advisory&& advisory) {
  PendingRecord out;
  out.feed = origin.feed;
  out.modified = advisory.modified;
  out.withdrawn = advisory.withdrawn;
  out.vendor_severity = std::move(advisory.vendor_severity);
  out.severity = advisory.severity;
  out.summary = std::move(advisory.summary);
  out.summary_ja = std::move(advisory.summary_ja);
  std::uint64_t contents = hash(out.summary_ja, hash(out.summary, hash(advisory.id)));
  for (auto& affected : advisory.affected) {
    const auto* ecosystem = version::find_ecosystem(affected.ecosystem);
    PartitionKey partition{affected.ecosystem,
                           version::normal_release(affected.ecosystem, affected.release)};
    if (out.ecosystem.empty()) out.ecosystem = affected.ecosystem;
    out.severity.insert(out.severity.end(), affected.severity.begin(), affected.severity.end());
    auto name_number =
        name(std::move(partition), version::normal_name(affected.ecosystem, affected.name));
    out.rows.push_back(
        {name_number, pack_row_body(affected, ecosystem != nullptr ? ecosystem->scheme : nullptr)});
    contents = hash(out.rows.back().body, contents + name_number);
  }
  out.at_home = !origin.home_ecosystem.empty() && origin.home_ecosystem == out.ecosystem;
  Document document{.published = advisory.published,
                    .modified = advisory.modified,
                    .status = {},
                    .details = std::move(advisory.details),
                    .severity = out.severity,
                    .cwes = std::move(advisory.cwes),
                    .references = std::move(advisory.references)};
  auto packed = pack(document);
  out.hash = hash(packed, contents);
  out.document = documents.add(std::move(packed));
  out.links = {std::move(advisory.id), std::move(advisory.aliases), std::move(advisory.upstream),
               std::move(advisory.related)};
  return out;
}

// The newest copy; at a tie the one published by the ecosystem it is about, then the first seen.
bool Builder::State::replaces(const PendingRecord& fresh, const PendingRecord& kept) {
  if (fresh.modified != kept.modified) return fresh.modified > kept.modified;
  return fresh.at_home && !kept.at_home;
}

void Builder::add(const Origin& origin, Advisory&& advisory) {
  State& state = *state_;
  auto& feed = state.feed(origin.feed);
  ++feed.records;
  feed.newest = std::max(feed.newest, advisory.modified);
  std::string key = std::string(origin.id_space) + '\0' + advisory.id;
  const auto [it, fresh] = state.by_id.try_emplace(std::move(key), state.records.size());
  auto record = state.pending(origin, std::move(advisory));
  if (fresh) {
    state.records.push_back(std::move(record));
    return;
  }
  auto& kept = state.records[it->second];
  ++feed.duplicates;
  if (record.modified == kept.modified && record.hash != kept.hash) ++feed.differing;
  if (State::replaces(record, kept)) kept = std::move(record);
}

void Builder::add(const Origin& origin, VulnerabilityNote&& note) {
  State& state = *state_;
  auto& feed = state.feed(origin.feed);
  ++feed.records;
  feed.newest = std::max(feed.newest, note.prediction ? note.prediction->date : note.modified);
  auto& pending = state.notes[note.id];
  // What KEV and EPSS say beside their own facts gives way to NVD's entry.
  const bool facts_only = note.exploited || note.prediction;
  if (note.exploited) pending.exploited = std::move(note.exploited);
  if (note.prediction) pending.prediction = note.prediction;
  if (facts_only) return;
  if (pending.document && pending.modified >= note.modified) {
    ++feed.duplicates;
    return;
  }
  pending.modified = note.modified;
  pending.severity = note.severity;
  pending.document = state.documents.add(pack(Document{.published = note.published,
                                                       .modified = note.modified,
                                                       .status = std::move(note.status),
                                                       .details = std::move(note.description),
                                                       .severity = std::move(note.severity),
                                                       .cwes = std::move(note.cwes),
                                                       .references = std::move(note.references)}));
}

void Builder::add(const Origin& origin, Skip&& skip) {
  state_->count_skip(origin.feed, std::move(skip));
}

void Builder::add_document(std::string_view feed_id, std::string_view bytes) {
  auto& feed = state_->feed(feed_id);
  ++feed.documents;
  const std::string chained = fmt::format("{}{:016x}", feed.content_hash, hash(bytes));
  feed.content_hash = fmt::format("{:016x}", hash(chained));
}

void Builder::add_coverage(std::string_view feed, std::string_view ecosystem,
                           std::string_view release, bool partial) {
  PartitionKey key{std::string(ecosystem), version::normal_release(ecosystem, release)};
  auto& covered = state_->coverage[{std::move(key), std::string(feed)}];
  covered.partial = covered.partial && partial;
}

void Builder::add_damage(std::string_view feed, std::string_view home_ecosystem) {
  state_->damaged.emplace(feed, home_ecosystem);
}

void Builder::set_fetched(std::string_view feed, Seconds time) {
  auto& meta = state_->feed(feed);
  meta.fetched = std::max(meta.fetched, time);
}

void Builder::set_starter() {
  state_->starter = true;
}

namespace {

// Composes the sections from everything that was added.
class Composer {
 public:
  Composer(Builder& builder, auto& state) : builder_(builder), state_(state) {}

  Result<Builder::Built> run() {
    order_records();
    resolve();
    state_.documents.finish();
    TRY_VOID(write_names());
    TRY_VOID(write_records());
    TRY_VOID(write_vulnerabilities());
    auto meta = compose_meta();
    std::array<std::string, section_count> sections;
    const auto at = [&](Section section) -> std::string& {
      return sections[static_cast<std::size_t>(section)];
    };
    at(Section::meta) = pack(meta);
    at(Section::partitions) = partitions_.take();
    at(Section::names) = names_.take();
    at(Section::rows) = std::move(rows_);
    at(Section::records) = records_.take();
    at(Section::vulnerabilities) = vulnerabilities_.take();
    at(Section::dictionary) = state_.documents.take_dictionary();
    at(Section::documents) = state_.documents.take_documents();
    return Builder::Built{compose_block_file(sections), std::move(meta)};
  }

 private:
  void order_records() {
    std::ranges::sort(state_.records, [](const PendingRecord& a, const PendingRecord& b) {
      return std::tie(a.links.id, a.feed) < std::tie(b.links.id, b.feed);
    });
  }

  void resolve() {
    std::vector<RecordLinks> links;
    links.reserve(state_.records.size());
    for (auto& record : state_.records) links.push_back(record.links);
    std::vector<std::string> extra;
    extra.reserve(state_.notes.size());
    for (const auto& [id, note] : state_.notes) extra.push_back(id);
    resolution_ = resolve_aliases(links, extra);
  }

  // Names sorted by partition and name; each with its rows, which are in the order of records.
  Result<> write_names() {
    std::vector<std::vector<std::pair<std::uint32_t, std::string_view>>> rows(
        state_.name_keys.size());
    for (std::uint32_t i = 0; i < state_.records.size(); ++i) {
      for (const auto& row : state_.records[i].rows) rows[row.name].emplace_back(i, row.body);
    }
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].empty()) order.push_back(i);  // names of replaced records alone have none
    }
    std::ranges::sort(order, {},
                      [&](std::uint32_t i) -> const NameKey& { return state_.name_keys[i]; });
    for (std::size_t first = 0; first < order.size();) {
      std::size_t last = first;
      const auto& partition = state_.name_keys[order[first]].partition;
      while (last < order.size() && state_.name_keys[order[last]].partition == partition) {
        TRY_VOID(write_name(state_.name_keys[order[last]].name, rows[order[last]]));
        ++last;
      }
      TRY_VOID(partitions_.add(pack(PartitionEntry{partition.ecosystem, partition.release,
                                                   static_cast<std::uint32_t>(first),
                                                   static_cast<std::uint32_t>(last - first)})));
      first = last;
    }
    return {};
  }

  Result<> write_name(std::string_view name,
                      const std::vector<std::pair<std::uint32_t, std::string_view>>& rows) {
    std::uint64_t content = 0;
    for (const auto& [record, body] : rows) {
      const auto& pending = state_.records[record];
      content = hash(body, hash(pending.links.id, content) +
                               static_cast<std::uint64_t>(pending.withdrawn.value_or(0)));
      for (const auto vulnerability : resolution_.of_record[record])
        content = hash(resolution_.vulnerabilities[vulnerability].id, content);
    }
    const auto packed = pack_rows(rows);
    row_count_ += rows.size();
    TRY_VOID(names_.add(
        pack(NameEntry{name, rows_.size(), static_cast<std::uint32_t>(packed.size()), content})));
    rows_ += packed;
    return {};
  }

  Result<> write_records() {
    for (std::size_t i = 0; i < state_.records.size(); ++i) {
      const auto& record = state_.records[i];
      withdrawn_ += record.withdrawn ? 1 : 0;
      TRY_VOID(records_.add(
          pack(RecordEntry{record.links.id, record.feed, record.modified, record.withdrawn,
                           record.vendor_severity, record.summary, record.summary_ja,
                           resolution_.of_record[i], state_.documents.place(record.document)})));
    }
    return {};
  }

  Result<> write_vulnerabilities() {
    for (const auto& one : resolution_.vulnerabilities) {
      VulnerabilityEntry entry;
      entry.id = one.id;
      entry.aliases.assign(one.aliases.begin(), one.aliases.end());
      Scoring scoring;
      if (const auto note = state_.notes.find(one.id); note != state_.notes.end()) {
        entry.exploited = note->second.exploited;
        entry.prediction = note->second.prediction;
        if (note->second.document) entry.note = state_.documents.place(*note->second.document);
        for (const auto& severity : note->second.severity)
          scoring.consider(severity, severity.source);
      }
      for (const auto record : one.described) {
        entry.described.push_back(static_cast<std::uint32_t>(record));
        for (const auto& severity : state_.records[record].severity)
          scoring.consider(severity, state_.records[record].links.id);
      }
      for (auto& fault : scoring.take_faults())
        builder_.add(Origin{.feed = "cvss", .id_space = {}, .path = {}, .home_ecosystem = {}},
                     Skip{.file = {}, .record = one.id, .reason = std::move(fault)});
      entry.cvss_score = scoring.best().score;
      entry.cvss_vector = scoring.best().vector;
      entry.cvss_source = scoring.best().source;
      entry.cvss_level = scoring.best().level;
      TRY_VOID(vulnerabilities_.add(pack(entry)));
    }
    return {};
  }

  Meta compose_meta() {
    count_coverage();
    Meta meta;
    meta.starter = state_.starter;
    // Daily facts such as EPSS make no advisory younger.
    for (const auto& record : state_.records)
      meta.newest_record = std::max(meta.newest_record, record.modified);
    meta.records = state_.records.size();
    meta.withdrawn = withdrawn_;
    meta.rows = row_count_;
    meta.vulnerabilities = resolution_.vulnerabilities.size();
    for (const auto& [id, feed] : state_.feeds) {
      meta.feeds.push_back(feed);
    }
    for (const auto& [key, covered] : state_.coverage)
      meta.coverage.push_back({key.second, key.first.ecosystem, key.first.release, covered.rows,
                               covered.newest, covered.partial});
    for (const auto& [key, counted] : state_.skips) meta.skips.push_back(counted);
    return meta;
  }

  void count_coverage() {
    for (auto& [key, covered] : state_.coverage) {
      const auto& feed = key.second;
      covered.partial = covered.partial || state_.damaged.contains({feed, ""}) ||
                        state_.damaged.contains({feed, key.first.ecosystem});
    }
    for (const auto& record : state_.records) {
      for (const auto& row : record.rows) {
        const auto found =
            state_.coverage.find({state_.name_keys[row.name].partition, record.feed});
        if (found == state_.coverage.end()) continue;
        ++found->second.rows;
        found->second.newest = std::max(found->second.newest, record.modified);
      }
    }
  }

  Builder& builder_;
  Builder::State& state_;
  Resolution resolution_;
  TableWriter partitions_;
  TableWriter names_;
  std::string rows_;
  TableWriter records_;
  TableWriter vulnerabilities_;
  std::uint64_t row_count_ = 0;
  std::uint64_t withdrawn_ = 0;
};

}  // namespace

Result<Builder::Built> Builder::finish() {
  return Composer(*this, *state_).run();
}

}  // namespace tenken::advisories
