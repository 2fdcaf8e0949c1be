#include "advisories/builder.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <numeric>
#include <set>
#include <span>
#include <tuple>
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
  std::uint32_t body_size = 0;
  std::uint64_t body_at = 0;  // in State::row_bodies
};

struct PendingRecord {
  RecordLinks links;
  std::string_view feed;
  bool at_home = false;  // published by the ecosystem it is about
  Seconds modified = 0;
  std::optional<Seconds> withdrawn;
  std::string vendor_severity;
  std::string summary;
  std::string summary_ja;
  std::vector<Severity> severity;
  std::size_t first_row = 0;  // in State::rows
  std::size_t rows = 0;
  std::uint32_t document = 0;
  std::uint32_t file = 0;  // in State::files
  std::uint64_t hash = 0;  // of the contents
};

struct PendingNote {
  std::vector<Severity> severity;
  std::optional<KnownExploited> exploited;
  std::optional<ExploitPrediction> prediction;
  std::optional<std::uint32_t> document;
  Seconds modified = 0;
  std::string_view feed;   // of the severity
  std::uint32_t file = 0;  // in State::files
};

struct PartitionKey {
  std::string ecosystem;
  std::string release;
  auto operator<=>(const PartitionKey&) const = default;
};

// Names of one release of an ecosystem, each with its number among the names of all.
using Partition = std::unordered_map<std::string, std::uint32_t>;

