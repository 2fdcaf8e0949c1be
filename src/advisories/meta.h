// What a database says of itself: the feeds it was built from, what they cover, what was skipped.
//
// Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/skip.h"

namespace tenken::advisories {

struct FeedMeta {
  std::string id;
  std::uint64_t documents = 0;
  std::uint64_t records = 0;     // read, duplicates included
  std::uint64_t duplicates = 0;  // records replaced by, or giving way to, one of the same id
  std::uint64_t differing = 0;   // of these: with other contents at the same `modified`
  std::uint64_t skipped = 0;
  Seconds newest = 0;        // of its records' modified; 0: none stated
  Seconds fetched = 0;       // when it was fetched, where the mirror tree says so; else 0
  std::string content_hash;  // hex, of all its documents in order
};

struct SkipCount {
  std::string feed;
  std::string reason;
  std::uint64_t count = 0;
  Skip example;
};

// A feed publishes for this release of an ecosystem; without such a row nothing can be said.
struct Coverage {
  std::string feed;
  std::string ecosystem;
  std::string release;  // empty: the ecosystem has none
  std::uint64_t rows = 0;
  Seconds newest = 0;    // of the records behind the rows
  bool partial = false;  // samples: more is known upstream than stands here
};

struct Meta {
  bool starter = false;            // the small database that ships with the program
  std::vector<FeedMeta> feeds;     // by id
  std::vector<Coverage> coverage;  // by ecosystem, release, feed
  std::vector<SkipCount> skips;    // by feed, reason
  std::uint64_t records = 0;
  std::uint64_t withdrawn = 0;
  std::uint64_t rows = 0;
  std::uint64_t vulnerabilities = 0;
  Seconds newest_record = 0;  // of advisories, not of facts about vulnerabilities
};

}  // namespace tenken::advisories
