#include "advisories/database.h"

#include <algorithm>

#include <fmt/format.h>

#include "advisories/packed.h"

namespace tenken::advisories {
namespace {

// The first index in [first, last) for which before(index) is false.
template <typename Before>
Result<std::uint32_t> partition_point(std::uint32_t first, std::uint32_t last, Before&& before) {
  while (first < last) {
    const auto middle = first + (last - first) / 2;
    TRY(const bool is_before, before(middle));
    if (is_before) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

}  // namespace

Result<Database> Database::open(const std::string& path) {
  TRY(auto file, BlockFile::open(path));
  Database database(std::move(file));
  const auto& f = database.file_;
  TRY(const auto meta, f.bytes(Section::meta, 0, f.section_size(Section::meta)));
  {
    auto unpacked = unpack_meta(meta);
    if (!unpacked) return std::move(unpacked).error().within(path);
    database.meta_ = *std::move(unpacked);
  }
  TRY(database.partitions_, Table::open(f, Section::partitions));
  TRY(database.names_, Table::open(f, Section::names));
  TRY(database.records_, Table::open(f, Section::records));
  TRY(database.vulnerabilities_, Table::open(f, Section::vulnerabilities));
  for (std::uint32_t i = 0; i < database.partitions_.count(); ++i) {
    TRY(const auto entry, database.partition(i));
    database.partition_entries_.push_back(entry);
  }
  TRY(const auto dictionary, f.bytes(Section::dictionary, 0, f.section_size(Section::dictionary)));
  database.documents_ = std::make_unique<DocumentReader>(dictionary);
  return database;
}

Result<> Database::verify() const {
  TRY_VOID(file_.verify_all());
  for (std::uint32_t i = 0; i < names_.count(); ++i) {
    TRY(const auto entry, name(i));
    TRY(const auto found, rows(entry));
    for (const auto& row : found) TRY_VOID(record(row.record));
  }
  for (std::uint32_t i = 0; i < records_.count(); ++i) {
    TRY(const auto entry, record(i));
    TRY_VOID(document(entry.document));
  }
  for (std::uint32_t i = 0; i < vulnerabilities_.count(); ++i) TRY_VOID(describe(i));
  return {};
}

Result<PartitionEntry> Database::partition(std::uint32_t index) const {
  TRY(const auto bytes, partitions_.entry(file_, index));
  return unpack_partition(bytes).within(file_.path());
}

Result<NameEntry> Database::name(std::uint32_t index) const {
  TRY(const auto bytes, names_.entry(file_, index));
  return unpack_name(bytes).within(file_.path());
}

Result<std::vector<RowView>> Database::rows(const NameEntry& entry) const {
  TRY(const auto bytes, file_.bytes(Section::rows, entry.rows_at, entry.rows_size));
  return unpack_rows(bytes).within(file_.path());
}

Result<std::vector<RowView>> Database::rows(std::string_view ecosystem, std::string_view release,
                                            std::string_view normal_name) const {
  const auto key = std::pair(ecosystem, release);
  const auto found = std::ranges::lower_bound(
      partition_entries_, key, {},
      [](const PartitionEntry& p) { return std::pair(p.ecosystem, p.release); });
  if (found == partition_entries_.end() || std::pair(found->ecosystem, found->release) != key)
    return std::vector<RowView>();
  const auto last = found->first_name + found->names;
  TRY(const auto index,
      partition_point(found->first_name, last, [&](std::uint32_t i) -> Result<bool> {
        TRY(const auto bytes, names_.entry(file_, i));
        return PackReader(bytes).text() < normal_name;  // an entry begins with its name
      }));
  if (index == last) return std::vector<RowView>();
  TRY(const auto entry, name(index));
  if (entry.name != normal_name) return std::vector<RowView>();
  return rows(entry);
}

bool Database::has_rows(std::string_view ecosystem) const {
  return std::ranges::binary_search(partition_entries_, ecosystem, {}, &PartitionEntry::ecosystem);
}

std::vector<const Coverage*> Database::coverage(std::string_view ecosystem,
                                                std::string_view release) const {
  std::vector<const Coverage*> out;
  for (const auto& one : meta_.coverage) {
    if (one.ecosystem == ecosystem && one.release == release) out.push_back(&one);
  }
  return out;
}

Result<RecordEntry> Database::record(std::uint32_t index) const {
  TRY(const auto bytes, records_.entry(file_, index));
  return unpack_record(bytes).within(file_.path());
}

Result<VulnerabilityEntry> Database::vulnerability(std::uint32_t index) const {
  TRY(const auto bytes, vulnerabilities_.entry(file_, index));
  return unpack_vulnerability(bytes).within(file_.path());
}

namespace {

// Entries of records and vulnerabilities are sorted by the id they begin with.
Result<std::optional<std::uint32_t>> find_id(const BlockFile& file, const Table& table,
                                             std::string_view id) {
  TRY(const auto index, partition_point(0, table.count(), [&](std::uint32_t i) -> Result<bool> {
        TRY(const auto bytes, table.entry(file, i));
        return PackReader(bytes).text() < id;
      }));
  if (index == table.count()) return std::optional<std::uint32_t>();
  TRY(const auto bytes, table.entry(file, index));
  return PackReader(bytes).text() == id ? std::optional(index) : std::nullopt;
}

}  // namespace

Result<std::optional<std::uint32_t>> Database::find_record(std::string_view id) const {
  return find_id(file_, records_, id);
}

Result<std::optional<std::uint32_t>> Database::find_vulnerability(std::string_view id) const {
  return find_id(file_, vulnerabilities_, id);
}

Result<Document> Database::document(const DocumentRef& ref) const {
  if (ref.size == 0) return Document();
  TRY(const auto frame, file_.bytes(Section::documents, ref.offset, ref.size));
  TRY(const auto bytes, documents_->read(frame).within(file_.path()));
  return unpack_document(bytes).within(file_.path());
}

namespace {

// Adds what the document says and the vulnerability does not yet have.
void absorb(Vulnerability& out, Document&& document, std::string_view source) {
  if (out.details.empty()) out.details = std::move(document.details);
  if (out.published == 0 || (document.published != 0 && document.published < out.published))
    out.published = document.published;
  out.modified = std::max(out.modified, document.modified);
  for (auto& one : document.severity) {
    if (one.source.empty()) one.source = source;
    out.severity.push_back(std::move(one));
  }
  for (auto& one : document.cwes) {
    if (std::ranges::find(out.cwes, one) == out.cwes.end()) out.cwes.push_back(std::move(one));
  }
  for (auto& one : document.references) {
    const auto same = [&](const Reference& r) { return r.url == one.url; };
    if (std::ranges::find_if(out.references, same) == out.references.end())
      out.references.push_back(std::move(one));
  }
}

}  // namespace

namespace {

// What the hot part of the entry says.
Vulnerability from_entry(const VulnerabilityEntry& entry) {
  Vulnerability out;
  out.id = entry.id;
  out.aliases.assign(entry.aliases.begin(), entry.aliases.end());
  for (const auto& one : entry.cvss)
    out.cvss.push_back({.vector = std::string(one.vector),
                        .source = std::string(one.source),
                        .tenths = one.tenths});
  out.exploited = entry.exploited;
  out.prediction = entry.prediction;
  return out;
}

}  // namespace

Result<Vulnerability> Database::title(std::uint32_t index) const {
  TRY(const auto entry, vulnerability(index));
  auto out = from_entry(entry);
  for (const auto number : entry.described) {
    TRY(const auto one, record(number));
    if (out.summary.empty()) out.summary = one.summary;
    if (out.summary_ja.empty()) out.summary_ja = one.summary_ja;
  }
  for (std::size_t i = 0; out.summary.empty() && out.details.empty() && i < entry.described.size();
       ++i) {
    TRY(const auto one, record(entry.described[i]));
    TRY(auto texts, document(one.document));
    out.details = std::move(texts.details);
  }
  if (out.summary.empty() && out.details.empty()) {
    TRY(auto note, document(entry.note));
    out.details = std::move(note.details);
  }
  return out;
}

Result<Vulnerability> Database::describe(std::uint32_t index) const {
  TRY(const auto entry, vulnerability(index));
  auto out = from_entry(entry);
  for (const auto number : entry.described) {
    TRY(const auto one, record(number));
    if (out.summary.empty()) out.summary = one.summary;
    if (out.summary_ja.empty()) out.summary_ja = one.summary_ja;
    TRY(auto texts, document(one.document));
    absorb(out, std::move(texts), one.id);
  }
  TRY(auto note, document(entry.note));
  absorb(out, std::move(note), "nvd");
  return out;
}

}  // namespace tenken::advisories
