// What is on its way to the server: spool, reporter, state.
#include "agent/reporter.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/files.h"
#include "host/report.h"
#include "support/scratch.h"

namespace tenken::agent {
namespace {

using Lines = std::vector<std::string>;

class ReporterTest : public ::testing::Test {
 protected:
  State open_state() {
    auto state = State::open(directory_ / "state");
    EXPECT_TRUE(state) << state.error().what;
    return *std::move(state);
  }
  static Reporter open_reporter(const State& state) {
    auto reporter = Reporter::open(state);
    EXPECT_TRUE(reporter) << reporter.error().what;
    return *std::move(reporter);
  }
  static bool note(Reporter& reporter, const Lines& lines) {
    const auto noted = reporter.note(lines);
    EXPECT_TRUE(noted) << noted.error().what;
    return noted.value_or(false);
  }

  test::Scratch directory_;
};

TEST_F(ReporterTest, the_first_report_is_the_whole_and_the_next_a_difference) {
  const auto state = open_state();
  auto reporter = open_reporter(state);
  const Lines first{R"({"k":"a"})", R"({"k":"b"})"};
  const Lines second{R"({"k":"b"})", R"({"k":"c"})"};
  EXPECT_TRUE(note(reporter, first));
  EXPECT_FALSE(note(reporter, first));
  EXPECT_TRUE(note(reporter, second));
  auto report = reporter.next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, 1u);
  EXPECT_EQ(report->base, "");
  EXPECT_EQ(report->digest, host::report_digest(first));
  EXPECT_EQ(report->body, "+{\"k\":\"a\"}\n+{\"k\":\"b\"}\n");
  reporter.acknowledged(1);
  report = reporter.next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, 2u);
  EXPECT_EQ(report->base, host::report_digest(first));
  EXPECT_EQ(report->digest, host::report_digest(second));
  EXPECT_EQ(report->body, "-" + host::line_name(first[0]) + "\n+{\"k\":\"c\"}\n");
  reporter.acknowledged(2);
  EXPECT_FALSE(reporter.next());
}

TEST_F(ReporterTest, what_was_not_acknowledged_is_there_after_a_restart) {
  const Lines first{"{}"};
  const Lines second{R"({"k":"x"})"};
  {
    const auto state = open_state();
    auto reporter = open_reporter(state);
    note(reporter, first);
    note(reporter, second);
    reporter.acknowledged(1);
  }
  const auto state = open_state();
  auto reporter = open_reporter(state);
  ASSERT_TRUE(reporter.next());
  EXPECT_EQ(reporter.next()->sequence, 2u);
  EXPECT_EQ(reporter.digest(), host::report_digest(second));
  EXPECT_FALSE(note(reporter, second));
  note(reporter, first);
  reporter.acknowledged(2);
  EXPECT_EQ(reporter.next()->sequence, 3u);
  EXPECT_EQ(reporter.next()->base, host::report_digest(second));
}

TEST_F(ReporterTest, a_server_that_knows_less_gets_the_whole_behind_what_it_has) {
  const auto state = open_state();
  auto reporter = open_reporter(state);
  const Lines lines{"{}"};
  note(reporter, {R"({"k":"old"})"});
  note(reporter, lines);
  ASSERT_TRUE(reporter.send_whole(41));
  const auto report = reporter.next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, 42u);
  EXPECT_EQ(report->base, "");
  EXPECT_EQ(report->body, "+{}\n");
  reporter.acknowledged(42);
  EXPECT_FALSE(reporter.next());
}

TEST_F(ReporterTest, asked_to_begin_anew_the_same_host_is_reported_whole) {
  const auto state = open_state();
  auto reporter = open_reporter(state);
  note(reporter, {"{}"});
  reporter.acknowledged(1);
  reporter.begin_anew();
  EXPECT_TRUE(note(reporter, {"{}"}));
  ASSERT_TRUE(reporter.next());
  EXPECT_EQ(reporter.next()->sequence, 2u);
  EXPECT_EQ(reporter.next()->base, "");
}

TEST_F(ReporterTest, a_damaged_state_costs_a_whole_report_and_nothing_else) {
  {
    const auto state = open_state();
    auto reporter = open_reporter(state);
    note(reporter, {"{}"});
  }
  directory_.write("state/report", "nonsense");
  directory_.write("state/spool/00000000000000000001", "cut off");
  directory_.write("state/spool/no-report", "x");
  const auto state = open_state();
  auto reporter = open_reporter(state);
  EXPECT_FALSE(reporter.next());
  EXPECT_TRUE(note(reporter, {"{}"}));
  ASSERT_TRUE(reporter.next());
  EXPECT_EQ(reporter.next()->sequence, 2u);
  EXPECT_EQ(reporter.next()->base, "");
  EXPECT_EQ(names_in(state.path("spool"))->size(), 1u);
}

// A full disk takes no report, and the number of the one that went from memory all the same.
TEST_F(ReporterTest, no_number_is_used_twice) {
  const auto state = open_state();
  const auto next = [&] {
    auto reporter = open_reporter(state);
    note(reporter, {fmt::format(R"({{"k":"{}"}})", reporter.sequence())});
    return reporter.sequence();
  };
  EXPECT_EQ(next(), 1u);
  ASSERT_TRUE(state.put_sequence(5));
  EXPECT_EQ(next(), 6u);
  EXPECT_EQ(state.last_sequence(), 6u);
  directory_.write("state/sequence", "nonsense");
  EXPECT_EQ(next(), 7u);
  EXPECT_EQ(state.last_sequence(), 7u);
}