std::uint64_t hash(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace

struct Builder::State {
  std::deque<PendingRecord> records;
  std::unordered_map<std::string, PendingRecord*> by_id;  // "<id space>\0<id>"
  std::unordered_map<std::string, PendingNote> notes;     // by CVE
  std::map<PartitionKey, Partition> partitions;
  std::uint32_t name_count = 0;
  // Of all records, also of those that gave way to another of their id.
  std::vector<PendingRow> rows;
  PackWriter row_bodies;
  PackWriter packed_document;  // the one at hand
  std::map<std::string, FeedMeta, std::less<>> feeds;
  std::map<std::pair<std::string, std::string>, SkipCount> skips;
  struct Covered {
    bool partial = true;
    std::uint64_t rows = 0;
    Seconds newest = 0;
  };
  std::map<std::pair<PartitionKey, std::string>, Covered> coverage;  // by feed second
  std::set<std::pair<std::string, std::string>> damaged;  // feed, home ecosystem or empty
  std::vector<std::string> files{""};                     // that hold a vector which cannot be read
  DocumentWriter documents;
  bool starter = false;

  FeedMeta& feed(std::string_view id) {
    const auto found = feeds.find(id);
    if (found != feeds.end()) return found->second;
    auto& fresh = feeds[std::string(id)];
    fresh.id = id;
    return fresh;
  }

  Partition& partition(const AffectedPackage& affected);
  std::string_view body(const PendingRow& row) const {
    return std::string_view(row_bodies.bytes()).substr(row.body_at, row.body_size);
  }
  std::uint32_t file_of(const Origin& origin, std::span<const Severity> severity);
  PendingRecord pending(const Origin& origin, Advisory&& advisory);
  static bool replaces(const PendingRecord& fresh, const PendingRecord& kept);
  void count_skip(std::string_view feed, Skip&& skip);
};

Builder::Builder() : state_(std::make_unique<State>()) {}
Builder::~Builder() = default;

Partition& Builder::State::partition(const AffectedPackage& affected) {
  return partitions[{affected.ecosystem,
                     version::normal_release(affected.ecosystem, affected.release)}];
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

// The number of the file for the skips that its vectors will be; 0 where there will be none.
std::uint32_t Builder::State::file_of(const Origin& origin, std::span<const Severity> severity) {
  const auto good = [](const Severity& one) { return !is_cvss(one) || read_vector(one.score); };
  if (std::ranges::all_of(severity, good)) return 0;
  if (files.back() != origin.path) files.emplace_back(origin.path);
  return static_cast<std::uint32_t>(files.size() - 1);
}

PendingRecord Builder::State::pending(const Origin& origin, Advisory&& advisory) {
  PendingRecord out;
  out.feed = feed(origin.feed).id;
  out.modified = advisory.modified;
  out.withdrawn = advisory.withdrawn;
  out.vendor_severity = std::move(advisory.vendor_severity);
  out.severity = std::move(advisory.severity);
  out.summary = std::move(advisory.summary);
  out.summary_ja = std::move(advisory.summary_ja);
  out.first_row = rows.size();
  out.rows = advisory.affected.size();
  std::uint64_t contents = hash(out.summary_ja, hash(out.summary, hash(advisory.id)));
  const AffectedPackage* last = nullptr;
  Partition* names = nullptr;
  for (auto& affected : advisory.affected) {
    if (last == nullptr || affected.release != last->release ||
        affected.ecosystem != last->ecosystem)
      names = &partition(affected);
    last = &affected;
    const auto [name, fresh] =
        names->try_emplace(version::normal_name(affected.ecosystem, affected.name), name_count);
    if (fresh) ++name_count;
    const auto* ecosystem = version::find_ecosystem(affected.ecosystem);
    std::ranges::move(affected.severity, std::back_inserter(out.severity));
    PendingRow row{.name = name->second, .body_at = row_bodies.size()};
    put_row_body(row_bodies, affected, ecosystem != nullptr ? ecosystem->scheme : nullptr);
    row.body_size = static_cast<std::uint32_t>(row_bodies.size() - row.body_at);
    contents = hash(body(row), contents + row.name);
    rows.push_back(row);
  }
  out.at_home = !origin.home_ecosystem.empty() && !advisory.affected.empty() &&
                origin.home_ecosystem == advisory.affected.front().ecosystem;
  Document document{.published = advisory.published,
                    .modified = advisory.modified,
                    .status = {},
                    .details = std::move(advisory.details),
                    .severity = std::move(out.severity),
                    .cwes = std::move(advisory.cwes),
                    .references = std::move(advisory.references)};
  packed_document.clear();
  put(packed_document, document);
  out.severity = std::move(document.severity);
  out.file = file_of(origin, out.severity);
  out.hash = hash(packed_document.bytes(), contents);
  out.document = documents.add(packed_document.bytes());
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
  auto record = state.pending(origin, std::move(advisory));
  auto& place = state.by_id[std::move(key)];
  if (place == nullptr) {
    place = &state.records.emplace_back(std::move(record));
    return;
  }
  auto& kept = *place;
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
  pending.feed = feed.id;
  pending.file = state.file_of(origin, note.severity);
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

struct RecordRow {
  std::uint32_t record = 0;
  const PendingRow* row = nullptr;
};

// Composes the sections from everything that was added.
class Composer {
  using State = Builder::State;

 public:
  Composer(Builder& builder, State& state) : builder_(builder), state_(state) {}

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
    at(Section::rows) = rows_.take();
    at(Section::records) = records_.take();
    at(Section::vulnerabilities) = vulnerabilities_.take();
    at(Section::dictionary) = state_.documents.take_dictionary();
    at(Section::documents) = state_.documents.take_documents();
    return Builder::Built{compose_block_file(sections), std::move(meta)};
  }

 private:
  void order_records() {
    for (auto& record : state_.records) ordered_.push_back(&record);
    std::ranges::sort(ordered_, {}, [](const PendingRecord* record) {
      return std::tie(record->links.id, record->feed);
    });
  }

  void resolve() {
    links_.reserve(ordered_.size());
    for (auto* record : ordered_) links_.push_back(std::move(record->links));
    std::vector<std::string_view> extra;
    extra.reserve(state_.notes.size());
    for (const auto& [id, note] : state_.notes) extra.emplace_back(id);
    resolution_ = resolve_aliases(links_, extra);
  }

  std::span<const PendingRow> rows_of(const PendingRecord& record) const {
    return std::span(state_.rows).subspan(record.first_row, record.rows);
  }

  // The rows of each name, in the order of records.
  void group_rows() {
    std::vector<std::size_t> next(state_.name_count + 1);
    for (const auto* record : ordered_) {
      for (const auto& row : rows_of(*record)) ++next[row.name + 1];
    }
    std::partial_sum(next.begin(), next.end(), next.begin());
    name_rows_.resize(next.back());
    rows_end_ = next;
    for (std::uint32_t i = 0; i < ordered_.size(); ++i) {
      for (const auto& row : rows_of(*ordered_[i])) name_rows_[next[row.name]++] = {i, &row};
    }
  }
  std::span<const RecordRow> rows_of_name(std::uint32_t name) const {
    return std::span(name_rows_).subspan(rows_end_[name], rows_end_[name + 1] - rows_end_[name]);
  }

  // Names sorted by partition and name; each with its rows.
  Result<> write_names() {
    group_rows();
    rows_.reserve(state_.row_bodies.size() + 8 * name_rows_.size());
    std::uint32_t first = 0;
    for (const auto& [key, partition] : state_.partitions) {
      std::vector<std::pair<std::string_view, std::uint32_t>> names;
      for (const auto& [name, number] : partition) {
        // Names of replaced records alone have no rows.
        if (!rows_of_name(number).empty()) names.emplace_back(name, number);
      }
      if (names.empty()) continue;
      std::ranges::sort(names);
      for (const auto& [name, number] : names) {
        TRY_VOID(write_name(name, rows_of_name(number)));
        count_rows(key, rows_of_name(number));
      }
      const auto count = static_cast<std::uint32_t>(names.size());
      TRY_VOID(partitions_.add(pack(PartitionEntry{key.ecosystem, key.release, first, count})));
      first += count;
    }
    return {};
  }

  Result<> write_name(std::string_view name, std::span<const RecordRow> rows) {
    std::uint64_t content = 0;
    const auto start = rows_.size();
    rows_.number(rows.size());
    for (const auto& [record, row] : rows) {
      const auto body = state_.body(*row);
      const auto& from = *ordered_[record];
      content = hash(body, hash(links_[record].id, content) +
                               static_cast<std::uint64_t>(from.withdrawn.value_or(0)));
      content = hash(from.vendor_severity, hash(from.feed, content));
      for (const auto vulnerability : resolution_.of_record[record])
        content = hash(resolution_.vulnerabilities[vulnerability].id, content);
      rows_.number(record).packed(body);
    }
    row_count_ += rows.size();
    const auto size = static_cast<std::uint32_t>(rows_.size() - start);
    return names_.add(pack(NameEntry{name, start, size, content}));
  }

  void count_rows(const PartitionKey& partition, std::span<const RecordRow> rows) {
    State::Covered* covered = nullptr;
    std::string_view feed;
    for (const auto& [record, row] : rows) {
      const auto& from = *ordered_[record];
      if (from.feed != feed) {
        feed = from.feed;
        const auto found = state_.coverage.find({partition, std::string(feed)});
        covered = found != state_.coverage.end() ? &found->second : nullptr;
      }
      if (covered == nullptr) continue;
      ++covered->rows;
      covered->newest = std::max(covered->newest, from.modified);
    }
  }

  Result<> write_records() {
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      const auto& record = *ordered_[i];
      withdrawn_ += record.withdrawn ? 1 : 0;
      TRY_VOID(records_.add(
          pack(RecordEntry{links_[i].id, record.feed, record.modified, record.withdrawn,
                           record.vendor_severity, record.summary, record.summary_ja,
                           resolution_.of_record[i], state_.documents.place(record.document)})));
    }
    return {};
  }

  // Vulnerabilities with the records whose vectors are theirs: those that name no other.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> scoring_records() const {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    for (std::uint32_t i = 0; i < ordered_.size(); ++i) {
      const auto& names = resolution_.of_record[i];
      if (names.size() == 1 && !ordered_[i]->severity.empty()) out.emplace_back(names.front(), i);
    }
    std::ranges::sort(out);
    return out;
  }

  Result<> write_vulnerabilities() {
    const auto records = scoring_records();
    auto scored = records.begin();
    for (std::uint32_t number = 0; number < resolution_.vulnerabilities.size(); ++number) {
      const auto& one = resolution_.vulnerabilities[number];
      VulnerabilityEntry entry;
      entry.id = one.id;
      entry.aliases = one.aliases;
      Scoring scoring;
      const auto consider = [&](const Severity& severity, std::string_view feed,
                                std::string_view record, std::uint32_t file) {
        auto read = scoring.consider(severity, record);
        if (read) return;
        builder_.add(Origin{.feed = feed, .id_space = {}, .path = {}, .home_ecosystem = {}},
                     Skip{.file = state_.files[file],
                          .record = std::string(record.empty() ? one.id : record),
                          .reason = std::move(read.error().what)});
      };
      if (const auto note = state_.notes.find(std::string(one.id)); note != state_.notes.end()) {
        entry.exploited = note->second.exploited;
        entry.prediction = note->second.prediction;
        if (note->second.document) entry.note = state_.documents.place(*note->second.document);
        for (const auto& severity : note->second.severity)
          consider(severity, note->second.feed, {}, note->second.file);
      }
      entry.described = one.described;
      for (; scored != records.end() && scored->first == number; ++scored) {
        const auto& record = *ordered_[scored->second];
        for (const auto& severity : record.severity)
          consider(severity, record.feed, links_[scored->second].id, record.file);
      }
      const auto scores = scoring.take();
      for (const auto& score : scores)
        entry.cvss.push_back(
            {.vector = score.vector, .source = score.source, .tenths = score.tenths});
      TRY_VOID(vulnerabilities_.add(pack(entry)));
    }
    return {};
  }

  Meta compose_meta() {
    weaken_coverage();
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

  void weaken_coverage() {
    for (auto& [key, covered] : state_.coverage) {
      const auto& feed = key.second;
      covered.partial = covered.partial || state_.damaged.contains({feed, ""}) ||
                        state_.damaged.contains({feed, key.first.ecosystem});
    }
  }

  Builder& builder_;
  State& state_;
  std::vector<PendingRecord*> ordered_;  // records by id and feed; below, numbers are of this order
  std::vector<RecordLinks> links_;       // of the records
  std::vector<RecordRow> name_rows_;     // by name, then record
  std::vector<std::size_t> rows_end_;    // by name: where the rows of the name before it end
  Resolution resolution_;
  TableWriter partitions_;
  TableWriter names_;
  PackWriter rows_;
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
