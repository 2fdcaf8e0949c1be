#include "inventory/byte_window.h"

#include <chrono>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "inventory/rpm_samples.h"
#include "inventory/rpmdb.h"
#include "inventory/temp_root.h"

namespace tenken::inventory {
namespace {

using test::TempRoot;

std::string bytes_of(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
  return out;
}

TEST(ByteWindow, a_file_gives_what_memory_gives) {
  const auto bytes = bytes_of(300'000);
  const TempRoot temp;
  temp.write("file", bytes);
  const auto fd = Root::at(temp.path())->open("file");
  ASSERT_TRUE(fd);
  ByteWindow memory(bytes);
  ByteWindow file(fd->get(), bytes.size());
  EXPECT_EQ(file.size(), memory.size());
  struct Piece {
    std::size_t offset;
    std::size_t count;
  };
  std::vector<Piece> pieces{
      {0, 26},      {0, 4096},    {299'999, 1},        {300'000, 0}, {4, 200'000},
      {65'535, 2},  {100, 0},     {7, 65'537},         {0, 300'000}, {0, 300'001},
      {300'001, 0}, {1, 300'000}, {3, ~std::size_t{0}}};
  for (std::size_t at = 0; at < bytes.size(); at += 4000) pieces.push_back({at, 4000});
  for (const auto& [offset, count] : pieces) {
    const auto wanted = memory.at(offset, count);
    const auto got = file.at(offset, count);
    ASSERT_EQ(got.has_value(), wanted.has_value()) << offset << " " << count;
    if (wanted)
      EXPECT_TRUE(*got == *wanted) << offset << " " << count;
    else
      EXPECT_EQ(got.error().what, wanted.error().what);
  }
}

TEST(ByteWindow, a_file_that_became_shorter_is_told) {
  const auto bytes = bytes_of(300'000);
  const TempRoot temp;
  temp.write("file", bytes);
  const auto fd = Root::at(temp.path())->open("file");
  ByteWindow file(fd->get(), bytes.size());
  ASSERT_TRUE(file.at(0, 4096));
  std::filesystem::resize_file(temp.at("file"), 150'000);
  const auto gone = file.at(149'000, 2000);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::unavailable);
  EXPECT_EQ(file.at(1000, 2000).value_or(""), bytes.substr(1000, 2000));
}

class FileAtRest : public testing::Test {
 protected:
  FileAtRest() { temp_.write("file", "one"); }
  Result<> read(const std::function<Result<>(const ByteWindow&)>& read, std::size_t limit = 100) {
    return with_file_at_rest(*Root::at(temp_.path()), "file", limit, read);
  }

  TempRoot temp_;
};

TEST_F(FileAtRest, what_changed_while_it_was_read_is_read_again) {
  std::vector<std::string> seen;
  const auto done = read([&](ByteWindow bytes) -> Result<> {
    seen.emplace_back(bytes.at(0, bytes.size()).value_or("nothing"));
    if (seen.size() > 1) return {};
    temp_.write("file", "three");
    return invalid("of what is the middle of a change");
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "three"}));
}

TEST_F(FileAtRest, a_change_that_keeps_the_size_is_one) {
  int reads = 0;
  EXPECT_TRUE(read([&](const ByteWindow&) -> Result<> {
    if (++reads == 1) {
      const auto file = temp_.at("file");
      const auto time = std::filesystem::last_write_time(file);
      std::filesystem::last_write_time(file, time - std::chrono::seconds(1));
    }
    return {};
  }));
  EXPECT_EQ(reads, 2);
}

TEST_F(FileAtRest, what_never_rests_is_given_up) {
  std::string text = "one";
  int reads = 0;
  const auto done = read([&](const ByteWindow&) -> Result<> {
    ++reads;
    temp_.write("file", text += "more");
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_EQ(reads, 3);
}

TEST_F(FileAtRest, errors_are_those_of_the_file_and_of_its_reader) {
  const auto nothing = [](const ByteWindow&) -> Result<> { return {}; };
  EXPECT_EQ(read(nothing, 2).error().code, Errc::limit);
  EXPECT_TRUE(read(nothing, 3));
  EXPECT_EQ(read([](const ByteWindow&) -> Result<> { return invalid("x"); }).error().what, "x");
  EXPECT_EQ(with_file_at_rest(*Root::at(temp_.path()), "none", 3, nothing).error().code,
            Errc::not_found);
}

TEST_F(FileAtRest, a_database_larger_than_a_piece_gives_the_same_packages) {
  const std::vector<std::string> blobs{bytes_of(70'000), "", bytes_of(500'000), bytes_of(3)};
  const auto packages_in = [&](const std::string& database, auto&& format) {
    temp_.write("file", database);
    std::vector<std::string> out;
    const auto done = read(
        [&](const ByteWindow& bytes) {
          return format(bytes, [&](std::string_view blob, std::uint64_t) -> Result<> {
            out.emplace_back(blob);
            return {};
          });
        },
        std::size_t{1} << 20);
    EXPECT_TRUE(done) << done.error().what;
    return out;
  };
  EXPECT_TRUE(packages_in(test::ndb(blobs), read_rpmdb_ndb) == blobs);
  EXPECT_TRUE(packages_in(test::bdb(blobs[2]), read_rpmdb_bdb) == std::vector{blobs[2]});
}

TEST_F(FileAtRest, a_database_that_shrinks_under_its_reader_is_read_again) {
  const std::string package = bytes_of(100'000);
  temp_.write("file", test::ndb({package, package, package}));
  std::vector<std::size_t> found;
  const auto done = read(
      [&](const ByteWindow& bytes) {
        found.push_back(0);
        return read_rpmdb_ndb(bytes, [&](std::string_view, std::uint64_t) -> Result<> {
          if (found == std::vector<std::size_t>{0}) temp_.write("file", test::ndb({package}));
          ++found.back();
          return {};
        });
      },
      std::size_t{1} << 20);
  EXPECT_TRUE(done) << done.error().what;
  EXPECT_EQ(found, (std::vector<std::size_t>{1, 1}));
}

}  // namespace
}  // namespace tenken::inventory
