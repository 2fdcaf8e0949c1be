#include "feeds/feed.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "base/archive.h"
#include "support/test_data.h"

namespace tenken::feeds {
namespace {

TEST(Feeds, AreSortedByIdAndFoundByIt) {
  EXPECT_TRUE(std::ranges::is_sorted(feeds(), {}, [](const Feed* feed) { return feed->id; }));
  for (const Feed* feed : feeds()) {
    EXPECT_EQ(find_feed(feed->id), feed);
    EXPECT_FALSE(feed->title.empty() || feed->licence.empty() || feed->places.empty()) << feed->id;
    EXPECT_FALSE(feed->fetching.start.empty()) << feed->id;
  }
  EXPECT_EQ(find_feed("none"), nullptr);
}

TEST(PathMatches, StarStaysInItsSegment) {
  EXPECT_TRUE(path_matches("osv/*/all.zip", "osv/Rocky Linux/all.zip"));
  EXPECT_FALSE(path_matches("osv/*/all.zip", "osv/a/b/all.zip"));
  EXPECT_FALSE(path_matches("osv/*/all.zip", "x/osv/a/all.zip"));
  EXPECT_TRUE(path_matches("*.json", "a.b.json"));
  EXPECT_FALSE(path_matches("*.json", "a.jso"));
  EXPECT_TRUE(path_matches("a*b*c", "aXbbXc"));
  EXPECT_FALSE(path_matches("a*b*c", "aXbbX"));
}

TEST(PathMatches, TwoStarsTakeAnyNumberOfSegments) {
  EXPECT_TRUE(path_matches("**/all.zip", "all.zip"));
  EXPECT_TRUE(path_matches("**/all.zip", "a/b/all.zip"));
  EXPECT_FALSE(path_matches("**/all.zip", "a/b/all.zip/c"));
  EXPECT_TRUE(path_matches("a/**", "a/b/c"));
  EXPECT_TRUE(path_matches("**/x/*.json", "x/y/x/z.json"));
  EXPECT_FALSE(path_matches("", "a"));
}

// Documents of the feed in a file of the tree, by the first place that matches.
std::size_t documents(const Feed& feed, const std::string& root, const std::string& file) {
  const auto place = std::ranges::find_if(
      feed.places, [&](const Place& candidate) { return path_matches(candidate.file, file); });
  if (place == feed.places.end()) return 0;
  std::size_t out = 0;
  for (const auto& candidate : feed.places) {
    if (candidate.file != place->file) continue;
    const auto count = [&](std::string_view member) {
      out += path_matches(candidate.member, member);
      return false;
    };
    EXPECT_TRUE(
        for_each_member(root + "/" + file, {}, count, [](auto, auto) { return Result<>(); }));
  }
  return out;
}

TEST(FeedsData, EveryFeedFindsItsDocumentsAndNoOthers) {
  NEED_TEST_DATA("feeds/osv");
  const auto root = test::data_path("feeds");
  std::map<std::string_view, std::size_t> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto file = std::filesystem::relative(entry.path(), root).string();
    if (!entry.is_regular_file()) continue;
    for (const Feed* feed : feeds()) {
      if (const auto count = documents(*feed, root, file); count != 0) found[feed->id] += count;
    }
  }
  const std::map<std::string_view, std::size_t> want = {
      {"alpine_secdb", 18}, {"debian_lists", 3}, {"debian_tracker", 1}, {"epss", 2},
      {"kev", 1},           {"nvd", 4},          {"osv", 38304},
  };
  EXPECT_EQ(found, want);
}

}  // namespace
}  // namespace tenken::feeds
