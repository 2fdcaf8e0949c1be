// The shared version vectors: every line, in both directions.
#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "support/test_data.h"
#include "version/ecosystem.h"
#include "version/scheme.h"

namespace tenken::version {
namespace {

// Calls f with the tab-separated fields of each line that is no comment; returns their count.
std::size_t for_each_row(std::string_view file,
                         const std::function<void(const std::vector<std::string_view>&)>& f) {
  std::ifstream in(test::data_path(std::string("vectors/versions/").append(file)));
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    f(split(line, '\t'));
    ++count;
  }
  return count;
}

const Scheme& scheme_of(std::string_view ecosystem) {
  const auto* row = find_ecosystem(ecosystem);
  CHECK(row != nullptr && row->scheme != nullptr);
  return *row->scheme;
}

std::string answer(std::string_view ecosystem, std::string_view a, std::string_view b) {
  const auto order = compare(scheme_of(ecosystem), a, b);
  if (!order) return "?";
  return *order < 0 ? "<" : *order > 0 ? ">" : "=";
}

std::string mirrored(std::string_view op) {
  return op == "<" ? ">" : op == ">" ? "<" : std::string(op);
}

// Lines that contradict the rule they should witness. Composer fills up missing numbers with zeros
// before it compares; these were compared without. pacman's vercmp(8) sorts letters right after a
// number below it, as other lines of the same file say.
struct Exception {
  std::string_view ecosystem;
  std::string_view a;
  std::string_view b;
  std::string_view ours;
};
constexpr Exception exceptions[] = {
    {"Packagist", "v3.4", "v3.4.0-alpha", ">"}, {"Packagist", "3.0", "3.0.0", "="},
    {"Packagist", "4", "4.0.0-rc2", ">"},       {"Packagist", "4.0.0", "4", "="},
    {"alpm", "1.0.0alpha", "1.0.0", "<"},
};

std::string expected(const std::vector<std::string_view>& row) {
  for (const auto& e : exceptions)
    if (e.ecosystem == row[0] && e.a == row[1] && e.b == row[3]) return std::string(e.ours);
  return std::string(row[2]);
}

void expect_order(const std::vector<std::string_view>& row) {
  ASSERT_GE(row.size(), 4U);
  const auto want = expected(row);
  EXPECT_EQ(answer(row[0], row[1], row[3]), want) << row[0] << ": " << row[1] << ' ' << row[3];
  EXPECT_EQ(answer(row[0], row[3], row[1]), mirrored(want)) << row[0] << ": " << row[3];
  EXPECT_EQ(answer(row[0], row[1], row[1]), "=") << row[0] << ": " << row[1];
  EXPECT_EQ(answer(row[0], row[3], row[3]), "=") << row[0] << ": " << row[3];
}

TEST(VersionVectors, FixturesOfOtherProjectsAgree) {
  NEED_TEST_DATA("vectors/versions/compare.tsv");
  EXPECT_GT(for_each_row("compare.tsv", expect_order), 10'000U);
}

TEST(VersionVectors, AnswersOfTheRealToolsAgree) {
  NEED_TEST_DATA("vectors/versions/oracle.tsv");
  EXPECT_GT(for_each_row("oracle.tsv", expect_order), 5'000U);
}

// One line is a comment of the list it was taken from.
TEST(VersionVectors, ValidAndInvalidStringsAreToldApart) {
  NEED_TEST_DATA("vectors/versions/valid.tsv");
  const auto count = for_each_row("valid.tsv", [](const std::vector<std::string_view>& row) {
    ASSERT_GE(row.size(), 3U);
    if (row[1].starts_with('#')) return;
    EXPECT_EQ(scheme_of(row[0]).encode(row[1]).has_value(), row[2] == "true")
        << row[0] << ": \"" << row[1] << '"';
  });
  EXPECT_GT(count, 100U);
}

TEST(VersionVectors, APep440VersionEqualsItsNormalForm) {
  NEED_TEST_DATA("vectors/versions/pep440-normalise.tsv");
  const auto count = for_each_row("pep440-normalise.tsv", [](const auto& row) {
    ASSERT_GE(row.size(), 2U);
    EXPECT_EQ(answer("PyPI", row[0], row[1]), "=") << row[0] << ' ' << row[1];
  });
  EXPECT_GT(count, 50U);
}

// The oracle for Packagist compared texts that Composer would have normalised first: it took the
// leading "v" for a word, "#" for an item and cut numbers off at 63 bits.
bool compared_without_normalising(const std::vector<std::string_view>& row) {
  return row[0] == "Packagist" && (row[1].starts_with('v') || row[1].contains('#') ||
                                   row[1].starts_with("99999999999999999999"));
}

TEST(VersionVectors, DisputedLinesFollowTheRealTool) {
  NEED_TEST_DATA("vectors/versions/disputed.tsv");
  const auto count = for_each_row("disputed.tsv", [](const std::vector<std::string_view>& row) {
    ASSERT_GE(row.size(), 6U);
    const auto ours = answer(row[0], row[1], row[3]);
    std::cout << row[0] << ": " << row[1] << ' ' << ours << ' ' << row[3] << "; " << row[5] << '\n';
    const auto tool = std::string(row[5].substr(row[5].size() - 1));
    EXPECT_EQ(ours, compared_without_normalising(row) ? std::string(row[2]) : tool)
        << row[0] << ": " << row[1] << ' ' << row[3] << ", " << row[5];
  });
  EXPECT_GT(count, 10U);
}

}  // namespace
}  // namespace tenken::version
