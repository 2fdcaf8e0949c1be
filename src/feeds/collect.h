// For tests: a sink that keeps everything, and reading of whole archives.
//
// Thread rule: one Collect per thread.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/archive.h"
#include "base/result.h"
#include "feeds/feed.h"

namespace tenken::feeds {

class Collect : public Sink {
 public:
  void advisory(Advisory&& advisory) override { advisories.push_back(std::move(advisory)); }
  void note(VulnerabilityNote&& note) override { notes.push_back(std::move(note)); }
  void skip(Skip skip) override { skips.push_back(std::move(skip)); }
  void covers(std::string_view ecosystem, std::string_view release) override {
    covered.emplace(ecosystem, release);
  }

  std::vector<Advisory> advisories;
  std::vector<VulnerabilityNote> notes;
  std::vector<Skip> skips;
  std::set<std::pair<std::string, std::string>> covered;
  std::size_t documents = 0;
};

// Every member that matches the pattern, under the path that the feed is given elsewhere too:
// the archive's, then the member's.
inline Result<Collect> read_members(const Feed& feed, const std::string& root,
                                    const std::string& archive, std::string_view pattern) {
  Collect out;
  TRY_VOID(for_each_member(
      root + "/" + archive, {},
      [&](std::string_view member) { return path_matches(pattern, member); },
      [&](std::string_view member, std::string_view bytes) {
        ++out.documents;
        const auto path = archive + "/" + std::string(member);
        return feed.parse({path, bytes}, out).within(member);
      }));
  return out;
}

}  // namespace tenken::feeds
