// Finds the documents of feeds in a directory: which file belongs to which feed, and what is left.
//
// Thread rule: pure but for the directory it looks at.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feeds/feed.h"

namespace tenken::pipeline {

struct NotRead {
  std::string path;
  std::string reason;
};

struct FeedFile {
  const feeds::Feed* feed = nullptr;
  std::string path;    // relative to the directory, '/' between segments
  std::string member;  // pattern of archive members; empty: the file is the document
  bool newest_only = false;
  bool partial = false;  // samples
  std::uint64_t size = 0;
  std::string closed = {};  // why its place may not be looked into; empty: it may
};

struct FeedTree {
  std::string root;
  bool starter = false;
  bool manifest_unread = false;  // it is there and cannot be read: any file may be a sample
  std::set<std::string, std::less<>> samples;
  std::vector<FeedFile> files;         // sorted by feed, path and member
  std::vector<NotRead> unreadable;     // links, and what may not be opened
  std::vector<std::string> unclaimed;  // sorted

  // Whether what the file covers is covered in part only.
  bool is_partial(std::string_view path) const {
    return starter || manifest_unread || samples.contains(path);
  }
};

// Errors: not_found, denied, limit (more than a million files).
Result<FeedTree> find_feeds(const std::string& directory);
void sort_files(FeedTree& tree);

}  // namespace tenken::pipeline
