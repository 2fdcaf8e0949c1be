// Scan: inventory → match → findings, the stages in their order. Read this first.
//
// Thread rule: one scan a call; calls share nothing but the database file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "advisories/database.h"
#include "base/messages.h"
#include "base/result.h"
#include "base/time.h"
#include "inventory/inspect.h"
#include "model/finding.h"

namespace tenken::pipeline {

// How much of a result is wanted: what a list shows (findings with a title), or everything a
// document carries (evidence, texts, references).
enum class Depth : std::uint8_t { list, everything };

struct ScanOptions {
  Depth depth = Depth::everything;
  std::string rootfs;                       // a directory; empty: none
  std::optional<inventory::HostCopy> copy;  // of another host; counts before the rest
  std::string sbom;         // a file, "-" for standard input; empty: none. Neither: this host
  std::string database;     // a file or a directory of generations; empty: the default place
  std::string ignore_file;  // empty: none
  std::vector<std::string> vex_files;
  std::optional<SeverityLevel> minimum_severity;
  bool fixed_only = false;
  std::optional<Seconds> maximum_age;  // of the database's newest record before a warning
  Lang lang = Lang::en;
  Seconds now = 0;
};

// What a failed scan ends with: the exit code of the command line is chosen by the stage.
struct ScanFailure {
  enum class Stage : std::uint8_t { usage, target, database };
  Stage stage = Stage::target;
  Error error;
};

std::expected<ScanResult, ScanFailure> scan(const ScanOptions& options);

// The inventory alone: of the host, a root or an SBOM.
Result<Inventory> take_inventory(const ScanOptions& options);

// Matches an inventory that is at hand. Errors: the database's only.
Result<ScanResult> evaluate(Inventory inventory, const advisories::Database& database,
                            const ScanOptions& options);

DatabaseState describe_database(const advisories::Database& database);

}  // namespace tenken::pipeline
