#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "advisories/aliases.h"
#include "advisories/builder.h"
#include "advisories/database.h"
#include "advisories/diff.h"
#include "advisories/intervals.h"
#include "advisories/scoring.h"
#include "base/file.h"
#include "support/scratch.h"
#include "version/ecosystem.h"

namespace tenken::advisories {
namespace {

using Kind = RangeEvent::Kind;

std::string show(const Range& range) {
  const auto* scheme = version::find_scheme("semver");
  const auto all = intervals(range, *scheme);
  if (!all) return "error";
  std::string out;
  for (const auto& one : *all) {
    out += "[" + one.lower;
    switch (one.upper_bound) {
      case UpperBound::none:
        out += ",)";
        break;
      case UpperBound::fixed:
        out += "," + one.upper + ")";
        break;
      case UpperBound::last_affected:
        out += "," + one.upper + "]";
        break;
      case UpperBound::limit:
        out += "," + one.upper + "|";
        break;
    }
  }
  return out;
}

Range range_of(std::vector<RangeEvent> events) {
  return {Range::Type::semver, std::move(events)};
}

TEST(Intervals, unsorted_events_are_sorted) {
  EXPECT_EQ(show(range_of({{Kind::introduced, "3.9.0"},
                           {Kind::fixed, "3.9.2"},
                           {Kind::introduced, "3.6.0"},
                           {Kind::fixed, "3.8.4"}})),
            "[3.6.0,3.8.4)[3.9.0,3.9.2)");
}

TEST(Intervals, at_one_version_the_fix_ends_before_the_introduction_begins) {
  EXPECT_EQ(show(range_of({{Kind::introduced, "1.0.0"},
                           {Kind::introduced, "2.0.0"},
                           {Kind::fixed, "2.0.0"},
                           {Kind::fixed, "3.0.0"}})),
            "[1.0.0,2.0.0)[2.0.0,3.0.0)");
}

TEST(Intervals, introduced_and_fixed_at_one_version_is_empty) {
  EXPECT_EQ(show(range_of({{Kind::introduced, "1.0.0"}, {Kind::fixed, "1.0.0"}})), "");
}

TEST(Intervals, last_affected_is_included_and_limit_bounds_all) {
  EXPECT_EQ(show(range_of({{Kind::introduced, "0"}, {Kind::last_affected, "1.2.0"}})), "[0,1.2.0]");
  EXPECT_EQ(show(range_of({{Kind::introduced, "0"}, {Kind::limit, "2.0.0"}})), "[0,2.0.0|");
  EXPECT_EQ(
      show(range_of({{Kind::introduced, "0"}, {Kind::fixed, "1.0.0"}, {Kind::limit, "2.0.0"}})),
      "[0,1.0.0)");
  EXPECT_EQ(show(range_of({{Kind::introduced, "0"}, {Kind::limit, "*"}})), "[0,)");
}

TEST(Intervals, what_cannot_be_ordered_is_an_error) {
  EXPECT_EQ(show(range_of({{Kind::introduced, "0"}, {Kind::fixed, "x.y"}})), "error");
  EXPECT_EQ(show(range_of({{Kind::fixed, "1.0.0"}})), "error");
  EXPECT_EQ(show(range_of({})), "error");
}

// Which vulnerabilities the records are found to stand for: "record=vulnerability,…;".
std::string show(const std::vector<RecordLinks>& records) {
  const auto resolved = resolve_aliases(records, {});
  std::string out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    out += records[i].id + "=";
    for (const auto index : resolved.of_record[i])
      out += std::string(resolved.vulnerabilities[index].id) + ",";
    out += ";";
  }
  return out;
}

TEST(Aliases, are_transitive_whatever_the_order) {
  // The edges A-D, B-C, C-D join all four.
  std::vector<RecordLinks> records{
      {"A", {"D"}, {}, {}}, {"B", {"C"}, {}, {}}, {"C", {"D"}, {}, {}}, {"D", {}, {}, {}}};
  std::ranges::sort(records, {}, &RecordLinks::id);
  do {
    const auto resolved = resolve_aliases(records, {});
    ASSERT_EQ(resolved.vulnerabilities.size(), 1u);
    EXPECT_EQ(resolved.vulnerabilities[0].id, "A");
    EXPECT_EQ(resolved.vulnerabilities[0].aliases, (std::vector<std::string_view>{"B", "C", "D"}));
  } while (std::ranges::next_permutation(records, {}, &RecordLinks::id).found);
}

TEST(Aliases, two_cves_are_never_merged) {
  EXPECT_EQ(show({{"GHSA-1", {"CVE-2020-0001"}, {}, {}},
                  {"GO-1", {"GHSA-1", "CVE-2020-0001", "CVE-2020-0002"}, {}, {}}}),
            "GHSA-1=CVE-2020-0001,;GO-1=CVE-2020-0001,CVE-2020-0002,;");
}

TEST(Aliases, a_record_takes_the_cve_of_its_alias_set) {
  EXPECT_EQ(show({{"PYSEC-1", {"GHSA-1"}, {}, {}}, {"GHSA-1", {"CVE-2020-0001"}, {}, {}}}),
            "PYSEC-1=CVE-2020-0001,;GHSA-1=CVE-2020-0001,;");
}

TEST(Aliases, upstream_is_followed_one_way) {
  EXPECT_EQ(show({{"DSA-1", {}, {"CVE-2020-0001", "CVE-2020-0002"}, {}},
                  {"USN-1", {}, {"UBUNTU-CVE-2020-0003"}, {}},
                  {"UBUNTU-CVE-2020-0003", {}, {"CVE-2020-0003"}, {}}}),
            "DSA-1=CVE-2020-0001,CVE-2020-0002,;USN-1=CVE-2020-0003,;UBUNTU-CVE-2020-0003=CVE-2020-"
            "0003,;");
}

TEST(Aliases, upstream_reaches_the_cve_of_an_alias_set) {
  EXPECT_EQ(
      show({{"PYSEC-20", {}, {"GHSA-b"}, {}}, {"PYSEC-21", {"GHSA-b", "CVE-2024-2002"}, {}, {}}}),
      "PYSEC-20=CVE-2024-2002,;PYSEC-21=CVE-2024-2002,;");
}

TEST(Aliases, related_names_the_cves_of_errata_and_of_nothing_else) {
  EXPECT_EQ(show({{"ALSA-2020:1", {}, {}, {"CVE-2020-0001", "RHSA-2020:1"}},
                  {"GHSA-1", {}, {}, {"CVE-2020-0002"}}}),
            "ALSA-2020:1=CVE-2020-0001,;GHSA-1=GHSA-1,;");
}

TEST(Aliases, an_erratum_without_cve_stands_for_itself) {
  EXPECT_EQ(show({{"ALBA-2019:0973", {}, {}, {}}}), "ALBA-2019:0973=ALBA-2019:0973,;");
}

std::string preferred(std::vector<std::pair<Severity, std::string>> said) {
  Scoring scoring;
  for (const auto& [severity, record] : said) EXPECT_TRUE(scoring.consider(severity, record));
  std::string out;
  for (const auto& one : scoring.take())
    out += fmt::format("{} {} {}\n", one.source, cvss_version(one.vector), one.tenths);
  return out;
}

TEST(Scoring, the_authority_then_cisa_then_nvd_then_records_and_3_1_before_3_0_4_0_2_0) {
  const std::string v2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
  const std::string v30 = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";
  const std::string v31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
  const std::string v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
  const std::string cisa = "134c704f-9b21-4f2e-91b3-4a467353bcc0";
  EXPECT_EQ(preferred({{{"CVSS_V3", v30, "", true}, "DEBIAN-CVE-2024-1"},
                       {{"CVSS_V3", v31, "", true}, "GHSA-1"},
                       {{"CVSS_V2", v2, "nvd@nist.gov", true}, ""},
                       {{"CVSS_V3", v31, "nvd@nist.gov", true}, ""},
                       {{"CVSS_V3", v31, cisa, false}, ""},
                       {{"CVSS_V4", v4, "cna@example.org", true}, ""},
                       {{"CVSS_V3", v30, "cna@example.org", true}, ""},
                       {{"CVSS_V3", v31, "a@example.org", false}, ""}}),
            "cna@example.org 3.0 53\ncna@example.org 4.0 93\na@example.org 3.1 98\n" + cisa +
                " 3.1 98\nnvd@nist.gov 3.1 98\nnvd@nist.gov 2.0 100\nGHSA-1 3.1 98\n"
                "DEBIAN-CVE-2024-1 3.0 53\n");
}

TEST(Scoring, of_one_source_and_version_the_first_counts_and_what_cannot_be_read_is_an_error) {
  Scoring scoring;
  const auto taken = [&](const char* type, const char* vector) {
    return scoring.consider({type, vector, "", true}, "x").has_value();
  };
  EXPECT_FALSE(taken("CVSS_V3", "CVSS:3.1/nonsense"));
  EXPECT_TRUE(taken("Ubuntu", "medium"));
  EXPECT_TRUE(taken("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"));
  EXPECT_TRUE(taken("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"));
  const auto scores = scoring.take();
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_EQ(scores[0].tenths, 53);
}

Advisory advisory(std::string id, std::string ecosystem, std::string name, std::string fixed) {
  Advisory out;
  out.id = std::move(id);
  out.modified = 1'700'000'000;
  out.summary = "summary of " + out.id;
  const auto [eco, release] = version::split_release(ecosystem);
  out.affected.push_back(
      {.ecosystem = std::string(eco),
       .release = std::string(release),
       .name = std::move(name),
       .ranges = {
           {Range::Type::ecosystem, {{Kind::introduced, "0"}, {Kind::fixed, std::move(fixed)}}}}});
  return out;
}

Origin origin(std::string_view home = "PyPI") {
  return {.feed = "osv", .id_space = "osv", .path = "x", .home_ecosystem = home};
}

std::string written(Builder& builder, const test::Scratch& scratch, const std::string& name) {
  auto built = builder.finish();
  EXPECT_TRUE(built.has_value());
  const auto path = scratch / name;
  EXPECT_TRUE(write_file_atomic(path, built->bytes));
  return path;
}

TEST(Database, gives_back_what_was_put_in) {
  const test::Scratch scratch;
  Builder builder;
  auto one = advisory("PYSEC-1", "PyPI", "My.Package", "1.2");
  one.aliases = {"CVE-2020-0001"};
  builder.add(origin(), std::move(one));
  VulnerabilityNote note;
  note.id = "CVE-2020-0001";
  note.status = "Analyzed";
  note.description = "text of NVD";
  note.severity = {
      {"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "nvd@nist.gov", true}};
  builder.add(Origin{.feed = "nvd", .id_space = "nvd", .path = "x", .home_ecosystem = {}},
              std::move(note));
  builder.add_coverage("osv", "PyPI", "", false);
  const auto database = Database::open(written(builder, scratch, "a.db"));
  ASSERT_TRUE(database.has_value()) << database.error().what;
  EXPECT_TRUE(database->verify());
  const auto rows = database->rows("PyPI", "", "my-package");
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].name, "My.Package");
  EXPECT_EQ((*rows)[0].ranges[0].intervals[0].upper, "1.2");
  EXPECT_TRUE(database->rows("PyPI", "", "other")->empty());
  EXPECT_TRUE(database->rows("npm", "", "my-package")->empty());
  const auto index = database->find_vulnerability("CVE-2020-0001");
  ASSERT_TRUE(index.has_value() && index->has_value());
  const auto known = database->describe(**index);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->summary, "summary of PYSEC-1");
  EXPECT_EQ(known->details, "text of NVD");
  ASSERT_EQ(known->cvss.size(), 1u);
  EXPECT_EQ(known->cvss[0].source, "nvd@nist.gov");
  EXPECT_EQ(known->cvss[0].tenths, 98);
  EXPECT_EQ(known->aliases, std::vector<std::string>{"PYSEC-1"});
  EXPECT_EQ(database->coverage("PyPI", "").size(), 1u);
}

