#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "advisories/database.h"
#include "base/file.h"
#include "pipeline/build_database.h"
#include "pipeline/database_location.h"
#include "pipeline/feed_tree.h"
#include "pipeline/kept_files.h"
#include "pipeline/scan.h"
#include "pipeline/update_database.h"
#include "support/scratch.h"
#include "support/zip_case.h"

namespace tenken::pipeline {
namespace {

constexpr std::string_view record =
    R"({"id":"PYSEC-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"a"},)"
    R"("ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0"}]}]}]})";

TEST(FeedTree, any_other_directory_is_read_as_osv) {
  const test::Scratch scratch;
  scratch.write("x/PYSEC-1.json", record);
  scratch.write("x/notes.txt", "no feed");
  const auto tree = find_feeds(scratch.path());
  ASSERT_TRUE(tree.has_value());
  ASSERT_EQ(tree->files.size(), 1u);
  EXPECT_EQ(tree->files[0].path, "x/PYSEC-1.json");
  EXPECT_EQ(tree->unclaimed, std::vector<std::string>{"x/notes.txt"});
}

TEST(FeedTree, a_known_place_makes_everything_else_unread) {
  const test::Scratch scratch;
  scratch.write("secdb.alpinelinux.org/v3.20/main.json", "{}");
  scratch.write("other.json", record);
  scratch.write(".fetch/secdb.alpinelinux.org/v3.20/main.json.state", "{}");
  const auto tree = find_feeds(scratch.path());
  ASSERT_TRUE(tree.has_value());
  ASSERT_EQ(tree->files.size(), 1u);
  EXPECT_EQ(tree->files[0].feed->id, "alpine_secdb");
  EXPECT_EQ(tree->unclaimed, std::vector<std::string>{"other.json"});
}

TEST(FeedTree, a_manifest_marks_samples_and_the_starter) {
  const test::Scratch scratch;
  scratch.write("a.json", record);
  scratch.write("MANIFEST.json", R"({"files":[{"path":"a.json","kind":"osv native sample"}]})");
  EXPECT_TRUE(find_feeds(scratch.path())->files[0].partial);
  scratch.write("MANIFEST.json", R"({"starter":true})");
  EXPECT_TRUE(find_feeds(scratch.path())->starter);
}

TEST(Build, what_cannot_be_read_is_counted_and_the_rest_is_built) {
  const test::Scratch scratch;
  scratch.write("feeds/PYSEC-1.json", record);
  scratch.write("feeds/broken.json", "{\"id\":");
  const auto report = build_database({.from = {scratch / "feeds"}, .out = scratch / "a.db"});
  ASSERT_TRUE(report.has_value()) << report.error().what;
  EXPECT_EQ(report->meta.records, 1u);
  EXPECT_EQ(report->meta.skips.size(), 1u);
  EXPECT_EQ(report->meta.feeds.at(0).skipped, 1u);
}

TEST(Build, a_file_that_cannot_be_read_whole_makes_its_coverage_a_part) {
  const test::Scratch scratch;
  scratch.write("feeds/secdb.alpinelinux.org/v3.20/main.json",
                R"({"distroversion":"v3.20","reponame":"main","packages":[{"pkg":{"name":"a",)"
                R"("secfixes":{"1-r0":["CVE-2024-0001"]}}}]})");
  const auto partial = [&] {
    const auto report = build_database({.from = {scratch / "feeds"}, .out = scratch / "a.db"});
    EXPECT_TRUE(report.has_value());
    return report->meta.coverage.at(0).partial;
  };
  EXPECT_FALSE(partial());
  scratch.write("feeds/secdb.alpinelinux.org/v3.20/community.json", "{\"packages\":");
  EXPECT_TRUE(partial());
}

