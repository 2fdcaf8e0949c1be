// A newer program on trial: shell scripts that behave as one, well or not.
#include "agent/trial.h"

#include <array>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/files.h"
#include "base/file.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class TrialTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(orders_.data(), O_CLOEXEC), 0); }
  void TearDown() override {
    for (const int end : orders_) ::close(end);
  }

  // `body` runs with $tries, how often it was started, and $versions, the directory.
  void put(std::string_view body) {
    const auto path = versions_.place_for("0.2.0");
    ASSERT_TRUE(path.has_value());
    ASSERT_TRUE(write_file_atomic(*path,
                                  fmt::format("#!/bin/sh\nversions={0}/versions\n"
                                              "echo >>{0}/tries\ntries=$(wc -l <{0}/tries)\n{1}\n",
                                              directory_.path(), body),
                                  0700)
                    .has_value());
  }
  Trial trial(milliseconds limit) {
    std::array<char, 5> name{"test"};
    const std::array<char*, 2> arguments{name.data(), nullptr};
    return try_version(versions_, "0.2.0",
                       {.arguments = arguments.data(),
                        .orders = orders_[0],
                        .limit = limit,
                        .log = [](std::string_view) {}});
  }
  std::string why() const { return versions_.fault() ? versions_.fault()->why : ""; }
  std::size_t tries() const { return read_file(directory_ / "tries", 100).value().size(); }
  bool is_there() const { return ::access(versions_.program("0.2.0").c_str(), F_OK) == 0; }

  test::Scratch directory_;
  Versions versions_{directory_.path()};
  std::array<int, 2> orders_{};
};

constexpr std::string_view checks_in = "echo 0.2.0 >$versions/checked-in; exit 0";

TEST_F(TrialTest, a_moment_without_a_server_does_not_fail_it) {
  const auto until = directory_ / "server-is-back";
  put(fmt::format("[ -e {} ] && {{ {}; }}\nexit 6", until, checks_in));
  std::thread server([&] {
    std::this_thread::sleep_for(milliseconds(700));
    EXPECT_TRUE(write_file_atomic(until, "").has_value());
  });
  EXPECT_EQ(trial(milliseconds(3'000)), Trial::passed) << why();
  server.join();
  EXPECT_EQ(tries(), 2U);
}

TEST_F(TrialTest, three_ends_are_a_failure) {
  put("exit 5");
  EXPECT_EQ(trial(milliseconds(2'000)), Trial::failed);
  EXPECT_EQ(why(), "it ended with code 5");
  EXPECT_EQ(tries(), 3U);
  EXPECT_FALSE(is_there());
}

TEST_F(TrialTest, that_another_agent_uses_the_state_is_no_try) {
  put(fmt::format("[ $tries -gt 4 ] && {{ {}; }}\nexit {}", checks_in, exit_busy));
  EXPECT_EQ(trial(milliseconds(8'000)), Trial::passed) << why();
  EXPECT_EQ(tries(), 5U);
}

TEST_F(TrialTest, a_state_that_another_agent_uses_all_the_time_is_told) {
  put(fmt::format("exit {}", exit_busy));
  EXPECT_EQ(trial(milliseconds(1'000)), Trial::failed);
  EXPECT_EQ(why(),
            "it did not speak to the server within 1 s; when it was tried before, another "
            "tenken-agent used the state");
}

TEST_F(TrialTest, a_check_in_that_cannot_be_written_is_why_it_failed) {
  put("exit 5");
  // As on a full disk, for this file alone: a directory is in its place.
  ASSERT_TRUE(make_directory(directory_ / "versions/checked-in/x").has_value());
  EXPECT_EQ(trial(milliseconds(2'000)), Trial::failed);
  EXPECT_TRUE(why().starts_with("it ended with code 5; it cannot say that it did: ")) << why();
  EXPECT_TRUE(why().contains("versions/checked-in")) << why();
}

// Both while a try runs and between two.
TEST_F(TrialTest, one_that_is_interrupted_leaves_a_fault_and_no_program) {
  for (const auto* body : {"exec sleep 1000", "exit 6"}) {
    put(body);
    std::thread init([&] {
      std::this_thread::sleep_for(milliseconds(500));
      EXPECT_EQ(::write(orders_[1], "t", 1), 1);
    });
    const auto begin = Clock::now();
    EXPECT_EQ(trial(milliseconds(60'000)), Trial::ended);
    EXPECT_LT(Clock::now() - begin, milliseconds(5'000));
    init.join();
    EXPECT_EQ(why(), interruption);
    EXPECT_FALSE(is_there());
    versions_.forget_fault();
  }
}

}  // namespace
}  // namespace tenken::agent