TEST(Database, a_vector_that_cannot_be_read_is_a_skip_of_its_feed_file_and_record) {
  Builder builder;
  auto bad = advisory("PYSEC-1", "PyPI", "a", "1.2");
  bad.upstream = {"CVE-2020-0001"};
  bad.severity = {{"CVSS_V3", "CVSS:3.1/nonsense", "", true}};
  builder.add({.feed = "osv", .id_space = "osv", .path = "all.zip: bad.json", .home_ecosystem = {}},
              std::move(bad));
  builder.add(origin(), advisory("PYSEC-2", "PyPI", "a", "1.2"));
  VulnerabilityNote note;
  note.id = "CVE-2020-0002";
  note.severity = {{"CVSS_V2", "AV:N", "nvd@nist.gov", true}};
  builder.add({.feed = "nvd", .id_space = "nvd", .path = "2020.json", .home_ecosystem = {}},
              std::move(note));
  const auto built = builder.finish();
  ASSERT_TRUE(built.has_value());
  std::string skips;
  for (const auto& one : built->meta.skips)
    skips +=
        fmt::format("{} {} {} {}\n", one.feed, one.example.file, one.example.record, one.count);
  EXPECT_EQ(skips, "nvd 2020.json CVE-2020-0002 1\nosv all.zip: bad.json PYSEC-1 1\n");
  EXPECT_EQ(built->meta.feeds.size(), 2u);
}

