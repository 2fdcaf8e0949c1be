// Database: one generation of the advisory database, open for reading. Opening maps the file and
// checks its header; everything else is read and checked on first touch, so memory follows what
// is looked up, not the database's size.
//
// Errors: every look-up may find the file corrupt (Errc::invalid); a caller never turns that into
// "not found". Thread rule: one object may be read from many threads. Views live as long as it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "advisories/block_file.h"
#include "advisories/documents.h"
#include "advisories/entries.h"
#include "advisories/table.h"
#include "base/result.h"

namespace tenken::advisories {

class Database {
 public:
  static Result<Database> open(const std::string& path);

  const Meta& meta() const { return meta_; }
  const std::string& path() const { return file_.path(); }
  const std::string& generation() const { return file_.generation(); }
  std::uint64_t file_size() const { return file_.file_size(); }
  // Gives mapped pages back, for the time in which something else needs memory.
  void release_pages() const { file_.release_pages(); }
  Result<> verify() const;  // every block and every entry

  // The rows for a package name in its normal form; empty where there are none.
  Result<std::vector<RowView>> rows(std::string_view ecosystem, std::string_view release,
                                    std::string_view normal_name) const;
  // Whether any record names the ecosystem; what it says may be all that is known of it here.
  bool has_rows(std::string_view ecosystem) const;
  // What feeds publish for this release, empty: nothing can be said of it.
  std::vector<const Coverage*> coverage(std::string_view ecosystem, std::string_view release) const;

  Result<RecordEntry> record(std::uint32_t index) const;
  Result<VulnerabilityEntry> vulnerability(std::uint32_t index) const;
  // By id; nullopt: not in this database.
  Result<std::optional<std::uint32_t>> find_record(
      std::string_view id) const;  // the first of equal ids
  Result<std::optional<std::uint32_t>> find_vulnerability(std::string_view id) const;
  std::uint32_t record_count() const { return records_.count(); }
  std::uint32_t vulnerability_count() const { return vulnerabilities_.count(); }

  Result<Document> document(const DocumentRef& ref) const;  // an empty one for size 0
  // Texts, severity, references: of NVD's entry and of the records that are this vulnerability.
  Result<Vulnerability> describe(std::uint32_t index) const;
  // The same without what a list does not show: one summary, or the details where there is none.
  Result<Vulnerability> title(std::uint32_t index) const;

  // For diff: partitions and names in their order.
  std::uint32_t partition_count() const { return partitions_.count(); }
  Result<PartitionEntry> partition(std::uint32_t index) const;
  Result<NameEntry> name(std::uint32_t index) const;
  Result<std::vector<RowView>> rows(const NameEntry& name) const;

 private:
  explicit Database(BlockFile file) : file_(std::move(file)) {}
  Result<const PartitionEntry*> find_partition(std::string_view ecosystem,
                                               std::string_view release) const;

  BlockFile file_;
  Meta meta_;
  Table partitions_;
  Table names_;
  Table records_;
  Table vulnerabilities_;
  std::vector<PartitionEntry> partition_entries_;
  std::unique_ptr<DocumentReader> documents_;
};

}  // namespace tenken::advisories