TEST(Build, nothing_to_build_from_is_an_error_and_keeps_the_old_file) {
  const test::Scratch scratch;
  scratch.write("feeds/broken.json", "{\"id\":");
  scratch.write("a.db", "old");
  EXPECT_FALSE(build_database({.from = {scratch / "feeds"}, .out = scratch / "a.db"}).has_value());
  EXPECT_EQ(*read_file(scratch / "a.db", 100), "old");
  EXPECT_EQ(build_database({.from = {scratch / "nowhere"}, .out = scratch / "a.db"}).error().code,
            Errc::not_found);
}

TEST(Generations, the_last_ones_are_kept_and_one_is_current) {
  const test::Scratch scratch;
  const auto data = scratch / "data";
  std::string last;
  for (int i = 0; i < 6; ++i) {
    auto text = std::string(record);
    text.replace(text.find("2.0"), 3, "2." + std::to_string(i));
    scratch.write("feeds/PYSEC-1.json", text);
    const auto report = build_generation(data, {.from = {scratch / "feeds"}});
    ASSERT_TRUE(report.has_value()) << report.error().what;
    last = report->generation;
  }
  const auto database = advisories::Database::open(database_path(data));
  ASSERT_TRUE(database.has_value());
  EXPECT_EQ(database->generation(), last);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data))
    files += entry.is_symlink() || entry.is_directory() ? 0 : 1;
  EXPECT_EQ(files, kept_generations);
}

std::string alpine(std::string_view release, std::string_view fixed) {
  return fmt::format(R"({{"distroversion":"{}","reponame":"main","packages":[{{"pkg":{{"name":"a",)"
                     R"("secfixes":{{"{}":["CVE-2024-0001"]}}}}}}]}})",
                     release, fixed);
}

// A directory of feeds with two files, of which generations are built.
class KeptFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write("v3.20", alpine("v3.20", "1-r0"));
    write("v3.21", alpine("v3.21", "1-r0"));
    ASSERT_TRUE(build().faults.empty());
  }
  void write(std::string_view release, std::string_view bytes) {
    scratch_.write(fmt::format("feeds/secdb.alpinelinux.org/{}/main.json", release), bytes);
  }
  BuildReport build(const std::string& from = "feeds") {
    auto report = build_generation(scratch_ / "data", {.from = {scratch_ / from}});
    EXPECT_TRUE(report) << report.error().what;
    return *std::move(report);
  }
  // A link in its place: of that nothing is read, whoever asks.
  void close(std::string_view release) {
    const auto real = scratch_ / fmt::format("feeds/secdb.alpinelinux.org/{}", release);
    std::filesystem::rename(real, scratch_ / "elsewhere");
    std::filesystem::create_directory_symlink(scratch_ / "elsewhere", real);
  }
  std::vector<std::string> covered(const BuildReport& report) {
    std::vector<std::string> out;
    for (const auto& one : report.meta.coverage)
      out.push_back(fmt::format("{}{} {}", one.release, one.partial ? " in part" : "", one.rows));
    return out;
  }
  test::Scratch scratch_;
  const std::vector<std::string> whole_{"v3.20 1", "v3.21 1"};
};

TEST_F(KeptFilesTest, a_file_that_is_broken_is_replaced_by_its_last_good_copy) {
  for (const auto* broken : {"broken", ""}) {
    write("v3.20", broken);
    write("v3.21", alpine("v3.21", "2-r0"));
    const auto report = build();
    ASSERT_EQ(report.faults.size(), 1U);
    EXPECT_EQ(report.faults[0].feed, "alpine_secdb");
    EXPECT_EQ(report.faults[0].path, "secdb.alpinelinux.org/v3.20/main.json");
    EXPECT_TRUE(report.faults[0].older_used);
    EXPECT_TRUE(report.faults[0].content_replaced);
    EXPECT_EQ(covered(report), whole_) << "of v3.20 the older rows";
  }
  write("v3.20", alpine("v3.20", "3-r0"));
  EXPECT_TRUE(build().faults.empty());
  write("v3.20", "broken again");
  EXPECT_EQ(covered(build()), whole_);
}

