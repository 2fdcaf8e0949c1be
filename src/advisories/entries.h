// The packed entries of the database's tables, each with its writer and its reader side by side,
// so that the two cannot drift apart.
//
// Thread rule: pure functions; views point into the bytes that were read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "advisories/documents.h"
#include "advisories/intervals.h"
#include "advisories/meta.h"
#include "advisories/packed.h"
#include "base/result.h"
#include "model/advisory.h"
#include "model/finding.h"

namespace tenken::advisories {

// One release of an ecosystem and its run of names.
struct PartitionEntry {
  std::string_view ecosystem;
  std::string_view release;
  std::uint32_t first_name = 0;
  std::uint32_t names = 0;
};
std::string pack(const PartitionEntry& entry);
Result<PartitionEntry> unpack_partition(std::string_view bytes);

struct NameEntry {
  std::string_view name;      // normal form
  std::uint64_t rows_at = 0;  // in section rows
  std::uint32_t rows_size = 0;
  std::uint64_t hash = 0;  // of what the rows say, the same in every generation that says it
};
std::string pack(const NameEntry& entry);
Result<NameEntry> unpack_name(std::string_view bytes);

struct IntervalView {
  std::string_view lower_key;
  std::string_view upper_key;
  std::string_view lower;
  std::string_view upper;
  UpperBound upper_bound = UpperBound::none;
};

struct RangeView {
  Range::Type type = Range::Type::ecosystem;
  std::string_view fault;  // why the range cannot be evaluated; empty: it can
  std::vector<IntervalView> intervals;
};

// A list of texts as it is packed: unpacked where it is searched, not with its row.
class PackedTexts {
 public:
  PackedTexts() = default;
  explicit PackedTexts(PackReader& in);  // reads past the list
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  bool contains(std::string_view text) const;

 private:
  std::string_view bytes_;
  std::size_t count_ = 0;
};

// One affected entry of a record. What stands after the record's number is the body.
struct RowView {
  std::uint32_t record = 0;
  VendorStatus status = VendorStatus::affected;
  std::string_view name;  // as published
  std::string_view status_note;
  std::string_view vendor_severity;
  std::string_view module_stream;
  std::vector<RangeView> ranges;
  PackedTexts versions;
};
// The body; scheme may be nullptr: then every range is unordered.
void put_row_body(PackWriter& out, const AffectedPackage& affected, const version::Scheme* scheme);
// A name's rows are their number, then each row's record and body.
Result<std::vector<RowView>> unpack_rows(std::string_view bytes);

struct RecordEntry {
  std::string_view id;
  std::string_view feed;
  Seconds modified = 0;
  std::optional<Seconds> withdrawn;
  std::string_view vendor_severity;
  std::string_view summary;  // here and not in the document: every list shows it
  std::string_view summary_ja;
  std::vector<std::uint32_t> vulnerabilities;
  DocumentRef document;
};
std::string pack(const RecordEntry& entry);
Result<RecordEntry> unpack_record(std::string_view bytes);

struct CvssView {  // a CvssScore of the file
  std::string_view vector;
  std::string_view source;
  std::int16_t tenths = 0;
};

struct VulnerabilityEntry {
  std::string_view id;
  std::vector<std::string_view> aliases;
  std::vector<std::uint32_t> described;  // records that are this vulnerability
  std::vector<CvssView> cvss;            // in the order of scoring.h
  std::optional<KnownExploited> exploited;
  std::optional<ExploitPrediction> prediction;
  DocumentRef note;  // NVD's document; size 0: none
};
std::string pack(const VulnerabilityEntry& entry);
Result<VulnerabilityEntry> unpack_vulnerability(std::string_view bytes);

// The cold part of a record or of NVD's entry.
struct Document {
  Seconds published = 0;
  Seconds modified = 0;
  std::string status;  // NVD's vulnStatus
  std::string details;
  std::vector<Severity> severity;
  std::vector<std::string> cwes;
  std::vector<Reference> references;
};
void put(PackWriter& out, const Document& document);
std::string pack(const Document& document);
Result<Document> unpack_document(std::string_view bytes);

std::string pack(const Meta& meta);
Result<Meta> unpack_meta(std::string_view bytes);

}  // namespace tenken::advisories
