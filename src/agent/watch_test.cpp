// Every file that an inventory is taken from is watched: a change of it is seen at the next look.
#include "agent/watch.h"

#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "inventory/inspect.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

// A pattern names any file of its directory.
std::string one_of(std::string_view file) {
  return file.ends_with('*') ? fmt::format("{}0001", file.substr(0, file.size() - 1))
                             : std::string(file);
}

TEST(Watch, every_file_that_an_inventory_is_taken_from_is_seen_to_change) {
  for (const auto pattern : inventory::inspected_files()) {
    const auto file = one_of(pattern);
    const test::Scratch root;
    Watch watch(root.path(), inventory::inspected_files());
    watch.keep();
    EXPECT_FALSE(watch.changed());
    root.write(file, "one");
    EXPECT_TRUE(watch.changed()) << file << " came";
    watch.keep();
    watch.heard();
    EXPECT_FALSE(watch.changed()) << file;
    EXPECT_FALSE(watch.heard()) << file;
    root.write(file, "three");  // in place
    EXPECT_TRUE(watch.heard()) << file;
    EXPECT_TRUE(watch.changed()) << file << " was written in place";
    watch.keep();
    std::filesystem::remove(root / file);
    EXPECT_TRUE(watch.changed()) << file << " is gone";
  }
}

TEST(Watch, all_is_heard_where_directories_are_of_the_host_or_not_there) {
  const test::Scratch root;
  struct statfs facts{};
  ASSERT_EQ(::statfs(root.path().c_str(), &facts), 0);
  if (facts.f_type != EXT4_SUPER_MAGIC && facts.f_type != TMPFS_MAGIC)
    GTEST_SKIP() << "the directory of tests is on another file system";
  root.write("var/lib/dpkg/status", "1.0");
  EXPECT_TRUE(Watch(root.path(), inventory::inspected_files()).hears_all());
  // What only the kernel writes, and of which it tells nothing.
  EXPECT_FALSE(Watch("/proc", {"sys/kernel/hostname"}).hears_all());
  EXPECT_FALSE(Watch("/proc", {"sys/kernel/hostname", "nowhere/else"}).hears_all());
  EXPECT_TRUE(Watch("/proc", {"nowhere/else"}).hears_all());
}

TEST(Watch, a_file_written_over_with_the_same_size_and_time_is_seen) {
  const test::Scratch root;
  root.write("var/lib/dpkg/status", "1.0");
  const auto path = root / "var/lib/dpkg/status";
  Watch watch(root.path(), inventory::inspected_files());
  watch.keep();
  struct stat before{};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  ::usleep(20'000);  // a tick of the file system's clock
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), "2.0", 3, 0), 3);
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::futimens(file.get(), times), 0);
  struct stat after{};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  ASSERT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_TRUE(watch.changed());
}

}  // namespace
}  // namespace tenken::agent
