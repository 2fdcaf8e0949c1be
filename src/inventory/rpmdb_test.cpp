#include "inventory/rpmdb.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "inventory/rpm_samples.h"
#include "inventory/temp_root.h"

namespace tenken::inventory {
namespace {

using test::bdb;
using test::little32;
using test::ndb;
using test::rpm_package;
using test::TempRoot;

struct Outcome {
  std::vector<std::string> blobs;
  std::string error;
};

template <typename Read>
Outcome collect(Read&& read) {
  Outcome outcome;
  const auto result = read([&](std::string_view blob, std::uint64_t) -> Result<> {
    outcome.blobs.emplace_back(blob);
    return {};
  });
  if (!result) outcome.error = result.error().what;
  return outcome;
}
Outcome read_ndb(std::string_view bytes) {
  return collect([&](const auto& visit) { return read_rpmdb_ndb(bytes, visit); });
}
Outcome read_bdb(std::string_view bytes) {
  return collect([&](const auto& visit) { return read_rpmdb_bdb(bytes, visit); });
}
Outcome read_sqlite(const std::string& path) {
  return collect(
      [&](const auto& visit) { return read_rpmdb_sqlite(path, SqliteAccess::immutable, visit); });
}

void run_sql(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  sqlite3_exec(database, sql, nullptr, nullptr, &message);
  EXPECT_EQ(message, nullptr) << message;
  sqlite3_free(message);
  sqlite3_close(database);
}

TEST(RpmdbNdb, HandsOutEachPackage) {
  const auto outcome = read_ndb(ndb({rpm_package("a"), rpm_package("longer-name"), ""}));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.blobs,
            (std::vector<std::string>{rpm_package("a"), rpm_package("longer-name"), ""}));
}

TEST(RpmdbNdb, EveryCutIsAnError) {
  const auto whole = ndb({rpm_package("a"), rpm_package("b")});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(read_ndb(std::string_view(whole).substr(0, size)).error, "") << size;
}

TEST(RpmdbNdb, DamageIsAnError) {
  const auto whole = ndb({rpm_package("a")});
  const auto with = [&](std::size_t at, std::string_view bytes) {
    auto copy = whole;
    copy.replace(at, bytes.size(), bytes);
    return read_ndb(copy).error;
  };
  EXPECT_NE(with(0, "xxxx"), "");
  EXPECT_EQ(with(4, little32(1)), "version 1 of the ndb format");
  EXPECT_NE(with(12, little32(0xFFFFFFFF)), "");
  EXPECT_NE(with(12, little32(0)), "");
  EXPECT_NE(with(32, "xxxx"), "");
  EXPECT_EQ(with(36, little32(7)), "a package's head names another package");
  EXPECT_NE(with(40, little32(0xFFFFFFFF)), "");
  EXPECT_NE(with(44, little32(0xFFFFFFFF)), "");
  EXPECT_NE(with(4096 + 12, little32(0xFFFFFFFF)), "");
  EXPECT_NE(with(4096 + 12, little32(1)), "");
  EXPECT_NE(with(whole.size() - 4, "xxxx"), "");
}

TEST(RpmdbNdb, PackagesThatOverlapAreAnError) {
  auto bytes = ndb({std::string(6000, 'x')});
  const auto slot = bytes.substr(32, 16);
  for (std::size_t at = 48; at + 16 <= 4096; at += 16) bytes.replace(at, 16, slot);
  EXPECT_EQ(read_ndb(bytes).error, "packages overlap");
}

TEST(RpmdbBdb, FollowsOverflowPages) {
  for (const std::size_t size : {1U, 486U, 487U, 3000U}) {
    const std::string blob(size, 'x');
    const auto outcome = read_bdb(bdb(blob));
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.blobs, std::vector<std::string>{blob});
  }
}

TEST(RpmdbBdb, EveryCutIsAnError) {
  const auto whole = bdb(std::string(1000, 'x'));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(read_bdb(std::string_view(whole).substr(0, size)).error, "") << size;
  }
}

TEST(RpmdbBdb, DamageIsAnError) {
  const auto whole = bdb(std::string(1000, 'x'));
  const auto with = [&](std::size_t at, std::string_view bytes) {
    auto copy = whole;
    copy.replace(at, bytes.size(), bytes);
    return read_bdb(copy).error;
  };
  EXPECT_NE(with(12, little32(0x053162)), "");  // a btree
  EXPECT_NE(with(20, little32(0)), "");         // page size
  EXPECT_EQ(with(24, "\x01"), "the database is encrypted");
  EXPECT_NE(with(25, "\x09"), "");  // kind of database
  EXPECT_NE(with(26, "\x01"), "");  // page checksums
  EXPECT_EQ(with(512 + 20, "\x03"), "page 1: a key without data");
  EXPECT_NE(with(512 + 20, "\xFE\xFF"), "");            // more items than a page can hold
  EXPECT_NE(with(512 + 26, "\x01"), "");                // an item over the page header
  EXPECT_NE(with(1024 - 17, "\x09"), "");               // type of item
  EXPECT_NE(with(1024 - 13, little32(999)), "");        // first overflow page
  EXPECT_NE(with(1024 - 9, little32(0xFFFFFFFF)), "");  // length
  EXPECT_NE(with(1024 + 22, "\xFF\xFF"), "");           // bytes used on an overflow page
  EXPECT_NE(with(1024 + 25, "\x05"), "");               // type of page
}

TEST(RpmdbBdb, AChainInACircleEnds) {
  auto bytes = bdb(std::string(1000, 'x'));
  bytes.replace(1024 + 16, 4, little32(2));           // the first overflow page follows itself
  bytes.replace(1024 + 22, 2, std::string(2, '\0'));  // and holds nothing
  EXPECT_EQ(read_bdb(bytes).error, "page 1: overflow chains share pages");
}

TEST(RpmdbSqlite, HandsOutEachPackageInOrder) {
  TempRoot temp;
  run_sql(temp.at("db"),
          "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL);"
          "INSERT INTO Packages VALUES(2, x'62'), (1, x'61'), (3, x'')");
  const auto outcome = read_sqlite(temp.at("db"));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.blobs, (std::vector<std::string>{"a", "b", ""}));
}

TEST(RpmdbSqlite, PathsMayHoldWhatAUriGivesMeaningTo) {
  TempRoot temp;
  run_sql(temp.at("a?b#c%20"), "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB)");
  EXPECT_EQ(read_sqlite(temp.at("a?b#c%20")).error, "");
}

TEST(RpmdbSqlite, WhatIsNoDatabaseIsAnError) {
  TempRoot temp;
  temp.write("garbage", std::string(10'000, 'x'));
  EXPECT_EQ(read_sqlite(temp.at("garbage")).error, "SQLite: file is not a database");
  temp.write("empty", "");
  EXPECT_EQ(read_sqlite(temp.at("empty")).error, "SQLite: no such table: Packages");
}

TEST(RpmdbSqlite, AQueryInPlaceOfTheTableIsNotRun) {
  TempRoot temp;
  run_sql(temp.at("db"),
          "CREATE TABLE real(hnum INTEGER, blob BLOB); INSERT INTO real VALUES(1, x'61');"
          "CREATE VIEW Packages AS SELECT * FROM real");
  const auto outcome = read_sqlite(temp.at("db"));
  EXPECT_TRUE(outcome.blobs.empty());
  EXPECT_EQ(outcome.error, "SQLite: access to view \"Packages\" prohibited");
}

}  // namespace
}  // namespace tenken::inventory
