#include "agent/versions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/files.h"
#include "agent/update.h"
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
  std::optional<std::string> to_run(std::string_view installed) const {
    const auto version = versions_.to_run(installed);
    EXPECT_TRUE(version.has_value());
    return version.value_or(std::nullopt);
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
  EXPECT_EQ(to_run("0.1.0"), std::nullopt);
  put("0.2.0");
  EXPECT_EQ(to_run("0.1.0"), std::nullopt);
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  EXPECT_EQ(to_run("0.1.0"), "0.2.0");
}

TEST_F(VersionsTest, an_installed_program_that_is_as_new_takes_over) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  EXPECT_EQ(to_run("0.2.0"), std::nullopt);
  EXPECT_FALSE(is_there("0.2.0"));
}

TEST_F(VersionsTest, one_that_ends_again_and_again_is_given_up) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(to_run("0.1.0"), "0.2.0");
  EXPECT_EQ(to_run("0.1.0"), std::nullopt);
  ASSERT_TRUE(versions_.fault().has_value());
  EXPECT_EQ(versions_.fault()->version, "0.2.0");
  EXPECT_FALSE(is_there("0.2.0"));
}

TEST_F(VersionsTest, one_that_has_spoken_to_the_server_counts_anew) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(to_run("0.1.0"), "0.2.0");
    if (i % 2 == 0)
      EXPECT_TRUE(versions_.checked_in("0.2.0").has_value());
    else
      versions_.ended_in_order();
  }
}

TEST_F(VersionsTest, one_whose_starts_cannot_be_counted_is_not_run_and_stays) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  // As on a full disk, for this file alone: a directory is in its place.
  ASSERT_TRUE(make_directory(directory_ / "versions/starts/x").has_value());
  EXPECT_FALSE(versions_.to_run("0.1.0").has_value());
  EXPECT_TRUE(is_there("0.2.0"));
  EXPECT_FALSE(versions_.fault().has_value());
}

TEST_F(VersionsTest, none_below_the_highest_that_was_current_is_taken) {
  put("0.3.0");
  ASSERT_TRUE(versions_.make_current("0.3.0").has_value());
  versions_.give_up("0.3.0", "it ended 3 times");
  EXPECT_EQ(versions_.highest(), "0.3.0");
  Sender nowhere({.server = {.host = "127.0.0.1", .port = 1}});
  const auto take = [&](std::string_view version) {
    return fetch_release(nowhere, {.version = std::string(version), .sha256 = {}, .size = 1}, "key",
                         "0.1.0", versions_)
        .error();
  };
  EXPECT_EQ(take("0.2.0").what, "it is older than 0.3.0, which ran here");
  EXPECT_FALSE(take("0.3.0").what.contains("older")) << "it may be asked for again";
}

TEST_F(VersionsTest, what_an_interrupted_update_left_is_removed_and_told) {
  put("0.2.0");
  ASSERT_TRUE(versions_.make_current("0.2.0").has_value());
  put("0.3.0");
  versions_.clean("0.1.0");
  EXPECT_TRUE(is_there("0.2.0"));
  EXPECT_FALSE(is_there("0.3.0"));
  ASSERT_TRUE(versions_.fault().has_value());
  EXPECT_EQ(versions_.fault()->version, "0.3.0");
  EXPECT_EQ(versions_.fault()->why, interruption);
}

TEST_F(VersionsTest, one_that_was_replaced_just_before_the_end_is_removed_without_a_word) {
  put("0.3.0");
  ASSERT_TRUE(versions_.make_current("0.3.0").has_value());
  put("0.2.0");
  versions_.clean("0.1.0");
  EXPECT_FALSE(is_there("0.2.0"));
  EXPECT_FALSE(versions_.fault().has_value());
}

TEST_F(VersionsTest, one_process_holds) {
  auto held = versions_.hold();
  EXPECT_TRUE(held.valid());
  EXPECT_FALSE(versions_.hold().valid());
  held = Fd();
  EXPECT_TRUE(versions_.hold().valid());
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
  EXPECT_EQ(to_run("0.1.0"), "0.2.0");
  versions_.forget_fault();
  EXPECT_FALSE(versions_.fault().has_value());
}

TEST_F(VersionsTest, nothing_is_written_where_there_was_never_another_version) {
  EXPECT_TRUE(versions_.checked_in("0.1.0").has_value());
  EXPECT_FALSE(versions_.has_checked_in("0.1.0"));
}

}  // namespace
}  // namespace tenken::agent
