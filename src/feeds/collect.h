// A sink that keeps everything, for tests.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

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
};

}  // namespace tenken::feeds
