#include "agent/versions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

class VersionsTest : public testing::Test {
 protected:
  void put(std::string_view version) {
    const auto path = versions_.place_for(version);
    ASSERT_TRUE(path.has_value());
    ASSERT_TRUE(write_file_atomic(*path, "#!/bin/sh\n", 0700).has_value());
  }
  bool is_there(std::string_view version) const {
    struct stat facts{};
    return ::stat(versions_.program(version).c_str(), &facts) == 0;
  }

  test::Scratch directory_;
  Versions versions_{directory_.path()};
};

TEST(version, is_three_numbers_and_nothing_else) {
  for (const auto* good : {"0.1.0", "10.20.30", "999999999.0.0"}) EXPECT_TRUE(is_version(good));
  for (const auto* bad : {"", "1", "1.2", "1.2.3.4", "1.2.x", "../1.2", "1.2.3/", "1..3", "-1.2.3",
                          "1.2.3-rc1", " 1.2.3", "1234567890.0.0"})
    EXPECT_FALSE(is_version(bad)) << bad;
}

TEST(version, numbers_are_compared_as_numbers) {
  EXPECT_TRUE(is_newer("0.10.0", "0.9.0"));
  EXPECT_TRUE(is_newer("1.0.0", "0.99.99"));
  EXPECT_FALSE(is_newer("0.9.0", "0.10.0"));
  EXPECT_FALSE(is_newer("0.1.0", "0.1.0"));
  EXPECT_FALSE(is_newer("x", "0.1.0"));
  EXPECT_FALSE(is_newer("0.2.0", "unknown"));
}

TEST_F(VersionsTest, the_current_version_is_run_in_place_of_an_older_one) {
  EXPECT_EQ(versions_.to_run("0.1.0"), std::nullopt);
  put("0.2.0");
  EXPECT_EQ(versions_.to_run("0.1.0"), std::nullopt);
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  EXPECT_EQ(versions_.to_run("0.1.0"), "0.2.0");
}

TEST_F(VersionsTest, an_installed_program_that_is_as_new_takes_over) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  EXPECT_EQ(versions_.to_run("0.2.0"), std::nullopt);
  EXPECT_FALSE(is_there("0.2.0"));
}

TEST_F(VersionsTest, one_that_ends_again_and_again_is_given_up) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(versions_.to_run("0.1.0"), "0.2.0");
  EXPECT_EQ(versions_.to_run("0.1.0"), std::nullopt);
  ASSERT_TRUE(versions_.fault().has_value());
  EXPECT_EQ(versions_.fault()->version, "0.2.0");
  EXPECT_FALSE(is_there("0.2.0"));
}

TEST_F(VersionsTest, one_that_has_spoken_to_the_server_counts_anew) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(versions_.to_run("0.1.0"), "0.2.0");
    if (i % 2 == 0)
      versions_.checked_in("0.2.0");
    else
      versions_.ended_in_order();
  }
}

TEST_F(VersionsTest, only_the_current_one_stays) {
  put("0.2.0");
  put("0.3.0");
  ASSERT_TRUE(versions_.make_current("0.3.0").has_value());
  EXPECT_FALSE(is_there("0.2.0"));
  EXPECT_TRUE(is_there("0.3.0"));
}

TEST_F(VersionsTest, a_fault_does_not_touch_what_runs) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  versions_.note_fault("0.2.0", "it is not newer");
  EXPECT_EQ(versions_.to_run("0.1.0"), "0.2.0");
  versions_.forget_fault();
  EXPECT_FALSE(versions_.fault().has_value());
}

TEST_F(VersionsTest, nothing_is_written_where_there_was_never_another_version) {
  versions_.checked_in("0.1.0");
  EXPECT_FALSE(versions_.has_checked_in("0.1.0"));
}

}  // namespace
}  // namespace tenken::agent
