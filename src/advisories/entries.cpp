#include "advisories/entries.h"

#include <algorithm>
#include <bit>

#include "advisories/packed.h"

namespace tenken::advisories {
namespace {

template <typename T>
Result<T> checked(const PackReader& reader, T value, std::string_view what) {
  if (!reader.ok() || !reader.at_end()) return invalid("corrupt " + std::string(what));
  return value;
}

template <typename Enum>
Enum enumerator(std::uint64_t value, Enum last) {
  return value > static_cast<std::uint64_t>(last) ? last : static_cast<Enum>(value);
}

void put(PackWriter& out, const DocumentRef& ref) {
  out.number(ref.offset).number(ref.size);
}
DocumentRef get_ref(PackReader& in) {
  const auto offset = in.number();
  return {offset, static_cast<std::uint32_t>(in.number())};
}

void put(PackWriter& out, double value) {
  out.number(std::bit_cast<std::uint64_t>(value));
}
double get_double(PackReader& in) {
  return std::bit_cast<double>(in.number());
}

std::vector<std::uint32_t> get_numbers(PackReader& in) {
  std::vector<std::uint32_t> out(in.count());
  for (auto& one : out) one = static_cast<std::uint32_t>(in.number());
  return out;
}

template <typename Text>
std::vector<Text> get_texts(PackReader& in) {
  std::vector<Text> out(in.count());
  for (auto& one : out) one = in.text();
  return out;
}

}  // namespace

std::string pack(const PartitionEntry& entry) {
  return PackWriter()
      .text(entry.ecosystem)
      .text(entry.release)
      .number(entry.first_name)
      .number(entry.names)
      .take();
}

Result<PartitionEntry> unpack_partition(std::string_view bytes) {
  PackReader in(bytes);
  PartitionEntry entry;
  entry.ecosystem = in.text();
  entry.release = in.text();
  entry.first_name = static_cast<std::uint32_t>(in.number());
  entry.names = static_cast<std::uint32_t>(in.number());
  return checked(in, entry, "partition");
}

std::string pack(const NameEntry& entry) {
  return PackWriter()
      .text(entry.name)
      .number(entry.rows_at)
      .number(entry.rows_size)
      .number(entry.hash)
      .take();
}

Result<NameEntry> unpack_name(std::string_view bytes) {
  PackReader in(bytes);
  NameEntry entry;
  entry.name = in.text();
  entry.rows_at = in.number();
  entry.rows_size = static_cast<std::uint32_t>(in.number());
  entry.hash = in.number();
  return checked(in, entry, "package name");
}

namespace {

void put_range(PackWriter& out, const Range& range, const version::Scheme* scheme) {
  out.number(static_cast<std::uint64_t>(range.type));
  if (!range.fault.empty()) {
    out.text(range.fault).number(0);
    return;
  }
  if (range.type == Range::Type::git) {
    out.text("a range of git commits").number(0);
    return;
  }
  if (scheme == nullptr) {
    out.text("the ecosystem's versions have no known order").number(0);
    return;
  }
  const auto ordered = intervals(range, *scheme);
  if (!ordered) {
    out.text(ordered.error().what).number(0);
    return;
  }
  out.text("").number(ordered->size());
  for (const auto& one : *ordered) {
    out.text(one.lower_key).text(one.lower).number(static_cast<std::uint64_t>(one.upper_bound));
    if (one.upper_bound != UpperBound::none) out.text(one.upper_key).text(one.upper);
  }
}

RangeView get_range(PackReader& in) {
  RangeView range;
  range.type = enumerator(in.number(), Range::Type::git);
  range.fault = in.text();
  range.intervals.resize(in.count());
  for (auto& one : range.intervals) {
    one.lower_key = in.text();
    one.lower = in.text();
    one.upper_bound = enumerator(in.number(), UpperBound::limit);
    if (one.upper_bound == UpperBound::none) continue;
    one.upper_key = in.text();
    one.upper = in.text();
  }
  return range;
}

}  // namespace

PackedTexts::PackedTexts(PackReader& in) : count_(in.count()) {
  bytes_ = in.rest();
  for (std::size_t i = 0; i < count_ && in.ok(); ++i) in.text();
  bytes_.remove_suffix(in.rest().size());
}

bool PackedTexts::contains(std::string_view text) const {
  PackReader in(bytes_);
  for (std::size_t i = 0; i < count_; ++i) {
    if (in.text() == text) return true;
  }
  return false;
}

void put_row_body(PackWriter& out, const AffectedPackage& affected, const version::Scheme* scheme) {
  out.number(static_cast<std::uint64_t>(affected.status))
      .text(affected.name)
      .text(affected.status_note);
  out.text(affected.vendor_severity).text(affected.module_stream);
  out.number(affected.ranges.size());
  for (const auto& range : affected.ranges) put_range(out, range, scheme);
  out.texts(affected.versions);
}

Result<std::vector<RowView>> unpack_rows(std::string_view bytes) {
  PackReader in(bytes);
  std::vector<RowView> rows(in.count());
  for (auto& row : rows) {
    row.record = static_cast<std::uint32_t>(in.number());
    row.status = enumerator(in.number(), VendorStatus::not_affected);
    row.name = in.text();
    row.status_note = in.text();
    row.vendor_severity = in.text();
    row.module_stream = in.text();
    row.ranges.resize(in.count());
    for (auto& range : row.ranges) range = get_range(in);
    row.versions = PackedTexts(in);
  }
  if (!in.ok() || !in.at_end()) return invalid("corrupt rows");
  return rows;
}

std::string pack(const RecordEntry& entry) {
  PackWriter out;
  out.text(entry.id).text(entry.feed).signed_number(entry.modified);
  out.number(entry.withdrawn ? 1 : 0).signed_number(entry.withdrawn.value_or(0));
  out.text(entry.vendor_severity).text(entry.summary).text(entry.summary_ja);
  out.number(entry.vulnerabilities.size());
  for (const auto one : entry.vulnerabilities) out.number(one);
  put(out, entry.document);
  return out.take();
}

Result<RecordEntry> unpack_record(std::string_view bytes) {
  PackReader in(bytes);
  RecordEntry entry;
  entry.id = in.text();
  entry.feed = in.text();
  entry.modified = in.signed_number();
  const bool withdrawn = in.number() != 0;
  const auto time = in.signed_number();
  if (withdrawn) entry.withdrawn = time;
  entry.vendor_severity = in.text();
  entry.summary = in.text();
  entry.summary_ja = in.text();
  entry.vulnerabilities = get_numbers(in);
  entry.document = get_ref(in);
  return checked(in, std::move(entry), "record");
}

std::string pack(const VulnerabilityEntry& entry) {
  PackWriter out;
  out.text(entry.id).texts(entry.aliases).number(entry.described.size());
  for (const auto one : entry.described) out.number(one);
  out.number(entry.cvss.size());
  for (const auto& one : entry.cvss)
    out.text(one.vector).text(one.source).number(static_cast<std::uint64_t>(one.tenths));
  out.number(entry.exploited ? 1 : 0);
  if (const auto& kev = entry.exploited)
    out.signed_number(kev->added)
        .signed_number(kev->due)
        .number(kev->ransomware)
        .text(kev->name)
        .text(kev->action);
  out.number(entry.prediction ? 1 : 0);
  if (const auto& epss = entry.prediction) {
    put(out, epss->probability);
    put(out, epss->percentile);
    out.signed_number(epss->date);
  }
  put(out, entry.note);
  return out.take();
}

Result<VulnerabilityEntry> unpack_vulnerability(std::string_view bytes) {
  PackReader in(bytes);
  VulnerabilityEntry entry;
  entry.id = in.text();
  entry.aliases = get_texts<std::string_view>(in);
  entry.described = get_numbers(in);
  entry.cvss.resize(in.count());
  for (auto& one : entry.cvss) {
    one.vector = in.text();
    one.source = in.text();
    one.tenths = static_cast<std::int16_t>(std::min<std::uint64_t>(in.number(), 100));
  }
  if (in.number() != 0) {
    auto& kev = entry.exploited.emplace();
    kev.added = in.signed_number();
    kev.due = in.signed_number();
    kev.ransomware = in.number() != 0;
    kev.name = in.text();
    kev.action = in.text();
  }
  if (in.number() != 0) {
    auto& epss = entry.prediction.emplace();
    epss.probability = get_double(in);
    epss.percentile = get_double(in);
    epss.date = in.signed_number();
  }
  entry.note = get_ref(in);
  return checked(in, std::move(entry), "vulnerability");
}

void put(PackWriter& out, const Document& document) {
  out.signed_number(document.published).signed_number(document.modified).text(document.status);
  out.text(document.details).number(document.severity.size());
  for (const auto& one : document.severity)
    out.text(one.type).text(one.score).text(one.source).number(one.primary ? 1 : 0);
  out.texts(document.cwes).number(document.references.size());
  for (const auto& one : document.references) out.text(one.type).text(one.url);
}

std::string pack(const Document& document) {
  PackWriter out;
  put(out, document);
  return out.take();
}

Result<Document> unpack_document(std::string_view bytes) {
  PackReader in(bytes);
  Document document;
  document.published = in.signed_number();
  document.modified = in.signed_number();
  document.status = in.text();
  document.details = in.text();
  document.severity.resize(in.count());
  for (auto& one : document.severity) {
    one.type = in.text();
    one.score = in.text();
    one.source = in.text();
    one.primary = in.number() != 0;
  }
  document.cwes = get_texts<std::string>(in);
  document.references.resize(in.count());
  for (auto& one : document.references) {
    one.type = in.text();
    one.url = in.text();
  }
  return checked(in, std::move(document), "document");
}

std::string pack(const Meta& meta) {
  PackWriter out;
  out.number(meta.starter ? 1 : 0).number(meta.records).number(meta.withdrawn).number(meta.rows);
  out.number(meta.vulnerabilities).signed_number(meta.newest_record).number(meta.feeds.size());
  for (const auto& feed : meta.feeds) {
    out.text(feed.id)
        .number(feed.documents)
        .number(feed.records)
        .number(feed.duplicates)
        .number(feed.differing);
    out.number(feed.skipped)
        .signed_number(feed.newest)
        .signed_number(feed.fetched)
        .text(feed.content_hash);
  }
  out.number(meta.coverage.size());
  for (const auto& one : meta.coverage)
    out.text(one.feed)
        .text(one.ecosystem)
        .text(one.release)
        .number(one.rows)
        .signed_number(one.newest)
        .number(one.partial);
  out.number(meta.skips.size());
  for (const auto& one : meta.skips) {
    out.text(one.feed).text(one.reason).number(one.count);
    out.text(one.example.file).text(one.example.record);
  }
  return out.take();
}

Result<Meta> unpack_meta(std::string_view bytes) {
  PackReader in(bytes);
  Meta meta;
  meta.starter = in.number() != 0;
  meta.records = in.number();
  meta.withdrawn = in.number();
  meta.rows = in.number();
  meta.vulnerabilities = in.number();
  meta.newest_record = in.signed_number();
  meta.feeds.resize(in.count());
  for (auto& feed : meta.feeds) {
    feed.id = in.text();
    feed.documents = in.number();
    feed.records = in.number();
    feed.duplicates = in.number();
    feed.differing = in.number();
    feed.skipped = in.number();
    feed.newest = in.signed_number();
    feed.fetched = in.signed_number();
    feed.content_hash = in.text();
  }
  meta.coverage.resize(in.count());
  for (auto& one : meta.coverage) {
    one.feed = in.text();
    one.ecosystem = in.text();
    one.release = in.text();
    one.rows = in.number();
    one.newest = in.signed_number();
    one.partial = in.number() != 0;
  }
  meta.skips.resize(in.count());
  for (auto& one : meta.skips) {
    one.feed = in.text();
    one.reason = in.text();
    one.count = in.number();
    one.example = {std::string(in.text()), std::string(in.text()), one.reason};
  }
  return checked(in, std::move(meta), "metadata");
}

}  // namespace tenken::advisories
