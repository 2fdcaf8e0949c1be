#include <gtest/gtest.h>

#include "feeds/collect.h"

namespace tenken::feeds {
namespace {

Collect read(std::string_view path, std::string_view bytes) {
  Collect out;
  EXPECT_TRUE(find_feed("osv")->parse({path, bytes}, out));
  return out;
}

TEST(Osv, ReadsARecord) {
  const auto got = read("osv/AlmaLinux/all.zip/ALSA-1.json",
                        R"({"id":"ALSA-1","summary":"Important: x security update","affected":[
    {"package":{"ecosystem":"AlmaLinux:9","name":"x"},"ranges":[{"type":"ECOSYSTEM",
     "events":[{"introduced":"0"},{"fixed":"1-2"}]}]}]})");
  ASSERT_EQ(got.advisories.size(), 1u);
  EXPECT_EQ(got.advisories[0].vendor_severity, "Important");
  EXPECT_TRUE(got.covered.contains({"AlmaLinux", "9"}));
}

}  // namespace
}  // namespace tenken::feeds
