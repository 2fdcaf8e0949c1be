// Update: fetches feeds into the mirror tree beside the database, builds a generation from all
// that lies there and takes it in. A feed that fails hides no other: its old documents stay, also
// where a newer one arrived that cannot be read.
//
// Thread rule: one update of a directory at a time; a second process is refused by the feeds'
// locks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "fetch/fetch_feed.h"
#include "pipeline/build_database.h"

namespace tenken::pipeline {

struct UpdateOptions {
  std::string directory;                // generations; the mirror tree is its "feeds"
  std::vector<std::string> feeds;       // ids; empty: all
  std::vector<std::string> ecosystems;  // of OSV; empty: all
  std::vector<std::string> mirrors;     // "osv=<base>" for one feed, "<base>" for every feed
  // Where nothing new arrived, nothing failed and a generation is there of all that arrived
  // before, none is built.
  bool only_if_changed = false;
  Progress* progress = nullptr;
};

struct UpdateReport {
  std::vector<fetch::FetchReport> fetched;
  std::optional<BuildReport> built;  // none and no error: nothing had changed
  std::string build_error;           // why no generation was built; the old one stays in use
};

// What was fetched and not built, be it that the process was killed, is built the next time.
//
// Errors: invalid (no such feed, a mirror that is none), not_found (the directory of a mirror),
// unavailable (the directory). Then nothing was asked for.
Result<UpdateReport> update_database(const UpdateOptions& options);

// Builds into the directory of generations and makes the result the current one; its "kept" has the
// copies. options.out and options.kept are not used.
Result<BuildReport> build_generation(const std::string& directory, BuildOptions options);

}  // namespace tenken::pipeline