TEST_F(ReporterTest, a_report_too_large_for_the_spool_waits_in_memory_and_is_told) {
  const auto state = open_state();
  auto reporter = open_reporter(state);
  const auto told = reporter.note({std::string((std::size_t{64} << 20) + 1, 'x')});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Errc::limit);
  EXPECT_TRUE(reporter.is_waiting());
  ASSERT_TRUE(reporter.next());
  EXPECT_EQ(reporter.next()->body.size(), (std::size_t{64} << 20) + 3);
}

TEST_F(ReporterTest, beyond_its_size_the_spool_is_dropped_for_a_whole_report) {
  const auto spool = Spool::open(directory_ / "spool", 300);
  ASSERT_TRUE(spool);
  auto full = *spool;
  const std::string digest(64, 'a');
  SpooledReport report{.sequence = 1, .base = {}, .digest = digest, .body = std::string(150, '+')};
  EXPECT_TRUE(full.put(report));
  report.sequence = 2;
  const auto refused = full.put(report);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::limit);
  EXPECT_EQ(full.last_sequence(), 1u);
  full.clear();
  EXPECT_TRUE(full.put(report));
  EXPECT_EQ(full.oldest()->sequence, 2u);
}

TEST_F(ReporterTest, on_a_full_disk_the_whole_waits_in_memory) {
  const auto state = open_state();
  auto reporter = open_reporter(state);
  note(reporter, {"{}"});
  // Files of the state cannot be written any more.
  ASSERT_EQ(::rename((directory_ / "state").c_str(), (directory_ / "gone").c_str()), 0);
  const auto noted = reporter.note({R"({"k":"x"})"});
  EXPECT_FALSE(noted);
  ASSERT_TRUE(reporter.next());
  EXPECT_EQ(reporter.next()->base, "");
  EXPECT_EQ(reporter.next()->body, "+{\"k\":\"x\"}\n");
  const auto sequence = reporter.next()->sequence;
  ASSERT_EQ(::rename((directory_ / "gone").c_str(), (directory_ / "state").c_str()), 0);
  reporter.acknowledged(sequence);
  EXPECT_FALSE(reporter.next());
}

TEST_F(ReporterTest, asked_for_the_whole_what_only_memory_holds_is_sent) {
  const auto state = open_state();
  auto reporter = open_reporter(state);
  note(reporter, {"{}"});
  ASSERT_EQ(::rename((directory_ / "state").c_str(), (directory_ / "gone").c_str()), 0);
  const Lines newest{R"({"k":"x"})"};
  EXPECT_FALSE(reporter.note(newest));
  // The disk has room again; what is on it is older.
  ASSERT_EQ(::rename((directory_ / "gone").c_str(), (directory_ / "state").c_str()), 0);
  ASSERT_TRUE(reporter.send_whole(41));
  const auto report = reporter.next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sequence, 42u);
  EXPECT_EQ(report->digest, host::report_digest(newest));
  EXPECT_EQ(report->body, "+{\"k\":\"x\"}\n");
  EXPECT_EQ(reporter.digest(), host::report_digest(newest));
  EXPECT_FALSE(note(reporter, newest));
}

TEST_F(ReporterTest, a_log_stays_small_and_keeps_what_was_before) {
  const auto path = directory_ / "log";
  const Fd errors(::dup(STDERR_FILENO));
  const std::string line(1'000, 'x');
  for (std::size_t written = 0; written < 3 * largest_log; written += line.size()) {
    ASSERT_TRUE(log_into(path));
    ASSERT_TRUE(write_fd(STDERR_FILENO, line, "log"));
  }
  ::dup2(errors.get(), STDERR_FILENO);
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_LE(static_cast<std::size_t>(facts.st_size), largest_log + line.size());
  EXPECT_EQ(facts.st_mode & 0777U, 0600u);
  ASSERT_EQ(::stat((path + ".1").c_str(), &facts), 0);
  EXPECT_GT(static_cast<std::size_t>(facts.st_size), largest_log);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::symlink("elsewhere", path.c_str()), 0);
  EXPECT_FALSE(log_into(path)) << "a link is not followed";
}

TEST_F(ReporterTest, one_agent_has_the_state) {
  const auto state = open_state();
  const auto second = State::open(directory_ / "state");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
}

TEST_F(ReporterTest, the_state_is_for_its_user_alone) {
  const auto state = open_state();
  ASSERT_TRUE(state.enter({.server = "https://a:1",
                           .proxy = {},
                           .agent_id = "id",
                           .resource_id = "mi-1",
                           .command_key = "key"},
                          "CA", "CERTIFICATE", "KEY"));
  struct stat facts{};
  for (const auto* file : {"agent.pem", "agent.conf"}) {
    ASSERT_EQ(::stat(state.path(file).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600u) << file;
  }
  ASSERT_EQ(::stat(state.directory().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700u);
  const auto membership = state.membership();
  ASSERT_TRUE(membership) << membership.error().what;
  EXPECT_EQ(membership->server, "https://a:1");
  EXPECT_EQ(membership->resource_id, "mi-1");
}

TEST_F(ReporterTest, without_enrolment_it_says_what_to_do) {
  const auto state = open_state();
  const auto membership = state.membership();
  ASSERT_FALSE(membership);
  EXPECT_NE(membership.error().what.find("tenken-agent enrol"), std::string::npos);
  EXPECT_EQ(*state.identity(), *state.identity());
}

}  // namespace
}  // namespace tenken::agent