TEST(Database, of_one_id_the_newest_record_wins_and_at_a_tie_the_one_at_home) {
  const test::Scratch scratch;
  Builder builder;
  auto older = advisory("GHSA-1", "PyPI", "a", "1");
  older.modified = 10;
  builder.add(origin(), advisory("GHSA-1", "PyPI", "a", "2"));
  builder.add(origin(), std::move(older));
  builder.add(origin("Root"), advisory("GHSA-2", "PyPI", "b", "1"));
  builder.add(origin("PyPI"), advisory("GHSA-2", "PyPI", "b", "2"));
  builder.add(origin("Root"), advisory("GHSA-2", "PyPI", "b", "3"));
  auto built = builder.finish();
  ASSERT_TRUE(built.has_value());
  EXPECT_EQ(built->meta.feeds[0].duplicates, 3u);
  EXPECT_EQ(built->meta.feeds[0].differing, 2u);
  const auto path = scratch / "a.db";
  ASSERT_TRUE(write_file_atomic(path, built->bytes));
  const auto database = Database::open(path);
  ASSERT_TRUE(database.has_value());
  EXPECT_EQ(database->rows("PyPI", "", "a")->at(0).ranges[0].intervals[0].upper, "2");
  EXPECT_EQ(database->rows("PyPI", "", "b")->at(0).ranges[0].intervals[0].upper, "2");
}