std::string osv_record(std::string_view id, std::string_view fixed) {
  return fmt::format(
      R"({{"id":"{}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":)"
      R"("npm","name":"{}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},)"
      R"({{"fixed":"{}"}}]}}]}}]}})",
      id, id, fixed);
}

TEST_F(KeptFilesTest, of_an_archive_the_member_that_is_broken_is_replaced) {
  const auto put = [this](const std::vector<test::ZipMember>& members) {
    scratch_.write("feeds/osv/npm/all.zip", test::zip(members));
  };
  put({{"A-1.json", osv_record("A-1", "1.0.0")}, {"A-2.json", "never a record"}});
  ASSERT_TRUE(build().faults.empty()) << "what never was one is a skip";
  for (const int again : {1, 2}) {
    put({{"A-1.json", "{broken"},
         {"A-2.json", "never a record"},
         {"A-3.json", osv_record("A-3", fmt::format("{}.0.0", again))}});
    const auto report = build();
    ASSERT_EQ(report.faults.size(), 1U);
    EXPECT_EQ(report.faults[0].feed, "osv");
    EXPECT_EQ(report.faults[0].path, "osv/npm/all.zip/A-1.json");
    EXPECT_TRUE(report.faults[0].older_used);
    EXPECT_EQ(report.meta.records, 4U) << "A-1 as it was, A-3, and the two of Alpine";
  }
  scratch_.write("feeds/osv/npm/all.zip", "no archive any more");
  const auto damaged = build();
  EXPECT_EQ(damaged.meta.records, 4U) << "A-1 as it was, and A-3 of the archive's last good copy";
  EXPECT_EQ(damaged.faults.size(), 2U);
  put({{"A-3.json", osv_record("A-3", "1.0.0")}});
  const auto report = build();
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.meta.records, 3U) << "a member that is gone is gone";
}

TEST_F(KeptFilesTest, a_document_of_no_use_is_a_broken_file) {
  scratch_.write("feeds/osv-vulnerabilities.storage.googleapis.com/npm/A-1.json",
                 osv_record("A-1", "1.0.0"));
  const auto records = build().meta.records;
  scratch_.write("feeds/osv-vulnerabilities.storage.googleapis.com/npm/A-1.json", "{broken");
  const auto report = build();
  EXPECT_EQ(report.faults.size(), 1U);
  EXPECT_EQ(report.meta.records, records);
}

TEST_F(KeptFilesTest, a_file_that_is_gone_is_no_longer_kept) {
  std::filesystem::remove(scratch_ / "feeds/secdb.alpinelinux.org/v3.20/main.json");
  EXPECT_EQ(covered(build()), std::vector<std::string>{"v3.21 1"});
  write("v3.20", "broken");
  const auto report = build();
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_FALSE(report.faults[0].older_used);
}

TEST_F(KeptFilesTest, what_may_not_be_opened_is_a_fault_and_not_gone) {
  close("v3.20");
  const auto report = build();
  EXPECT_EQ(covered(report), whole_);
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_TRUE(report.faults[0].older_used);
  EXPECT_FALSE(report.faults[0].content_replaced) << "the file itself may be sound";
  EXPECT_EQ(covered(build()), whole_) << "the copy is still there";
}

TEST_F(KeptFilesTest, a_copy_that_cannot_be_read_is_not_told_as_used) {
  // A whole header, and a block of no known type.
  constexpr std::string_view broken_gzip = "\x1f\x8b\x08\x01------\xff\xff\xff\xff";
  close("v3.20");
  const auto kept = kept_directory(scratch_ / "data/kept", scratch_ / "feeds");
  const auto copy = kept + "/secdb.alpinelinux.org/v3.20/main.json";
  ASSERT_TRUE(std::filesystem::exists(copy));
  ASSERT_TRUE(write_file_atomic(copy, broken_gzip));
  const auto report = build();
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_FALSE(report.faults[0].older_used);
  EXPECT_EQ(covered(report), std::vector<std::string>{"v3.21 in part 1"});
}

