// What only SQLite has: its file.
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sql/sql.h"
#include "support/scratch.h"

namespace tenken::sql {
namespace {

class SqliteTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Connection>> connect() { return open({.sqlite_file = file_}); }

  test::Scratch scratch_;
  std::string file_ = scratch_ / "tenken.db";
};

TEST_F(SqliteTest, all_its_files_are_private) {
  const auto connection = connect().value();
  ASSERT_TRUE(connection->script("CREATE TABLE n (id BIGINT)"));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
    struct stat found{};
    ASSERT_EQ(::stat(entry.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3);
}

TEST_F(SqliteTest, a_directory_where_everybody_writes_is_refused) {
  ASSERT_EQ(::chmod(scratch_.path().c_str(), 01777), 0);
  EXPECT_EQ(connect().error().code, Errc::denied);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

// Whether another process finds the file locked. SQLite locks by fcntl: such locks belong to the
// process, and end when it closes any descriptor of the file.
bool locked_for_others(const std::string& file) {
  const auto child = ::fork();
  if (child == 0) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    const bool asked = fd >= 0 && ::fcntl(fd, F_GETLK, &lock) == 0;
    ::_exit(!asked ? 2 : lock.l_type == F_UNLCK ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 2);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(SqliteTest, a_further_connection_leaves_the_locks_of_the_others) {
  const auto first = connect().value();
  ASSERT_TRUE(first->script("CREATE TABLE n (id BIGINT)"));
  ASSERT_TRUE(locked_for_others(file_));
  const auto second = connect();
  ASSERT_TRUE(second);
  EXPECT_TRUE(locked_for_others(file_))
      << "another process would take the log away under this one's feet";
}

TEST_F(SqliteTest, what_is_no_database_is_named) {
  EXPECT_EQ(open({.sqlite_file = scratch_ / "missing/tenken.db"}).error().code, Errc::not_found);
  std::filesystem::create_directory(scratch_ / "folder");
  EXPECT_EQ(open({.sqlite_file = scratch_ / "folder"}).error().code, Errc::invalid);
  scratch_.write("tenken.db", std::string(5000, 'x'));
  const auto opened = connect();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::internal);
  EXPECT_TRUE(opened.error().what.contains("tenken.db")) << opened.error().what;
  EXPECT_TRUE(opened.error().what.contains("damaged")) << opened.error().what;
}

TEST_F(SqliteTest, a_full_disk_is_unavailable_and_loses_nothing_committed) {
  const auto connection = connect().value();
  ASSERT_TRUE(connection->script("CREATE TABLE n (id BIGINT PRIMARY KEY, t TEXT)"));
  ASSERT_TRUE(connection->run("INSERT INTO n VALUES (1, 'kept')"));
  ASSERT_TRUE(connection->run("PRAGMA max_page_count = 20"));
  {
    auto transaction = Transaction::begin(*connection, Transaction::Mode::write).value();
    ASSERT_TRUE(connection->run("INSERT INTO n VALUES (2, 'lost')"));
    const auto full = connection->run("INSERT INTO n VALUES (3, ?1)", std::string(200'000, 'x'));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Errc::unavailable) << full.error().what;
    EXPECT_FALSE(transaction.commit());
  }
  EXPECT_TRUE(connection->usable());
  EXPECT_EQ(connection->one_text("SELECT t FROM n").value(), "kept");
  ASSERT_TRUE(connection->run("PRAGMA max_page_count = 1000000"));
  EXPECT_TRUE(connection->run("INSERT INTO n VALUES (3, ?1)", std::string(200'000, 'x')));
}

TEST_F(SqliteTest, many_may_open_a_new_file_at_once) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      const auto opened = connect();
      EXPECT_TRUE(opened) << opened.error().what;
    });
}

TEST_F(SqliteTest, a_name_is_never_read_as_anything_but_a_file) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(scratch_.path());
  for (const std::string name : {":memory:", "file:a?mode=memory"}) {
    EXPECT_TRUE(open({.sqlite_file = name})) << name;
    EXPECT_TRUE(std::filesystem::is_regular_file(name)) << name;
  }
  std::filesystem::current_path(before);
}

TEST_F(SqliteTest, commits_are_synced_and_the_log_is_kept_small) {
  const auto connection = connect().value();
  EXPECT_EQ(connection->one_text("PRAGMA journal_mode").value(), "wal");
  EXPECT_EQ(connection->one_integer("PRAGMA synchronous").value(), 2);
  EXPECT_EQ(connection->one_integer("PRAGMA foreign_keys").value(), 1);
  EXPECT_EQ(connection->one_integer("PRAGMA trusted_schema").value(), 0);
  EXPECT_GT(connection->one_integer("PRAGMA journal_size_limit").value(), 0);
}

}  // namespace
}  // namespace tenken::sql
