#include "feeds/feed.h"

#include <algorithm>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tenken::feeds