TEST_F(KeptFilesTest, a_copy_of_a_sample_covers_a_part_only) {
  scratch_.write("feeds/MANIFEST.json",
                 R"({"files":[{"path":"secdb.alpinelinux.org/v3.20/main.json","kind":"sample"}]})");
  const std::vector<std::string> sample{"v3.20 in part 1", "v3.21 1"};
  EXPECT_EQ(covered(build()), sample);
  close("v3.20");
  EXPECT_EQ(covered(build()), sample);
  scratch_.write("feeds/MANIFEST.json", "{\"files\":");
  const std::vector<std::string> unknown{"v3.20 in part 1", "v3.21 in part 1"};
  EXPECT_EQ(covered(build()), unknown) << "any file may be a sample";
}

TEST_F(KeptFilesTest, two_trees_do_not_share_their_copies) {
  scratch_.write("other/secdb.alpinelinux.org/v3.20/main.json", alpine("v3.20", "9-r0"));
  EXPECT_TRUE(build("other").faults.empty());
  write("v3.21", "broken");
  EXPECT_EQ(covered(build()), whole_) << "the other build has left the copy";
  scratch_.write("other/secdb.alpinelinux.org/v3.21/main.json", "broken");
  const auto report = build("other");
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_FALSE(report.faults[0].older_used);
}

TEST_F(KeptFilesTest, copies_of_the_trees_used_last_are_kept) {
  for (std::size_t i = 0; i < kept_trees + 2; ++i) {
    const auto tree = fmt::format("tree{}", i);
    scratch_.write(tree + "/secdb.alpinelinux.org/v3.20/main.json", alpine("v3.20", "1-r0"));
    build(tree);
    build();
  }
  std::size_t trees = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch_ / "data/kept"))
    trees += entry.is_directory() ? 1 : 0;
  EXPECT_EQ(trees, kept_trees);
  write("v3.20", "broken");
  EXPECT_EQ(covered(build()), whole_);
}

TEST(Update, an_unknown_feed_is_named) {
  const test::Scratch scratch;
  const auto report = update_database({.directory = scratch.path(), .feeds = {"nosuch"}});
  ASSERT_FALSE(report.has_value());
  EXPECT_NE(report.error().what.find("nosuch"), std::string::npos);
}

TEST(Update, a_mirror_that_is_none_is_refused_before_anything_is_made) {
  const test::Scratch scratch;
  const auto refusal = [&](const std::string& mirror) {
    const auto report = update_database({.directory = scratch / "data", .mirrors = {mirror}});
    EXPECT_FALSE(report) << mirror;
    return report ? std::string() : report.error().what;
  };
  const auto none = scratch / "none";
  EXPECT_EQ(refusal(none), "--mirror: " + none + ": no such directory");
  EXPECT_EQ(refusal("foo"), "--mirror: \"foo\": expected FEED=URL or FEED=DIRECTORY");
  EXPECT_EQ(refusal("foo=https://mirror.example"), "--mirror: no feed \"foo\"");
  EXPECT_FALSE(std::filesystem::exists(scratch / "data"));
}

TEST(Update, what_was_fetched_and_not_built_is_built_the_next_time) {
  const test::Scratch scratch;
  scratch.write(
      "mirror/www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
      R"({"vulnerabilities":[{"cveID":"CVE-2024-0001","dateAdded":"2024-01-01"}]})");
  scratch.write("data/advisories.db", "of an earlier update");
  const UpdateOptions options{.directory = scratch / "data",
                              .feeds = {"kev"},
                              .mirrors = {scratch / "mirror"},
                              .only_if_changed = true};
  const auto update = [&](std::size_t fetched) {
    auto report = update_database(options);
    EXPECT_TRUE(report) << report.error().what;
    EXPECT_EQ(report->fetched.front().fetched, fetched);
    EXPECT_EQ(report->fetched.front().failed(), 0U);
    return *std::move(report);
  };
  // Nothing but a list of what is exploited is no database.
  EXPECT_NE(update(1).build_error, "");
  EXPECT_NE(update(0).build_error, "") << "the fault is there still";
  scratch.write("data/feeds/secdb.alpinelinux.org/v3.20/main.json", alpine("v3.20", "1-r0"));
  const auto built = update(0);
  EXPECT_TRUE(built.built) << built.build_error;
  const auto unchanged = update(0);
  EXPECT_FALSE(unchanged.built);
  EXPECT_EQ(unchanged.build_error, "");
}