std::string sample_database(const test::Scratch& scratch, const std::string& name,
                            std::string fixed = "1.2") {
  Builder builder;
  for (int i = 0; i < 200; ++i)
    builder.add(origin(), advisory("PYSEC-" + std::to_string(i), "PyPI", "p" + std::to_string(i),
                                   "1." + std::to_string(i)));
  builder.add(origin(), advisory("PYSEC-X", "PyPI", "changing", std::move(fixed)));
  builder.add_coverage("osv", "PyPI", "", false);
  return written(builder, scratch, name);
}

TEST(Database, the_same_input_gives_the_same_bytes) {
  const test::Scratch scratch;
  const auto a = read_file(sample_database(scratch, "a.db"), 1 << 24);
  const auto b = read_file(sample_database(scratch, "b.db"), 1 << 24);
  EXPECT_EQ(*a, *b);
}

TEST(Database, every_flipped_byte_and_every_cut_is_noticed) {
  const test::Scratch scratch;
  const auto path = sample_database(scratch, "a.db");
  const auto good = *read_file(path, 1 << 24);
  const auto noticed = [&](const std::string& bytes) {
    EXPECT_TRUE(write_file_atomic(path, bytes));
    const auto database = Database::open(path);
    return !database || !database->verify();
  };
  EXPECT_FALSE(noticed(good));
  for (std::size_t at = 0; at < good.size(); at += at < 176 ? 1 : 211) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    EXPECT_TRUE(noticed(bad)) << "byte " << at;
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, std::size_t{4096}, good.size() - 1})
    EXPECT_TRUE(noticed(good.substr(0, size))) << "cut to " << size;
}

