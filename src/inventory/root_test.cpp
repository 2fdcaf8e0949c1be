#include "inventory/root.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "inventory/temp_root.h"

namespace tenken::inventory {
namespace {

using test::TempRoot;

std::string read(const TempRoot& temp, std::string_view path) {
  const auto root = Root::at(temp.path());
  if (!root) return "root: " + root.error().what;
  auto text = root->read(path, 1000);
  return text ? *text : std::string(name(text.error().code)) + ": " + text.error().what;
}

TEST(Root, ReadsAFileByItsPathInside) {
  TempRoot temp;
  temp.write("etc/os-release", "ID=x\n");
  EXPECT_EQ(read(temp, "etc/os-release"), "ID=x\n");
  EXPECT_EQ(read(temp, "/etc/../etc/./os-release"), "ID=x\n");
}

TEST(Root, AbsoluteLinksStartAtTheRoot) {
  TempRoot temp;
  temp.write("usr/lib/os-release", "inside");
  temp.link("etc/os-release", "/usr/lib/os-release");
  EXPECT_EQ(read(temp, "etc/os-release"), "inside");
}

TEST(Root, RelativeLinksOfDirectoriesAreFollowed) {
  TempRoot temp;
  temp.write("usr/lib/sysimage/rpm/Packages", "db");
  temp.link("var/lib/rpm", "../../usr/lib/sysimage/rpm");
  EXPECT_EQ(read(temp, "var/lib/rpm/Packages"), "db");
}

TEST(Root, NoLinkLeavesTheRoot) {
  TempRoot outside;
  outside.write("secret", "secret");
  TempRoot temp;
  temp.link("absolute", outside.at("secret"));
  temp.link("upwards", "../../../../../../../../.." + outside.at("secret"));
  temp.link("directory", "..");
  EXPECT_EQ(read(temp, "absolute"), "not_found: absolute: No such file or directory");
  EXPECT_EQ(read(temp, "upwards"), "not_found: upwards: No such file or directory");
  const auto root = Root::at(temp.path());
  ASSERT_TRUE(root);
  // ".." at the top is the root itself, as under chroot.
  EXPECT_EQ(root->list("directory").value(), root->list("").value());
  EXPECT_EQ(root->list("../..").value(), root->list("/").value());
}

TEST(Root, LinkLoopsEnd) {
  TempRoot temp;
  temp.link("a", "b");
  temp.link("b", "a");
  temp.link("deep", "deep/x");
  EXPECT_EQ(read(temp, "a"), "invalid: a: Too many levels of symbolic links");
  EXPECT_EQ(read(temp, "deep"), "invalid: deep: Too many levels of symbolic links");
}

TEST(Root, OnlyRegularFilesAreOpened) {
  TempRoot temp;
  temp.directory("directory");
  ASSERT_EQ(::mkfifo(temp.at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read(temp, "directory"), "invalid: directory: not a regular file");
  EXPECT_EQ(read(temp, "pipe"), "invalid: pipe: not a regular file");
  EXPECT_EQ(read(temp, ""), "invalid: : not a regular file");
}

TEST(Root, AFileIsNoDirectory) {
  TempRoot temp;
  temp.write("file", "x");
  EXPECT_EQ(read(temp, "file/x"), "not_found: file/x: Not a directory");
  EXPECT_EQ(read(temp, "file/.."), "not_found: file/..: Not a directory");
}

TEST(Root, ALargeFileIsALimit) {
  TempRoot temp;
  temp.write("big", std::string(1001, 'x'));
  EXPECT_EQ(read(temp, "big"), "limit: big: 1001 bytes, at most 1000 are read");
}

TEST(Root, AWayNamesTheDirectoriesOfItsLinksAndItsEnd) {
  TempRoot temp;
  temp.write("srv/dpkg/v1/status", "four");
  temp.link("srv/dpkg/now", "v1/status");
  temp.link("data", "/srv");
  temp.link("var/lib/dpkg/status", "/data/dpkg/now");
  const auto root = Root::at(temp.path()).value();
  const auto way = root.way("var/lib/dpkg/status");
  EXPECT_EQ(way.directories,
            (std::vector<std::string>{"var/lib/dpkg", "", "srv/dpkg", "srv/dpkg/v1"}));
  ASSERT_TRUE(way.end) << way.end.error().what;
  EXPECT_EQ(way.end->st_size, 4);
  const auto to_come = root.way("srv/dpkg/v2");
  EXPECT_EQ(to_come.directories, (std::vector<std::string>{"srv/dpkg"}));
  EXPECT_EQ(to_come.end.error().code, Errc::not_found);
  EXPECT_TRUE(root.way("nowhere/else").directories.empty());
}

TEST(Root, ListsNamesInOrder) {
  TempRoot temp;
  temp.write("d/b", "");
  temp.write("d/a", "");
  const auto root = Root::at(temp.path());
  ASSERT_TRUE(root);
  EXPECT_EQ(root->list("d").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root->list("none").error().code, Errc::not_found);
}

TEST(Root, ADirectoryThatIsNoneIsAnError) {
  TempRoot temp;
  temp.write("file", "x");
  EXPECT_EQ(Root::at(temp.at("none")).error().code, Errc::not_found);
  const auto file = Root::at(temp.at("file"));
  EXPECT_EQ(file.error().what, temp.at("file") + ": not a directory");
}

TEST(Root, NulBytesInPathsAreInvalid) {
  TempRoot temp;
  temp.write("a", "x");
  EXPECT_EQ(read(temp, std::string_view("a\0b", 3)), "invalid: a path with a NUL byte");
}

}  // namespace
}  // namespace tenken::inventory
