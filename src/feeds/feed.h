// Feed: one upstream publication of advisories or facts. A feed only parses: bytes in, values out,
// pure; fetching and walking directories are common code elsewhere.
//
// A JSON record that has a key twice is a skip where one document is one record (OSV); of documents
// that hold many (NVD, KEV, secdb, Debian's tracker) the first of the two is read.
//
// Thread rule: rows are constants; parse() may run on many threads, each with its own Sink.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/advisory.h"
#include "model/skip.h"

namespace tenken::feeds {

// One file, or one member of an archive; the name is the path inside the archive or directory.
struct Document {
  std::string_view path;
  std::string_view bytes;
};

// Receives what a parser finds, in the order of the document. A record that cannot be read is a
// skip with its place and reason and the rest of the document goes on.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void advisory(Advisory&& advisory) = 0;
  virtual void note(VulnerabilityNote&& note) = 0;
  virtual void skip(Skip skip) = 0;
  // The feed publishes for this release ("Debian", "12"), be there rows or not.
  virtual void covers(std::string_view ecosystem, std::string_view release) = 0;
};

// Where documents of the feed lie in a directory: a path pattern for the file and, for archives,
// one for the member. '*' matches within one path segment, '**' any number of segments.
struct Place {
  std::string_view file;
  std::string_view member = {};  // empty: the file itself is the document (.gz is unpacked)
  bool newest_only = false;      // of the files that match, the greatest name (dated files)
};

// How the feed is fetched: first the start URLs; next() names further ones after a document has
// arrived (the entries of an index, the page after a page). Pure.
struct Fetching {
  std::span<const std::string_view> start = {};
  std::vector<std::string> (*next)(std::string_view url, std::string_view bytes) = nullptr;
  // OSV's delta: an index of changed records and where a record lies; "{}" stands for the id and
  // the index's URL is the archive's with the last segment replaced. Empty: none.
  std::string_view delta_index = {};
  std::string_view delta_record = {};
  std::uint32_t interval_minutes = 360;
  std::uint32_t pause_ms = 0;  // between two requests, where upstream asks for it
  std::uint64_t limit_bytes = std::uint64_t{1} << 30;  // of one document
};

struct Feed {
  std::string_view id;  // the file's stem
  std::string_view title;
  std::string_view licence;
  std::span<const Place> places;
  // Equal ids in two documents of the feed are two records.
  bool ids_per_document = false;
  // A feed whose records with equal ids are the same records as this one's.
  std::string_view shares_ids_with = {};
  Fetching fetching;
  // Errors: the whole document is unreadable. Skips: single records are.
  Result<> (*parse)(const Document& document, Sink& sink);
};

// Every feed of sources/*.cpp, sorted by id.
std::span<const Feed* const> feeds();
const Feed* find_feed(std::string_view id);  // nullptr: none

// Whether the path matches the pattern of a Place.
bool path_matches(std::string_view pattern, std::string_view path);

}  // namespace tenken::feeds
