#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/audit.h"
#include "access/master_key.h"
#include "access/schema.h"
#include "base/file.h"
#include "serve/backup.h"
#include "serve/child_process.h"
#include "serve/feed_schedule.h"
#include "serve/housekeeper.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/store_lock.h"
#include "store/schema.h"
#include "support/scratch.h"

namespace tenken::serve {
namespace {

using Names = std::vector<std::string>;

constexpr Seconds now = 1'800'000'000;
constexpr Seconds hour = 3'600;

store::FeedState state(std::string feed, Seconds attempted, Seconds succeeded,
                       std::string error = {}) {
  return {.feed = std::move(feed),
          .interval = 6 * hour,
          .attempted = attempted,
          .succeeded = succeeded,
          .last_error = std::move(error)};
}

TEST(FeedScheduleTest, a_feed_is_due_when_its_interval_is_over_or_it_was_never_tried) {
  EXPECT_EQ(due_feeds({state("a", now - 6 * hour, now - 6 * hour), state("b", 0, 0),
                       state("c", now - hour, now - hour)},
                      now),
            (Names{"a", "b"}));
}

TEST(FeedScheduleTest, a_failing_feed_is_tried_with_every_other_and_alone_after_a_while) {
  const auto failing = state("a", now - 600, now - 2 * hour, "gone");
  EXPECT_EQ(due_feeds({failing, state("b", now - hour, now - hour)}, now), Names{});
  EXPECT_EQ(due_feeds({failing, state("b", 0, 0)}, now), (Names{"a", "b"}));
  EXPECT_EQ(due_feeds({state("a", now - 900, now - 1'800, "gone")}, now), Names{"a"});
}

TEST(FeedScheduleTest, a_feed_that_has_failed_for_long_waits_its_interval_at_most) {
  EXPECT_EQ(due_feeds({state("a", now - 5 * hour, 0, "gone")}, now), Names{});
  EXPECT_EQ(due_feeds({state("a", now - 6 * hour, 0, "gone")}, now), Names{"a"});
}

TEST(FeedScheduleTest, a_clock_that_was_set_back_does_not_stop_it) {
  EXPECT_EQ(due_feeds({state("a", now + 100 * hour, now + 100 * hour)}, now), Names{"a"});
}

TEST(FeedScheduleTest, the_building_step_is_no_feed) {
  EXPECT_EQ(due_feeds({state(std::string(store::build_step), 0, 0, "x")}, now), Names{});
}

TEST(FeedScheduleTest, an_answer_becomes_states) {
  const auto states =
      states_after({state("a", 0, 0), state("b", 0, now - hour), state("(build)", 0, 0)},
                   R"({"feeds":[{"feed":"a","fetched":3,"unchanged":4,"failed":0},)"
                   R"({"feed":"b","fetched":0,"unchanged":0,"failed":2,"error":"status 500"}],)"
                   R"("error":"disk full"})",
                   now);
  ASSERT_TRUE(states) << states.error().what;
  EXPECT_EQ((*states)[0].fetched, 3);
  EXPECT_EQ((*states)[0].succeeded, now);
  EXPECT_EQ((*states)[0].last_error, "");
  EXPECT_EQ((*states)[1].attempted, now);
  EXPECT_EQ((*states)[1].succeeded, now - hour);
  EXPECT_EQ((*states)[1].last_error, "status 500");
  EXPECT_EQ((*states)[2].last_error, "disk full");
  EXPECT_FALSE(states_after({}, "tenken: killed", now));
  EXPECT_FALSE(states_after({}, "{}", now));
}

TEST(FeedScheduleTest, what_arrived_and_cannot_be_read_is_a_failure) {
  const auto states = states_after(
      {state("a", 0, now - hour), state("b", 0, now - hour), state("(build)", 0, 0)},
      R"({"feeds":[{"feed":"a","fetched":3,"failed":0},{"feed":"b","fetched":1,"failed":0}],)"
      R"("faults":[{"feed":"a","path":"x","error":"x: corrupt"},{"feed":"a","error":"y: corrupt"}]})",
      now);
  ASSERT_TRUE(states) << states.error().what;
  EXPECT_EQ((*states)[0].failed, 2);
  EXPECT_EQ((*states)[0].last_error, "x: corrupt");
  EXPECT_EQ((*states)[0].succeeded, now - hour);
  EXPECT_EQ((*states)[1].last_error, "");
  EXPECT_EQ((*states)[2].last_error, "");
}

TEST(FeedScheduleTest, a_build_from_a_directory_says_which_feeds_fail) {
  std::vector<store::FeedState> all{state("a", 0, 0), state("b", 1, 0, "before"), state("c", 0, 0),
                                    state("(build)", 0, 0)};
  all[0].documents = all[1].documents = 7;
  const auto states = states_after_build(
      all, true, R"({"generation":"g","faults":[{"feed":"a","error":"all.zip: corrupt"}]})", now);
  ASSERT_EQ(states.size(), 3U) << "nothing lies there of c";
  EXPECT_EQ(states[0].last_error, "all.zip: corrupt");
  EXPECT_EQ(states[0].failed, 1);
  EXPECT_EQ(states[0].succeeded, 0);
  EXPECT_EQ(states[1].last_error, "");
  EXPECT_EQ(states[2].succeeded, now);
  const auto failed = states_after_build(states, false, R"({"error":"disk full"})", now + 1);
  EXPECT_EQ(failed[0].last_error, "all.zip: corrupt");
  EXPECT_NE(failed[2].last_error.find("disk full"), std::string::npos);
}

TEST(FeedScheduleTest, files_that_changed_are_built_once_they_rest) {
  BuildTurns turns("built before");
  EXPECT_FALSE(turns.is_due("built before", now));
  EXPECT_FALSE(turns.is_due("built before", now + 5));
  EXPECT_FALSE(turns.is_due("half", now + 10));
  EXPECT_FALSE(turns.is_due("whole", now + 15));
  EXPECT_TRUE(turns.is_due("whole", now + 20));
  turns.begin("whole", now + 20);
  turns.succeed();
  EXPECT_FALSE(turns.is_due("whole", now + hour));
}

TEST(FeedScheduleTest, a_build_that_failed_is_tried_again_after_a_while_or_another_change) {
  BuildTurns turns("");
  EXPECT_FALSE(turns.is_due("a", now));
  EXPECT_TRUE(turns.is_due("a", now));
  turns.begin("a", now);
  EXPECT_FALSE(turns.is_due("a", now + 899));
  EXPECT_TRUE(turns.is_due("a", now + 900));
  EXPECT_TRUE(turns.is_due("a", now - hour)) << "the clock was set back";
  turns.begin("a", now + 900);
  EXPECT_FALSE(turns.is_due("a", now + 1'000));
  EXPECT_FALSE(turns.is_due("b", now + 1'005));
  EXPECT_TRUE(turns.is_due("b", now + 1'010));
}

TEST(FeedScheduleTest, a_feed_whose_damaged_file_was_removed_no_longer_fails) {
  std::vector<store::FeedState> all{state("a", now - hour, 0, "corrupt"), state("b", 0, 0),
                                    state("(build)", 0, 0)};
  all[0].failed = 1;
  const auto states = states_after_build(all, true, R"({"generation":"g","faults":[]})", now);
  ASSERT_EQ(states.size(), 2U) << "nothing was ever said of b";
  EXPECT_EQ(states[0].feed, "a");
  EXPECT_EQ(states[0].failed, 0);
  EXPECT_EQ(states[0].last_error, "");
}

TEST(ChildProcessTest, output_and_code_come_back) {
  const auto answer = run_child({.words = {"/bin/sh", "-c", "echo $WORD; echo err >&2; exit 3"},
                                 .environment = {{"WORD", "x"}}},
                                [] { return false; });
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->code, 3);
  EXPECT_EQ(answer->output, "x\nerr\n");
}

TEST(ChildProcessTest, what_is_stopped_ends_at_once_with_its_children) {
  const auto began = std::chrono::steady_clock::now();
  const auto answer =
      run_child({.words = {"/bin/sh", "-c", "sleep 60 | sleep 60"}}, [] { return true; });
  EXPECT_FALSE(answer);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(ChildProcessTest, a_program_that_is_not_there_is_an_error) {
  EXPECT_FALSE(run_child({.words = {"/nonexistent"}}, [] { return false; }));
}

TEST(LogTest, lines_are_json_and_reach_the_file_before_the_end) {
  const test::Scratch scratch;
  {
    auto log = Log::open(scratch / "log");
    ASSERT_TRUE(log) << log.error().what;
    (*log)->note(Level::warning, "a \"b\"\n", {{"n", 7}, {"text", "\x1b[31m"}});
  }
  const auto text = read_file(scratch / "log", 10'000);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find(R"("level":"warning","message":"a \"b\"\n","n":7,"text":"\u001b[31m"})"),
            std::string::npos)
      << *text;
  EXPECT_TRUE(text->ends_with("}\n"));
}

TEST(LogTest, a_pipe_that_nobody_drains_costs_lines_and_no_time) {
  const test::Scratch scratch;
  const auto fifo = scratch / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  auto log = Log::open(fifo);
  ASSERT_TRUE(log);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 50'000; ++i) (*log)->note(Level::info, std::string(200, 'x'));
  EXPECT_GT((*log)->dropped(), 0U);
  log->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST(MetricsTest, requests_are_counted_by_operation_and_status) {
  RequestMetrics metrics;
  metrics.add("ListFindings", 200, 400);
  metrics.add("ListFindings", 200, 20'000'000);
  metrics.add("", 403, 1);
  Exposition out;
  metrics.write(out);
  const auto text = out.take();
  for (const auto* line :
       {"tenken_requests_total{operation=\"ListFindings\",status=\"200\"} 2\n",
        "tenken_requests_total{operation=\"\",status=\"403\"} 1\n",
        "tenken_request_seconds_bucket{operation=\"ListFindings\",le=\"0.0005\"} 1\n",
        "tenken_request_seconds_bucket{operation=\"ListFindings\",le=\"+Inf\"} 2\n",
        "tenken_request_seconds_count{operation=\"ListFindings\"} 2\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(MetricsTest, labels_are_escaped) {
  Exposition out;
  out.family("m", "gauge", "Help.");
  out.sample(1.5, {{"a", "x\"\\\ny"}});
  EXPECT_EQ(out.take(), "# HELP m Help.\n# TYPE m gauge\nm{a=\"x\\\"\\\\\\ny\"} 1.5\n");
}

TEST(HousekeeperTest, audit_events_end_when_their_time_has_passed) {
  const test::Scratch scratch;
  constexpr std::string_view account = "111122223333";
  sql::Pool pool({.sqlite_file = scratch / "tenken.sqlite"}, 4);
  auto connection = pool.lease();
  ASSERT_TRUE(connection);
  ASSERT_TRUE(access::migrate(**connection));
  ASSERT_TRUE(store::migrate(**connection));
  access::AuditLog audit;
  for (const Seconds age : {0, 8, 30})
    ASSERT_TRUE(
        audit.append(**connection,
                     {.time = now - age * 86'400, .account = std::string(account), .action = "x"}));
  const auto master = access::MasterKey::open_or_create(scratch / "secret.key");
  ASSERT_TRUE(master);
  access::KeyRing keys(pool, *master);
  pipeline::Ingest ingest(pool, [] {});
  const auto log = Log::open(scratch / "log");
  ASSERT_TRUE(log);
  const auto housekeeper = Housekeeper::start({.pool = &pool,
                                               .keys = &keys,
                                               .ingest = &ingest,
                                               .log = log->get(),
                                               .clock = [] { return now; },
                                               .data_directory = scratch.path(),
                                               .keep_audit = 9 * 86'400});
  std::optional<std::int64_t> left;
  for (int i = 0; i < 500 && left != 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    left = (*connection)->one_integer("SELECT COUNT(*) FROM audit_log").value_or(0);
  }
  EXPECT_EQ(left, 2);
}

TEST(StoreLockTest, only_one_holds_it) {
  const test::Scratch scratch;
  {
    const auto first = StoreLock::take(scratch.path());
    ASSERT_TRUE(first);
    EXPECT_EQ(StoreLock::take(scratch.path()).error().code, Errc::conflict);
  }
  EXPECT_TRUE(StoreLock::take(scratch.path()));
}

TEST(BackupTest, only_a_failure_makes_the_next_one_wait_and_never_longer_than_the_interval) {
  EXPECT_EQ(backup_pause(true, 60), 0);
  EXPECT_EQ(backup_pause(false, 60), 60);
  EXPECT_EQ(backup_pause(false, 24 * hour), 900);
}

TEST(BackupTest, names_carry_the_time_and_the_newest_are_kept) {
  const test::Scratch scratch;
  EXPECT_EQ(newest_backup(scratch.path()), 0);
  for (int i = 0; i < 4; ++i) scratch.write(backup_name(now + i * hour), "x");
  scratch.write("tenken-notes.txt", "x");
  EXPECT_EQ(newest_backup(scratch.path()), now + 3 * hour);
  remove_old_backups(scratch.path(), 2);
  EXPECT_FALSE(std::filesystem::exists(scratch / backup_name(now + hour)));
  EXPECT_TRUE(std::filesystem::exists(scratch / backup_name(now + 2 * hour)));
  EXPECT_TRUE(std::filesystem::exists(scratch / "tenken-notes.txt"));
}

}  // namespace
}  // namespace tenken::serve
