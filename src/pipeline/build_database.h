// Builds one generation of the advisory database from directories of feeds as they lie on disk.
//
// What is read: files in a place that a feed names (feeds/feed.h: a tree of downloaded feeds, or a
// mirror tree "<host>/<path>"). In a directory where no file lies in such a place, every all.zip
// and every .json is read as OSV. Everything else is listed with its reason.
//
// A file MANIFEST.json beside the feeds may mark files as samples ("files": [{"path", "kind"}],
// a kind that names sample, derived or synthetic data) or the whole directory as the starter
// ("starter": true): what they cover is then partial. So it is of every file where the manifest is
// there and cannot be read.
//
// With a directory of kept copies (kept_files.h), a file that was read before and cannot be read
// now (it is damaged, holds no document, may not be opened) is a fault, and its copy is read in its
// place: what it covers stays as it was. Each tree has copies of its own. Without one, what it
// would cover is covered in part only.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "advisories/meta.h"
#include "base/progress.h"
#include "base/result.h"
#include "pipeline/feed_tree.h"
#include "pipeline/kept_files.h"

namespace tenken::pipeline {

// A file, or a document in it, that could not be read; the rest was.
struct FeedFault {
  std::string feed;
  std::string path;
  std::string reason;
  bool older_used = false;  // the kept copy was read in its place
  // And that because of what is in the file, not of a place that may not be looked into.
  bool content_replaced = false;
  std::string text() const;
};

struct BuildReport {
  advisories::Meta meta;
  std::uint64_t input_bytes = 0;  // of documents, unpacked
  std::uint64_t output_bytes = 0;
  std::string generation;
  std::string path;
  std::vector<NotRead> not_read;
  std::vector<FeedFault> faults;
};

struct BuildOptions {
  std::vector<std::string> from;
  std::string out;  // a file; replaced atomically
  // Documents that a fetch could not bring and of which no older copy lies there: the feed, and of
  // OSV the ecosystem. What they would cover is covered in part only.
  std::vector<std::pair<std::string, std::string>> missing = {};
  std::string kept = {};  // the directory of all trees' copies; empty: none are kept
  Keep keep = Keep::copies;
  Progress* progress = nullptr;
};

// Errors: not_found (a directory is missing), invalid (nothing could be built from what is there),
// unavailable (the output cannot be written; the file that was there stays).
Result<BuildReport> build_database(const BuildOptions& options);

}  // namespace tenken::pipeline
