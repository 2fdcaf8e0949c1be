#include "cvss/cvss.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "support/test_data.h"

namespace tenken::cvss {
namespace {

std::string shown(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f}", *score) : "";
}

// Calls f(fields) for each row of a table of vectors and returns how many there were.
template <typename F>
std::size_t for_each_row(std::string_view file, F&& f) {
  const auto text = read_file(test::data_path(fmt::format("vectors/cvss/{}", file)), 1 << 24);
  EXPECT_TRUE(text.has_value());
  std::size_t rows = 0;
  for_each_line(text.value_or(""), [&](std::string_view line) {
    if (line.starts_with('#')) return;
    ++rows;
    f(split(line, '\t'));
  });
  return rows;
}

std::string base_of(std::string_view vector) {
  const auto scores = score(vector);
  return scores.has_value() ? shown(scores->base) : scores.error().what;
}

TEST(Cvss, scores_equal_the_published_vectors) {
  NEED_TEST_DATA("vectors/cvss/scores.tsv");
  const auto rows = for_each_row("scores.tsv", [](const auto& row) {
    const auto scores = score(row[1]);
    ASSERT_TRUE(scores.has_value()) << row[1] << ": " << scores.error().what;
    EXPECT_EQ(name(scores->version), row[0]) << row[1];
    EXPECT_EQ(shown(scores->base), row[2]) << row[1];
    EXPECT_EQ(shown(scores->temporal), row[3]) << row[1];
    EXPECT_EQ(shown(scores->environmental), row[4]) << row[1];
  });
  EXPECT_GT(rows, 7000U);
}

// The table gives the score of the last group of which the vector defines a metric.
TEST(Cvss, the_most_specific_score_equals_the_published_one) {
  NEED_TEST_DATA("vectors/cvss/final-score.tsv");
  const auto rows = for_each_row("final-score.tsv", [](const auto& row) {
    const auto scores = score(row[0]);
    ASSERT_TRUE(scores.has_value()) << row[0] << ": " << scores.error().what;
    const auto has = [&](std::string_view metric) {
      return row[0].find(fmt::format("/{}:", metric)) != std::string_view::npos;
    };
    auto expected = scores->base;
    if (scores->temporal && (has("E") || has("RL") || has("RC"))) expected = scores->temporal;
    if (scores->environmental && (has("CR") || has("IR") || has("AR") || has("MAV")))
      expected = scores->environmental;
    EXPECT_EQ(shown(expected), row[1]) << row[0];
  });
  EXPECT_GT(rows, 80U);
}

TEST(Cvss, reads_and_rejects_as_expected) {
  NEED_TEST_DATA("vectors/cvss/parse.tsv");
  const auto rows = for_each_row("parse.tsv", [](const auto& row) {
    EXPECT_EQ(score(row[0]).has_value(), row[1] == "ok") << row[0];
  });
  EXPECT_GT(rows, 40U);
}

TEST(Cvss, base_scores_of_feeds_are_reproduced) {
  NEED_TEST_DATA("vectors/cvss/real-feed.tsv");
  const auto rows = for_each_row(
      "real-feed.tsv", [](const auto& row) { EXPECT_EQ(base_of(row[0]), row[1]) << row[0]; });
  EXPECT_GT(rows, 1000U);
  for_each_row("real-feed-mismatch.tsv",
               [](const auto& row) { EXPECT_EQ(base_of(row[0]), row[2]) << row[0]; });
  for_each_row("v4-rounding-ambiguous.tsv", [](const auto& row) {
    const auto base = base_of(row[0]);
    EXPECT_TRUE(base == row[1] || base == row[2]) << row[0] << " gives " << base;
  });
}

TEST(Cvss, halves_round_up) {
  // Its exact score is 4.95.
  EXPECT_EQ(base_of("CVSS:4.0/AV:L/AC:L/AT:P/PR:H/UI:N/VC:L/VI:N/VA:L/SC:H/SI:H/SA:H"), "5.0");
}

TEST(Cvss, v2_scores_only_the_groups_that_say_something) {
  const auto scores = score("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:ND/RL:ND/RC:ND");
  ASSERT_TRUE(scores.has_value());
  EXPECT_EQ(shown(scores->base), "7.5");
  EXPECT_FALSE(scores->temporal);
  EXPECT_FALSE(scores->environmental);
}

TEST(Cvss, the_reason_names_the_metric) {
  const auto why = [](std::string_view vector) { return score(vector).error().what; };
  EXPECT_EQ(why(""), "the vector is empty");
  EXPECT_EQ(why("CVSS:5.0/AV:N"), "no CVSS version '5.0' with a prefix");
  EXPECT_EQ(why("CVSS:3.1"), "the vector has no metrics");
  EXPECT_EQ(why("CVSS:3.1/AV:N"), "metric AC is missing");
  EXPECT_EQ(why("CVSS:3.1/AV:N/AV:L"), "metric AV stands twice");
  EXPECT_EQ(why("CVSS:3.1/AV:Q"), "metric AV has no value 'Q'");
  EXPECT_EQ(why("CVSS:3.1/\x1b[2J:Q"), "unknown metric '\\x1b[2J'");
  EXPECT_EQ(why("AC:L/AV:N/Au:N/C:P/I:P/A:P"), "metric AV must stand before AC");
  EXPECT_EQ(why("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:F"), "the vector is cut off: metric RC is missing");
  EXPECT_EQ(why("CVSS:3.1/" + std::string(5000, '/')), "the vector is too long");
}

TEST(Cvss, severity_bands_are_those_of_the_version) {
  EXPECT_EQ(severity(Version::v3_1, 0.0), "none");
  EXPECT_EQ(severity(Version::v3_1, 0.1), "low");
  EXPECT_EQ(severity(Version::v3_1, 3.9), "low");
  EXPECT_EQ(severity(Version::v3_0, 4.0), "medium");
  EXPECT_EQ(severity(Version::v4_0, 7.0), "high");
  EXPECT_EQ(severity(Version::v4_0, 9.0), "critical");
  EXPECT_EQ(severity(Version::v2, 0.0), "low");
  EXPECT_EQ(severity(Version::v2, 10.0), "high");
}

TEST(CvssBatch, every_line_gives_one_line) {
  EXPECT_EQ(batch_line("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t3.1\t9.8\t9.8\t9.8\tcritical");
  EXPECT_EQ(batch_line("AV:N/AC:L/Au:N/C:P/I:P/A:P"),
            "AV:N/AC:L/Au:N/C:P/I:P/A:P\t2.0\t7.5\t\t\thigh");
  EXPECT_EQ(batch_line("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"),
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N\t4.0\t0.0\t\t\tnone");
  EXPECT_EQ(batch_line(""), "?\tthe vector is empty");
  EXPECT_EQ(batch_line("a\tb\x85"), "?\t'a\\x09b\\x85' is not METRIC:VALUE");
}

}  // namespace
}  // namespace tenken::cvss
