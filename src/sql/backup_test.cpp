#include "sql/backup.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "sql/sql.h"
#include "support/scratch.h"

namespace tenken::sql {
namespace {

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    connection_ = open({.sqlite_file = file_}).value();
    ASSERT_TRUE(connection_->script("CREATE TABLE n (id BIGINT PRIMARY KEY, t TEXT)"));
    insert(0, 10'000);
  }
  void insert(std::int64_t from, std::int64_t to) {
    auto bulk = connection_->bulk({.table = "n", .columns = {"id", "t"}}).value();
    for (auto id = from; id < to; ++id) {
      const Value row[] = {id, std::string_view("some text that takes its place")};
      ASSERT_TRUE(bulk->add(row));
    }
    ASSERT_TRUE(bulk->finish());
  }
  static std::optional<std::int64_t> rows_of(const std::string& file) {
    return open({.sqlite_file = file}).value()->one_integer("SELECT count(*) FROM n").value();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path()))
      found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }

  test::Scratch scratch_;
  std::string file_ = scratch_ / "live.db";
  std::string copy_ = scratch_ / "copy.db";
  std::unique_ptr<Connection> connection_;
};

TEST_F(BackupTest, the_copy_is_one_private_file_with_what_was_committed) {
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto made = backup_sqlite(file_, copy_, [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  });
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, std::filesystem::file_size(copy_));
  EXPECT_EQ(names(),
            (std::vector<std::string>{"copy.db", "live.db", "live.db-shm", "live.db-wal"}));
  struct stat found{};
  ASSERT_EQ(::stat(copy_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_EQ(rows_of(copy_), 10'000);
}

TEST_F(BackupTest, it_ends_and_holds_one_state_while_others_write) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    const auto other = open({.sqlite_file = file_}).value();
    for (std::int64_t id = 100'000; !stop; id += 2)
      ASSERT_EQ(other->run("INSERT INTO n VALUES (?1, 'x'), (?2, 'x')", id, id + 1).value(), 2);
  });
  for (int i = 0; i < 5; ++i) {
    const auto made = backup_sqlite(file_, copy_);
    EXPECT_TRUE(made) << made.error().what;
    EXPECT_EQ(rows_of(copy_).value() % 2, 0);
  }
  stop = true;
  writer.join();
}

TEST_F(BackupTest, what_cannot_be_copied_leaves_the_old_copy) {
  ASSERT_TRUE(backup_sqlite(file_, copy_));
  EXPECT_EQ(backup_sqlite(scratch_ / "missing.db", copy_).error().code, Errc::not_found);
  EXPECT_EQ(backup_sqlite(file_, scratch_ / "missing/copy.db").error().code, Errc::not_found);
  scratch_.write("text.db", std::string(5000, 'x'));
  EXPECT_EQ(backup_sqlite(scratch_ / "text.db", copy_).error().code, Errc::internal);
  EXPECT_EQ(rows_of(copy_), 10'000);
}

TEST_F(BackupTest, a_damaged_file_is_found_and_never_replaces_a_copy) {
  ASSERT_TRUE(backup_sqlite(file_, copy_));
  ASSERT_TRUE(verify_sqlite(copy_));
  const auto damaged = scratch_ / "damaged.db";
  std::filesystem::copy_file(copy_, damaged);
  std::fstream(damaged, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(5 * 4096)
      .write(std::string(4096, '\x5a').data(), 4096);
  EXPECT_EQ(verify_sqlite(damaged).error().code, Errc::invalid);
  EXPECT_EQ(backup_sqlite(damaged, copy_).error().code, Errc::invalid);
  EXPECT_EQ(rows_of(copy_), 10'000);
  for (const auto& name : names()) EXPECT_FALSE(name.starts_with("copy.db.")) << name;
}

TEST_F(BackupTest, a_row_that_points_nowhere_is_damage) {
  ASSERT_TRUE(connection_->script(
      "CREATE TABLE child (id BIGINT PRIMARY KEY, n BIGINT REFERENCES n (id));"));
  ASSERT_TRUE(connection_->run("PRAGMA foreign_keys = OFF"));
  ASSERT_TRUE(connection_->run("INSERT INTO child VALUES (1, 123456)"));
  const auto made = backup_sqlite(file_, copy_);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().what.contains("child")) << made.error().what;
}

}  // namespace
}  // namespace tenken::sql
