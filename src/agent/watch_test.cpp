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
#include "base/text.h"
#include "inventory/inspect.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

// A pattern names any file of its directory.
std::string one_of(std::string_view file) {
  return file.ends_with('*') ? fmt::format("{}0001", file.substr(0, file.size() - 1))
                             : std::string(file);
}

// A directory as a root, and what watches it.
struct Watched {
  explicit Watched(const std::string& path,
                   const std::vector<std::string_view>& files = inventory::inspected_files())
      : root(inventory::Root::at(path).value()), watch(path, root, files) {}
  inventory::Root root;
  Watch watch;
};

bool tells_of_changes(const std::string& path) {
  struct statfs facts{};
  return ::statfs(path.c_str(), &facts) == 0 &&
         (facts.f_type == EXT4_SUPER_MAGIC || facts.f_type == TMPFS_MAGIC);
}

// How many directories it watches.
std::size_t watched_by(const Watch& watch) {
  const auto facts = read_stream(
      Fd(::open(fmt::format("/proc/self/fdinfo/{}", watch.descriptor()).c_str(),
                O_RDONLY | O_CLOEXEC))
          .get(),
      "fdinfo", 1 << 20);
  std::size_t out = 0;
  for_each_line(facts.value_or(""),
                [&](std::string_view line) { out += line.starts_with("inotify ") ? 1 : 0; });
  return out;
}

TEST(Watch, every_file_that_an_inventory_is_taken_from_is_seen_to_change) {
  for (const auto pattern : inventory::inspected_files()) {
    const auto file = one_of(pattern);
    const test::Scratch root;
    Watched watched(root.path());
    auto& watch = watched.watch;
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
  if (!tells_of_changes(root.path()))
    GTEST_SKIP() << "the directory of tests is on another file system";
  root.write("var/lib/dpkg/status", "1.0");
  EXPECT_TRUE(Watched(root.path()).watch.hears_all());
  // What only the kernel writes, and of which it tells nothing.
  EXPECT_FALSE(Watched("/proc", {"sys/kernel/hostname"}).watch.hears_all());
  EXPECT_FALSE(Watched("/proc", {"sys/kernel/hostname", "nowhere/else"}).watch.hears_all());
  EXPECT_TRUE(Watched("/proc", {"nowhere/else"}).watch.hears_all());
}

TEST(Watch, a_file_written_over_with_the_same_size_and_time_is_seen) {
  const test::Scratch root;
  root.write("var/lib/dpkg/status", "1.0");
  const auto path = root / "var/lib/dpkg/status";
  Watched watched(root.path());
  auto& watch = watched.watch;
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

TEST(Watch, what_a_link_leads_to_within_the_root_is_watched) {
  for (const std::string_view target : {"../../../srv/dpkg/status", "/srv/dpkg/status"}) {
    const test::Scratch root;
    root.write("var/lib/dpkg/status", "");
    root.write("srv/dpkg/status", "1.0");
    std::filesystem::remove(root / "var/lib/dpkg/status");
    std::filesystem::create_symlink(target, root / "var/lib/dpkg/status");
    Watched watched(root.path());
    auto& watch = watched.watch;
    watch.keep();
    EXPECT_FALSE(watch.heard());
    root.write("srv/dpkg/status-new", "2.0.1");
    std::filesystem::rename(root / "srv/dpkg/status-new", root / "srv/dpkg/status");
    EXPECT_TRUE(watch.heard()) << target;
    EXPECT_TRUE(watch.changed()) << target;
    watch.keep();
    watch.heard();
    // Another target of the link is watched from then on.
    root.write("srv/other/status", "3.0");
    std::filesystem::remove(root / "var/lib/dpkg/status");
    std::filesystem::create_symlink("/srv/other/status", root / "var/lib/dpkg/status");
    EXPECT_TRUE(watch.heard()) << target;
    EXPECT_TRUE(watch.changed()) << target;
    watch.keep();
    watch.heard();
    root.write("srv/other/status", "3.0.1");
    EXPECT_TRUE(watch.heard()) << target;
    EXPECT_TRUE(watch.changed()) << target;
  }
}

TEST(Watch, where_a_link_leads_no_more_is_not_watched_for_ever) {
  const test::Scratch root;
  root.write("var/lib/dpkg/other", "");
  const auto lead_to = [&](int number) {
    root.write(fmt::format("srv/{}/status", number), std::to_string(number));
    std::filesystem::remove(root / "var/lib/dpkg/status");
    std::filesystem::create_symlink(fmt::format("/srv/{}/status", number),
                                    root / "var/lib/dpkg/status");
  };
  lead_to(0);
  Watched watched(root.path());
  auto& watch = watched.watch;
  watch.keep();
  const auto at_first = watched_by(watch);
  EXPECT_GT(at_first, 0U);
  for (int number = 1; number < 20; ++number) {
    lead_to(number);
    watch.keep();
  }
  EXPECT_EQ(watched_by(watch), at_first);
  watch.heard();
  root.write("srv/19/status", "another");
  EXPECT_TRUE(watch.heard());
  root.write("srv/18/status", "another");
  EXPECT_FALSE(watch.heard());
}

TEST(Watch, a_linked_directory_is_the_one_of_the_root) {
  const test::Scratch root;
  root.write("srv/status.d/openssl", "1.0");
  root.write("var/lib/dpkg/status", "");
  std::filesystem::create_symlink("/srv/status.d", root / "var/lib/dpkg/status.d");
  Watched watched(root.path());
  auto& watch = watched.watch;
  watch.keep();
  watch.heard();
  root.write("srv/status.d/zlib", "1.0");
  EXPECT_TRUE(watch.heard());
  EXPECT_TRUE(watch.changed());
}

}  // namespace
}  // namespace tenken::agent
