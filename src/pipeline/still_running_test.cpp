// How long a package that was replaced counts as running where reports know less than one before.
#include "pipeline/evaluate_fixture.h"

namespace tenken::pipeline {
namespace {

class StillRunningTest : public EvaluateTest {
 protected:
  using Lines = std::vector<std::string>;

  static HostFacts facts(bool mapped) {
    HostFacts out{.kernel = "6.1"};
    if (mapped) out.outdated = {{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"}};
    return out;
  }
  // An agent sees libssl3 replaced, with a process on what it was.
  void replace() {
    report_debian("web-1", {{"libssl3", "1.0"}}, facts(false));
    report_debian("web-1", {{"libssl3", "2.0"}}, facts(true));
    ASSERT_EQ(running("web-1"), still_);
  }
  bool confirm() {
    const auto confirmed = ingest_->confirm({.account = std::string(account),
                                             .external_id = "web-1",
                                             .digest = fmt::format("d{}", reports_),
                                             .received = clock_});
    EXPECT_TRUE(confirmed) << confirmed.error().what;
    return confirmed.value_or(false);
  }
  // No package database was read but vim's.
  void report_partly(const HostFacts& seen) {
    Inventory inventory{.databases_read = 1};
    inventory.packages.push_back(
        {.ecosystem = "Debian", .release = "12", .kind = "deb", .name = "vim", .version = "1"});
    inventory.skips.push_back({.file = "var/lib/dpkg/status", .reason = "unreadable"});
    put("web-1", std::move(inventory), seen);
  }
  Lines installed() {
    auto connection = pool_->lease();
    Lines out;
    for (const auto& one :
         store::installed_versions(**connection, store::resource_id(account, "web-1"), {-1}, 100)
             .value())
      if (one.running.empty())
        out.push_back(fmt::format("{} {}", one.version.package.name, one.version.package.version));
    std::ranges::sort(out);
    return out;
  }

  const Lines still_{"libssl3 1.0 /usr/lib/libssl.so.3"};
};

TEST_P(StillRunningTest, what_could_not_be_read_before_is_no_version_that_runs) {
  Inventory unread{.databases_read = 1};
  unread.os.id = "debian";
  unread.skips.push_back({.file = "var/lib/dpkg/status",
                          .record = "libssl3",
                          .reason = "no version",
                          .package = "libssl3",
                          .package_kind = "deb"});
  put("web-1", std::move(unread), facts(false));
  report_debian("web-1", {{"libssl3", "2.0"}}, facts(true));
  EXPECT_TRUE(running("web-1").empty());
}

TEST_P(StillRunningTest, reports_that_do_not_know_keep_it_for_seven_days) {
  replace();
  clock_ += 6 * day;
  report_debian("web-1", {{"libssl3", "2.0"}});
  EXPECT_EQ(running("web-1"), still_);
  clock_ += 2 * day;
  report_debian("web-1", {{"libssl3", "2.0"}, {"vim", "1"}});
  EXPECT_TRUE(running("web-1").empty());
}

TEST_P(StillRunningTest, an_unchanged_host_is_asked_again_after_seven_days) {
  replace();
  clock_ += day;
  report_debian("web-1", {{"libssl3", "2.0"}});
  clock_ += 5 * day;
  EXPECT_TRUE(confirm());
  clock_ += 2 * day;
  EXPECT_FALSE(confirm());
  report_debian("web-1", {{"libssl3", "2.0"}});
  EXPECT_TRUE(running("web-1").empty());
  clock_ += 30 * day;
  EXPECT_TRUE(confirm()) << "nothing is left to forget";
}

TEST_P(StillRunningTest, what_an_agent_confirms_it_knows) {
  replace();
  for (int i = 0; i < 3; ++i) {
    clock_ += 5 * day;
    EXPECT_TRUE(confirm());
  }
  clock_ += day;
  report_debian("web-1", {{"libssl3", "2.0"}});
  EXPECT_EQ(running("web-1"), still_);
}

TEST_P(StillRunningTest, what_was_not_read_was_not_replaced) {
  report_debian("web-1", {{"libssl3", "1.0"}}, facts(false));
  report_partly(facts(true));
  EXPECT_EQ(installed(), (Lines{"libssl3 1.0", "vim 1"}));
  EXPECT_TRUE(running("web-1").empty());
}

TEST_P(StillRunningTest, a_process_that_has_ended_is_seen_without_the_package_database) {
  replace();
  report_partly(facts(true));
  EXPECT_EQ(running("web-1"), still_);
  report_partly(facts(false));
  EXPECT_TRUE(running("web-1").empty());
  EXPECT_EQ(installed(), (Lines{"libssl3 2.0", "vim 1"}));
}

// Which of them a process has, its file's name does not tell: none is said to be gone too early.
TEST_P(StillRunningTest, of_two_earlier_versions_both_count_until_none_runs) {
  replace();
  report_debian("web-1", {{"libssl3", "3.0"}}, facts(true));
  EXPECT_EQ(running("web-1"),
            (Lines{"libssl3 1.0 /usr/lib/libssl.so.3", "libssl3 2.0 /usr/lib/libssl.so.3"}));
  report_debian("web-1", {{"libssl3", "3.0"}, {"vim", "1"}}, facts(false));
  EXPECT_TRUE(running("web-1").empty());
}

INSTANTIATE_TEST_SUITE_P(BothEngines, StillRunningTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::pipeline