TEST(Database, a_file_of_another_length_than_its_header_says_is_said_to_be_longer_or_cut) {
  const test::Scratch scratch;
  const auto path = sample_database(scratch, "a.db");
  const auto good = *read_file(path, 1 << 24);
  const auto fault = [&](const std::string& bytes) {
    EXPECT_TRUE(write_file_atomic(path, bytes));
    const auto database = Database::open(path);
    return database ? std::string() : database.error().what;
  };
  const auto numbers = [&](std::size_t size) {
    return fmt::format("{} bytes, the header says {}", size, good.size());
  };
  EXPECT_EQ(fault(good + 'x'), path + ": too long: " + numbers(good.size() + 1));
  EXPECT_EQ(fault(good.substr(0, good.size() - 1)),
            path + ": truncated: " + numbers(good.size() - 1));
}

TEST(Database, another_format_version_is_named) {
  const test::Scratch scratch;
  const auto path = sample_database(scratch, "a.db");
  auto bytes = *read_file(path, 1 << 24);
  bytes[8] = 99;
  ASSERT_TRUE(write_file_atomic(path, bytes));
  const auto database = Database::open(path);
  ASSERT_FALSE(database.has_value());
  EXPECT_NE(database.error().what.find("database format 99"), std::string::npos)
      << database.error().what;
}

TEST(Diff, names_what_changed_and_nothing_else) {
  const test::Scratch scratch;
  const auto a = Database::open(sample_database(scratch, "a.db", "1.2"));
  const auto b = Database::open(sample_database(scratch, "b.db", "1.3"));
  ASSERT_TRUE(a.has_value() && b.has_value());
  const auto same = diff(*a, *a);
  ASSERT_TRUE(same.has_value());
  EXPECT_TRUE(same->names.empty() && same->vulnerabilities.empty());
  const auto changed = diff(*a, *b);
  ASSERT_TRUE(changed.has_value());
  ASSERT_EQ(changed->names.size(), 1u);
  EXPECT_EQ(changed->names[0].name, "changing");
  EXPECT_EQ(changed->names[0].change, Change::changed);
  EXPECT_TRUE(changed->coverage.empty());
}

TEST(Diff, a_vendors_word_for_a_record_is_of_the_names_it_speaks_of) {
  const test::Scratch scratch;
  const auto rated = [&](const char* name, const char* word) {
    Builder builder;
    builder.add({.feed = "osv", .id_space = "osv", .path = "x"},
                Advisory{.id = "UBUNTU-CVE-2024-1",
                         .upstream = {"CVE-2024-1"},
                         .vendor_severity = word,
                         .affected = {{.ecosystem = "Ubuntu", .release = "22.04", .name = "a"}}});
    scratch.write(name, builder.finish().value().bytes);
    return Database::open(scratch / name).value();
  };
  const auto before = rated("a.db", "high");
  const auto changed = diff(before, rated("b.db", "low"));
  ASSERT_TRUE(changed.has_value());
  ASSERT_EQ(changed->names.size(), 1U);
  EXPECT_EQ(changed->names[0].name, "a");
  EXPECT_TRUE(diff(before, rated("c.db", "high"))->names.empty());
}

TEST(Diff, names_releases_that_are_covered_otherwise) {
  const test::Scratch scratch;
  const auto built = [&](const char* name, bool partial, const char* other) {
    Builder builder;
    builder.add({.feed = "osv", .id_space = "osv", .path = "x"},
                Advisory{.id = "A-1", .affected = {{.ecosystem = "PyPI", .name = "a"}}});
    builder.add_coverage("osv", "PyPI", "", partial);
    builder.add_coverage("osv", "Debian", other, false);
    scratch.write(name, builder.finish().value().bytes);
    return Database::open(scratch / name).value();
  };
  const auto before = built("a.db", false, "11");
  const auto after = built("b.db", true, "12");
  EXPECT_TRUE(diff(before, before)->coverage.empty());
  const std::set<CoverageChange> all{{"Debian", "11"}, {"Debian", "12"}, {"PyPI", ""}};
  EXPECT_EQ(diff(before, after)->coverage, all);
  EXPECT_EQ(diff(after, before)->coverage, all);
}

}  // namespace
}  // namespace tenken::advisories
