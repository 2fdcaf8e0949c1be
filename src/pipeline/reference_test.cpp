// The whole chain on real advisories against reference results: feeds as they lie on disk →
// database → inventory → match. One database, one test: each test is a process of its own.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "advisories/database.h"
#include "base/file.h"
#include "base/text.h"
#include "inventory/inspect.h"
#include "match/matcher.h"
#include "pipeline/build_database.h"
#include "pipeline/scan.h"
#include "support/scratch.h"
#include "support/test_data.h"
#include "version/ecosystem.h"

namespace tenken::pipeline {
namespace {

using Row = std::vector<std::string>;

std::vector<Row> read_tsv(const std::string& path) {
  std::vector<Row> rows;
  const auto bytes = read_file(path, std::size_t{1} << 28);
  EXPECT_TRUE(bytes.has_value()) << path;
  for_each_line(*bytes, [&](std::string_view line) {
    if (line.empty() || line.starts_with('#')) return;
    Row row;
    for (const auto field : split(line, '\t')) row.emplace_back(field);
    rows.push_back(std::move(row));
  });
  return rows;
}

using Triples =
    std::set<std::tuple<std::string, std::string, std::string>>;  // package, version, advisory

std::string without_zero_epoch(std::string version) {
  return version.starts_with("0:") ? version.substr(2) : version;
}

Triples matched(const advisories::Database& database, const std::string& inventory_path) {
  Triples out;
  auto inventory = inventory::inspect_root(test::data_path(inventory_path));
  EXPECT_TRUE(inventory.has_value());
  match::Matcher matcher(database, {.now = 1'800'000'000});
  for (const auto& package : inventory->packages) {
    const auto matches = matcher.match(package);
    EXPECT_TRUE(matches.has_value());
    for (const auto& finding : matches->findings) {
      for (const auto& id : finding.advisories) out.emplace(package.name, package.version, id);
    }
  }
  return out;
}

// Rows marked modular ignore streams and decide nothing.
void compare_with(const Triples& got, const std::vector<Row>& rows, std::size_t id_column,
                  bool modules) {
  Triples expected;
  Triples undecided;
  for (const auto& row : rows) {
    const bool modular = modules && row.size() > 5 && row[5] == "modular";
    (modular ? undecided : expected).emplace(row[0], without_zero_epoch(row[1]), row[id_column]);
  }
  for (const auto& one : expected)
    EXPECT_TRUE(got.contains(one)) << "missing " << std::get<0>(one) << " " << std::get<2>(one);
  for (const auto& one : got) {
    if (undecided.contains(one)) continue;
    EXPECT_TRUE(expected.contains(one))
        << "invented " << std::get<0>(one) << " " << std::get<1>(one) << " " << std::get<2>(one);
  }
}

void compare_with_osv_scanner(const advisories::Database& database) {
  std::map<std::tuple<std::string, std::string, std::string>, std::map<std::string, std::string>>
      explained;
  for (const auto& row : read_tsv(TENKEN_CASE_DIR "/reference_differences.tsv"))
    explained[{row[0], row[1], row[2]}][row[4]] = row[3];
  match::Matcher matcher(database, {.now = 1'800'000'000});
  std::size_t used = 0;
  for (const auto& row : read_tsv(test::data_path("vectors/match/osv-scanner-3000.tsv"))) {
    Package package;
    package.ecosystem = row[0];
    package.name = row[1];
    package.version = row[2];
    std::set<std::string> wanted;
    for (const auto id : split(row.size() > 4 ? row[4] : "", ',')) {
      if (!id.empty() && id != "-") wanted.emplace(id);
    }
    for (const auto& [id, sign] : explained[{row[0], row[1], row[2]}]) {
      used += sign == "+" ? wanted.insert(id).second : wanted.erase(id);
    }
    const auto matches = matcher.match(package);
    ASSERT_TRUE(matches.has_value());
    std::set<std::string> got;
    for (const auto& finding : matches->findings)
      got.insert(finding.advisories.begin(), finding.advisories.end());
    EXPECT_EQ(got, wanted) << row[0] << " " << row[1] << " " << row[2];
  }
  EXPECT_EQ(used, 59u) << "each explained difference is one";
}

// Rows of real records: what `versions` lists is affected, the fix is not.
void compare_with_real_ranges(const advisories::Database& database) {
  match::Matcher matcher(database, {.now = 1'800'000'000});
  std::size_t rows = 0;
  for (const auto& row : read_tsv(test::data_path("vectors/osv/real-range.tsv"))) {
    Package package;
    package.ecosystem = row[0];
    package.name = row[3];
    package.version = row[4];
    const auto matches = matcher.match(package);
    ASSERT_TRUE(matches.has_value());
    const bool holds = std::ranges::any_of(matches->findings, [&](const Finding& finding) {
      return std::ranges::find(finding.advisories, row[1]) != finding.advisories.end();
    });
    const auto record = database.find_record(row[1]);
    const bool withdrawn = record && *record && database.record(**record)->withdrawn.has_value();
    if (row[5] == "true" && !withdrawn) {
      EXPECT_TRUE(holds) << row[1] << " " << row[3] << " " << row[4];
    }
    if (row[5] == "false" && holds) {
      // Another entry of the record may hold for the version where this entry's fix lies.
      const auto again = read_tsv(test::data_path("vectors/osv/real-range.tsv"));
      const bool elsewhere = std::ranges::any_of(again, [&](const Row& other) {
        return other[1] == row[1] && other[3] == row[3] && other[2] != row[2];
      });
      EXPECT_TRUE(elsewhere) << row[1] << " " << row[3] << " " << row[4] << " is the fix";
    }
    ++rows;
  }
  EXPECT_EQ(rows, 4273u);
}

TEST(Reference, the_chain_agrees_with_reference_results) {
  NEED_TEST_DATA("feeds/osv/AlmaLinux/all.zip");
  const test::Scratch scratch;
  const auto report = build_database({.from = {test::data_path("feeds")}, .out = scratch / "a.db"});
  ASSERT_TRUE(report.has_value()) << report.error().what;
  EXPECT_TRUE(report->faults.empty());
  const auto database = advisories::Database::open(scratch / "a.db");
  ASSERT_TRUE(database.has_value());
  compare_with(matched(*database, "inventories/rpm/alma9"),
               read_tsv(test::data_path("vectors/match/expect-rpm-alma9.tsv")), 2, true);
  compare_with(matched(*database, "inventories/dpkg/debian-bullseye-aged"),
               read_tsv(test::data_path("vectors/match/expect-dpkg-debian-bullseye-aged.tsv")), 4,
               false);
  compare_with(matched(*database, "inventories/dpkg/debian-bullseye-server"), {}, 4, false);
  compare_with_osv_scanner(*database);
  compare_with_real_ranges(*database);
  // A release for which the database holds nothing is unknown, not clean.
  for (const auto* release : {"debian-bookworm-server", "debian-trixie-server"}) {
    auto inventory =
        inventory::inspect_root(test::data_path(std::string("inventories/dpkg/") + release));
    ASSERT_TRUE(inventory.has_value());
    const auto result = evaluate(*std::move(inventory), *database, {.now = 1'800'000'000});
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->findings.empty());
    ASSERT_EQ(result->unknown.size(), 1u) << release;
    EXPECT_EQ(result->unknown[0].kind, "release");
  }
}

}  // namespace
}  // namespace tenken::pipeline
