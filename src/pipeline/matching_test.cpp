#include "pipeline/matching.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/file.h"
#include "support/advisory_case.h"
#include "support/scratch.h"

namespace tenken::pipeline {
namespace {

NamedVersion version_of(std::int64_t id, std::string name) {
  return {{id},
          {.package = {.ecosystem = "PyPI", .kind = "pypi", .name = name, .version = "1.0"},
           .advisory_name = name}};
}

std::vector<std::string> vulnerabilities_of(const store::VersionMatches& version) {
  std::vector<std::string> out;
  for (const auto& match : version.matches) out.push_back(match.vulnerability);
  return out;
}

TEST(Matching, a_version_is_matched_or_failed_whatever_is_damaged_in_the_file) {
  const test::Scratch scratch;
  const auto good =
      test::built_advisories(scratch, "good",
                             {{"PYSEC-1", test::osv_advisory("PYSEC-1", "alpha", "2.0")},
                              {"PYSEC-2", test::osv_advisory("PYSEC-2", "beta", "2.0")}});
  ASSERT_NE(good, nullptr);
  const std::vector versions{version_of(1, "alpha"), version_of(2, "beta"), version_of(3, "none")};
  const auto expected = match_versions(*good, versions, 0);
  ASSERT_TRUE(expected.failed.empty());
  ASSERT_EQ(vulnerabilities_of(expected.versions[0]), std::vector<std::string>{"PYSEC-1"});

  const auto bytes = read_file(scratch / "good.db", 1 << 24).value();
  std::size_t failures = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 37) {
    auto bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    ASSERT_TRUE(write_file_atomic(scratch / "bad.db", bad));
    const auto database = advisories::Database::open(scratch / "bad.db");
    if (!database) continue;
    const auto matched = match_versions(*database, versions, 0);
    EXPECT_EQ(matched.versions.size() + matched.failed.size(), versions.size()) << "byte " << at;
    for (const auto& one : matched.versions) {
      const auto same = std::ranges::find(expected.versions, one.id, &store::VersionMatches::id);
      EXPECT_EQ(vulnerabilities_of(one), vulnerabilities_of(*same)) << "byte " << at;
    }
    failures += matched.failed.size();
  }
  EXPECT_GT(failures, 0U);
}

TEST(Matching, a_package_whose_release_is_not_known_is_not_covered) {
  const test::Scratch scratch;
  auto of_every_release = test::osv_advisory("DSA-1", "a", "2.0");
  of_every_release.replace(of_every_release.find("PyPI"), 4, "Debian");
  const auto database = test::built_advisories(scratch, "debian", {{"DSA-1", of_every_release}});
  ASSERT_NE(database, nullptr);
  ASSERT_FALSE(database->coverage("Debian", "").empty());
  const NamedVersion version{
      {1},
      {.package = {.ecosystem = "Debian", .kind = "deb", .name = "a", .version = "3.0"},
       .advisory_name = "a"}};
  const auto matched = match_versions(*database, std::span(&version, 1), 0);
  ASSERT_EQ(matched.versions.size(), 1U);
  EXPECT_EQ(matched.versions[0].decided, store::Decided::not_covered);
}

}  // namespace
}  // namespace tenken::pipeline
