#include "pipeline/collect.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "support/scratch.h"

namespace tenken::pipeline {
namespace {

namespace fs = std::filesystem;

// A variable of the environment, as it was at the end.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

class CollectTest : public ::testing::Test {
 protected:
  // What the ssh client of this test does.
  void client(std::string_view script) const {
    scratch_.write("bin/ssh", script);
    fs::permissions(scratch_ / "bin/ssh", fs::perms::owner_all);
  }
  bool is_empty() const { return fs::is_empty(scratch_ / "copies"); }

  test::Scratch scratch_;
  Variable path_{"PATH", scratch_ / "bin" + ":/usr/bin:/bin"};
  Variable copies_{"TMPDIR", scratch_ / "copies"};
  bool made_ = fs::create_directory(scratch_ / "copies");
};

TEST_F(CollectTest, the_answer_is_gone_once_the_copy_is_there) {
  client("#!/bin/sh\nexec /bin/sh -s\n");
  {
    const auto collected = Collected::over_ssh({.host = "web-1"});
    ASSERT_TRUE(collected) << collected.error().what;
    const fs::path root = collected->copy().directory;
    EXPECT_TRUE(fs::exists(root));
    EXPECT_FALSE(fs::exists(root.parent_path() / "answer"));
  }
  EXPECT_TRUE(is_empty());
}

TEST_F(CollectTest, files_that_changed_while_they_were_read_are_asked_for_once_more) {
  client(
      fmt::format("#!/bin/sh\necho asked >>{0}\n[ -e {1} ] && line=changed || line='denied x'\n"
                  "rm -f {1}\n"
                  "printf 'tenken-copy 1\\nname web-1\\nkernel 6.1\\n%s\\nend\\n' \"$line\"\n",
                  scratch_ / "asked", scratch_ / "changes"));
  scratch_.write("changes", "");
  const auto collected = Collected::over_ssh({.host = "web-1"});
  ASSERT_TRUE(collected) << collected.error().what;
  EXPECT_EQ(collected->copy().skips.size(), 1U);
  EXPECT_EQ(read_file(scratch_ / "asked", 100).value_or(""), "asked\nasked\n");
}

TEST_F(CollectTest, files_that_change_each_time_are_an_error) {
  client(fmt::format("#!/bin/sh\necho asked >>{}\nprintf 'tenken-copy 1\\nchanged\\nend\\n'\n",
                     scratch_ / "asked"));
  const auto collected = Collected::over_ssh({.host = "web-1"});
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().what, "web-1: its files changed while they were read");
  EXPECT_EQ(read_file(scratch_ / "asked", 100).value_or(""), "asked\nasked\n");
  EXPECT_TRUE(is_empty());
}

TEST_F(CollectTest, a_host_that_sends_without_end_is_cut_off) {
  client("#!/bin/sh\nexec cat /dev/zero\n");
  const auto collected = Collected::over_ssh({.host = "web-1"});
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().code, Errc::limit);
  EXPECT_TRUE(collected.error().what.contains("more than 268435456 bytes"));
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace tenken::pipeline