class Scan : public ::testing::Test {
 protected:
  void SetUp() override {
    scratch_.write("feeds/PYSEC-1.json", record);
    ASSERT_TRUE(
        build_database({.from = {scratch_ / "feeds"}, .out = scratch_ / "a.db"}).has_value());
    options_.database = scratch_ / "a.db";
    options_.now = 1'800'000'000;
  }
  ScanFailure::Stage failure() { return scan(options_).error().stage; }

  test::Scratch scratch_;
  ScanOptions options_;
};

TEST_F(Scan, an_sbom_gives_findings_with_their_texts) {
  scratch_.write("x.json",
                 R"({"bomFormat":"CycloneDX","specVersion":"1.5","components":[)"
                 R"({"type":"library","name":"a","version":"1.0","purl":"pkg:pypi/a@1.0"}]})");
  options_.sbom = scratch_ / "x.json";
  const auto result = scan(options_);
  ASSERT_TRUE(result.has_value()) << result.error().error.what;
  ASSERT_EQ(result->findings.size(), 1u);
  EXPECT_EQ(result->findings[0].id, "PYSEC-1");
  EXPECT_EQ(result->findings[0].fixed_version, "2.0");
  ASSERT_EQ(result->vulnerabilities.size(), 1u);
  EXPECT_EQ(result->vulnerabilities[0].id, "PYSEC-1");
}

TEST_F(Scan, a_root_of_an_unknown_distribution_is_said_once) {
  scratch_.write("root/etc/os-release", "ID=nosuchlinux\n");
  scratch_.write("root/var/lib/dpkg/status",
                 "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
                 "Package: b\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n");
  options_.rootfs = scratch_ / "root";
  const auto result = scan(options_);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->findings.empty());
  ASSERT_EQ(result->unknown.size(), 1u);
  EXPECT_EQ(result->unknown[0].subject, "nosuchlinux");
  EXPECT_EQ(result->unknown[0].count, 2u);
}

TEST_F(Scan, an_empty_package_database_is_not_clean) {
  scratch_.write("root/var/lib/dpkg/status", "");
  options_.rootfs = scratch_ / "root";
  const auto result = scan(options_);
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->unknown.empty());
}

TEST_F(Scan, failures_name_their_stage) {
  using Stage = ScanFailure::Stage;
  std::filesystem::create_directories(scratch_ / "empty");
  options_.rootfs = scratch_ / "empty";
  EXPECT_EQ(failure(), Stage::target);
  options_.rootfs = scratch_ / "nowhere";
  EXPECT_EQ(failure(), Stage::target);
  options_.database = scratch_ / "nowhere.db";
  EXPECT_EQ(failure(), Stage::database);
  options_.ignore_file = scratch_ / "nowhere.yaml";
  EXPECT_EQ(failure(), Stage::usage);
}

TEST_F(Scan, an_old_database_is_warned_of_with_its_age) {
  std::filesystem::create_directories(scratch_ / "root");
  scratch_.write("root/var/lib/dpkg/status", "");
  options_.rootfs = scratch_ / "root";
  options_.maximum_age = 86400;
  ASSERT_EQ(scan(options_)->warnings.size(), 1u);
  options_.maximum_age = options_.now;
  EXPECT_TRUE(scan(options_)->warnings.empty());
}

}  // namespace
}  // namespace tenken::pipeline
