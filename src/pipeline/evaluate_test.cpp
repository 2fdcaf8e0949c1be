#include "pipeline/evaluate_fixture.h"

namespace tenken::pipeline {
namespace {

TEST_P(EvaluateTest, an_inventory_becomes_findings) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.6"}, {"c", "1"}});
  report("web-2", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  EXPECT_EQ(findings(),
            (Lines{"web-1 PYSEC-1 ACTIVE", "web-2 PYSEC-1 ACTIVE", "web-2 PYSEC-2 ACTIVE"}));
  EXPECT_EQ(history("web-1", "PYSEC-1"), (Lines{"1 inventory d1"}));
}

TEST_P(EvaluateTest, the_same_again_changes_nothing) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  clock_ += 60;
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
  EXPECT_EQ(history("web-1", "PYSEC-1").size(), 1U);
}

TEST_P(EvaluateTest, an_upgrade_closes_and_a_downgrade_within_seven_days_opens_again) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  clock_ += day;
  report("web-1", {{"a", "2.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED"}));
  clock_ += 6 * day;
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
  EXPECT_EQ(history("web-1", "PYSEC-1"),
            (Lines{"1 inventory d1", "3 inventory d2", "1 inventory d3"}));
}

TEST_P(EvaluateTest, history_is_in_the_order_in_which_it_happened_whatever_clocks_say) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  clock_ += 600;  // that of a node which is ahead
  report("web-1", {{"a", "2.0"}});
  work();
  clock_ -= 500;
  report("web-1", {{"a", "1.0"}});
  work();
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(
        retire(**connection, store::resource_id(account, "web-1"), "retired", clock_ - 50));
  }
  EXPECT_EQ(history("web-1", "PYSEC-1"),
            (Lines{"1 inventory d1", "3 inventory d2", "1 inventory d3", "3 retired"}));
}

TEST_P(EvaluateTest, a_recurrence_after_seven_days_is_another_finding) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  clock_ += day;
  report("web-1", {{"a", "2.0"}});
  work();
  clock_ += 8 * day;
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-1 ACTIVE"}));
}

TEST_P(EvaluateTest, by_a_clock_that_is_behind_one_vulnerability_is_one_open_finding) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  const Lines one_open = {"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-1 ACTIVE"};
  report("web-1", {{"a", "1.0"}});
  work();
  report("web-1", {{"a", "2.0"}});
  work();
  clock_ += 7 * day + 50;
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), one_open);
  clock_ -= 90;  // the first was closed less than seven days ago
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  EXPECT_EQ(findings(), one_open);
  report("web-1", {{"a", "2.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-1 CLOSED"}));
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), one_open);
}

TEST_P(EvaluateTest, a_new_advisory_finds_what_is_installed_everywhere) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  for (int i = 0; i < 20; ++i) report(fmt::format("web-{:02}", i), {{"a", "2.0"}, {"b", "1.0"}});
  work();
  EXPECT_TRUE(findings().empty());
  const auto before = current_->generation();
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  work();
  EXPECT_EQ(findings().size(), 20U);
  EXPECT_EQ(history("web-07", "PYSEC-2"),
            (Lines{fmt::format("1 advisories {}", current_->generation())}));
}

TEST_P(EvaluateTest, an_advisory_that_is_gone_closes) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  use({{"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
}

TEST_P(EvaluateTest, without_the_old_generation_everything_is_looked_at_again) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  generations_.clear();
  use({{"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
}

TEST_P(EvaluateTest, a_generation_without_the_ecosystem_closes_nothing) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  auto other = advisory("GO-1", "example.org/x", "2.0");
  other.replace(other.find("PyPI"), 4, "Go");
  use({{"GO-1", other}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
  // Nor does a version that nothing can be said of.
  clock_ += 60;
  report("web-1", {{"a", "3.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
}

std::string stray(std::string_view id, std::string_view package) {
  auto out = advisory(id, package, "2.0");
  return out.replace(out.find("PyPI"), 4, "Debian:12");
}

HostFacts facts_with(std::vector<OutdatedProgram> outdated) {
  HostFacts facts{.kernel = "6.1"};
  facts.outdated = std::move(outdated);
  return facts;
}

TEST_P(EvaluateTest, what_was_replaced_and_still_runs_keeps_its_findings) {
  use({{"CVE-2024-1", stray("CVE-2024-1", "libssl3")}, {"CVE-2024-2", stray("CVE-2024-2", "vim")}});
  report_debian("web-1", {{"libssl3", "1.0"}, {"vim", "1.0"}}, facts_with({}));
  work();
  const auto mapped = facts_with({{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"},
                                  {"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 9, "libssl3"},
                                  {"/usr/sbin/nginx", "/opt/own.so", 9, ""}});
  report_debian("web-1", {{"libssl3", "2.0"}, {"vim", "2.0"}}, mapped);
  work();
  const Lines kept{"web-1 CVE-2024-1 ACTIVE", "web-1 CVE-2024-2 CLOSED"};
  EXPECT_EQ(findings(), kept);
  EXPECT_EQ(running("web-1"), Lines{"libssl3 1.0 /usr/lib/libssl.so.3"});
  EXPECT_EQ(history("web-1", "CVE-2024-1"), Lines{"1 inventory d1"});
  // What is put again, sees no processes, or not all of them, does not know better.
  report_debian("web-1", {{"libssl3", "2.0"}, {"vim", "2.0"}}, mapped);
  report_debian("web-1", {{"libssl3", "2.0"}});
  auto partly = facts_with({});
  partly.skips = host::look_at_processes({}, {.proc = scratch_ / "no proc"}).skips;
  report_debian("web-1", {{"libssl3", "2.0"}}, partly);
  work();
  EXPECT_EQ(findings(), kept);
  EXPECT_EQ(running("web-1"), Lines{"libssl3 1.0 /usr/lib/libssl.so.3"});
  report_debian("web-1", {{"libssl3", "2.0"}}, facts_with({}));
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 CLOSED", "web-1 CVE-2024-2 CLOSED"}));
  EXPECT_EQ(history("web-1", "CVE-2024-1"), (Lines{"1 inventory d1", "3 inventory d6"}));
  EXPECT_TRUE(running("web-1").empty());
}

TEST_P(EvaluateTest, who_never_sees_all_processes_closes_nothing_by_not_seeing_them) {
  use({{"CVE-2024-1", stray("CVE-2024-1", "libssl3")}});
  const auto unseen = host::look_at_processes({}, {.proc = scratch_ / "no proc"}).skips;
  const auto partly = [&](std::vector<OutdatedProgram> outdated) {
    auto facts = facts_with(std::move(outdated));
    facts.skips = unseen;
    return facts;
  };
  report_debian("web-1", {{"libssl3", "1.0"}}, partly({}));
  report_debian("web-1", {{"libssl3", "2.0"}},
                partly({{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"}}));
  report_debian("web-1", {{"libssl3", "2.0"}}, partly({}));
  work();
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 ACTIVE"});
  report_debian("web-1", {{"libssl3", "2.0"}}, facts_with({}));
  work();
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 CLOSED"});
}

TEST_P(EvaluateTest, what_is_not_named_again_is_forgotten_while_another_is_named) {
  use({{"CVE-2024-1", stray("CVE-2024-1", "libssl3")}});
  const auto unseen = host::look_at_processes({}, {.proc = scratch_ / "no proc"}).skips;
  const auto partly = [&](std::vector<OutdatedProgram> outdated) {
    auto facts = facts_with(std::move(outdated));
    facts.skips = unseen;
    report_debian("web-1", {{"libssl3", "2.0"}, {"libc6", fmt::format("2.{}", reports_)}}, facts);
    work();
  };
  const OutdatedProgram nginx{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"};
  const OutdatedProgram cron{"/usr/sbin/cron", "/usr/lib/libc.so.6", 9, "libc6"};
  report_debian("web-1", {{"libssl3", "1.0"}, {"libc6", "1.0"}}, facts_with({}));
  partly({nginx, cron});
  for (int i = 0; i < 5; ++i) {
    clock_ += day;
    partly({cron});
    EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 ACTIVE"}) << "nobody knows better";
  }
  clock_ += 4 * day;
  partly({cron});
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 CLOSED"});
}

TEST_P(EvaluateTest, what_runs_alone_is_evaluated_and_is_not_installed) {
  use({{"CVE-2024-1", stray("CVE-2024-1", "other")}});
  const auto mapped = facts_with({{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 8, "libssl3"}});
  // Of what ran before the first report, nobody knows the version.
  report_debian("web-1", {{"libssl3", "1.5"}}, mapped);
  report_debian("web-1", {{"libssl3", "2.0"}}, mapped);
  work();
  EXPECT_EQ(running("web-1"), Lines{"libssl3 1.5 /usr/lib/libssl.so.3"});
  EXPECT_TRUE(findings().empty());
  use({{"CVE-2024-2", stray("CVE-2024-2", "libssl3")}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-2 ACTIVE"});
  {
    auto connection = pool_->lease();
    const auto resource = store::find_resource(**connection, account, "web-1").value().value();
    EXPECT_EQ(resource.packages, 1);
    EXPECT_EQ(inventory_of(**connection, resource)->packages.size(), 1U);
    EXPECT_EQ(store::count_resources_to_restart(**connection, account).value(), 1);
    EXPECT_EQ(store::count_resources_to_restart(**connection, "444455556666").value(), 0);
    // Processes end with their host.
    ASSERT_TRUE(retire(**connection, resource.id, "retired", clock_));
  }
  EXPECT_TRUE(running("web-1").empty());
  // Installed anew it is installed, and runs.
  report_debian("web-1", {{"libssl3", "2.0"}}, mapped);
  report_debian("web-1", {{"libssl3", "1.5"}}, mapped);
  report_debian("web-1", {{"libssl3", "2.0"}}, mapped);
  report_debian("web-1", {{"libssl3", "1.5"}}, mapped);
  EXPECT_EQ(running("web-1"), Lines{"libssl3 2.0 /usr/lib/libssl.so.3"});
}

TEST_P(EvaluateTest, single_records_of_a_release_that_nothing_covers_open_and_close) {
  use({{"CVE-2024-1", stray("CVE-2024-1", "a")}, {"CVE-2024-2", stray("CVE-2024-2", "b")}});
  report_debian("web-1", {{"a", "1.0"}, {"b", "1.0"}, {"c", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 ACTIVE", "web-1 CVE-2024-2 ACTIVE"}));
  EXPECT_EQ(coverage("web-1"), "INACTIVE UNSUPPORTED_OS") << "of c nothing is known";
  // A record that is gone proves nothing, nor does an upgrade of what none names any more.
  use({{"CVE-2024-1", stray("CVE-2024-1", "a")}});
  report_debian("web-1", {{"a", "2.0"}, {"b", "2.0"}, {"c", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 CLOSED", "web-1 CVE-2024-2 ACTIVE"}));
  EXPECT_EQ(coverage("web-1"), "INACTIVE UNSUPPORTED_OS");
  report_debian("web-1", {{"a", "2.0"}, {"c", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 CLOSED", "web-1 CVE-2024-2 CLOSED"}));
}

TEST_P(EvaluateTest, a_distribution_that_cannot_be_told_closes_nothing) {
  use({{"CVE-2024-1", stray("CVE-2024-1", "a")}, {"CVE-2024-2", stray("CVE-2024-2", "b")}});
  report_debian("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  auto unknown = test::python_host({{"a", "2.0"}});
  unknown.packages[0].ecosystem.clear();
  unknown.packages[0].kind = "deb";
  put("web-1", unknown);
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 ACTIVE", "web-1 CVE-2024-2 CLOSED"}))
      << "b is gone, whatever distribution it is";
  auto without_release = unknown;
  without_release.packages[0].ecosystem = "Debian";
  without_release.os.id = "debian";
  without_release.skips = {{.file = "etc/os-release", .record = "line 2", .reason = "odd"}};
  put("web-1", without_release);
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 ACTIVE", "web-1 CVE-2024-2 CLOSED"}));
  report_debian("web-1", {{"a", "2.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 CVE-2024-1 CLOSED", "web-1 CVE-2024-2 CLOSED"}));
}

TEST_P(EvaluateTest, a_version_that_cannot_be_ordered_closes_nothing) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  report("web-1", {{"a", "no version"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
}

TEST_P(EvaluateTest, a_vendors_word_that_changes_changes_the_score) {
  const auto rated = [](std::string_view word) {
    return fmt::format(
        R"({{"id":"PYSEC-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2024-1"],)"
        R"("database_specific":{{"severity":"{}"}},"affected":[{{"package":{{"ecosystem":"PyPI",)"
        R"("name":"a"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}})",
        word);
  };
  const auto words = [this] {
    auto connection = pool_->lease();
    const auto rows = (*connection)->query("SELECT vendor_severity FROM finding");
    Lines out;
    for (const auto* row = *(*rows)->next(); row != nullptr; row = *(*rows)->next())
      out.push_back(row->string(0));
    return out;
  };
  use({{"PYSEC-1", rated("HIGH")}});
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(words(), Lines{"HIGH"});
  use({{"PYSEC-1", rated("LOW")}});
  work();
  EXPECT_EQ(words(), Lines{"LOW"});
}

TEST_P(EvaluateTest, vulnerabilities_are_settled_in_the_order_in_which_matching_asks_for_it) {
  use({{"PYSEC-9", advisory("PYSEC-9", "z", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::enqueue(**connection, "settle", "PYSEC-2", "", clock_ - 10));
  }
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 ACTIVE"}));
  auto connection = pool_->lease();
  EXPECT_EQ(
      (*connection)->one_text("SELECT vulnerability_id FROM finding ORDER BY transition").value(),
      "PYSEC-1");
}

TEST_P(EvaluateTest, a_finding_stays_open_while_one_of_its_packages_matches) {
  auto both = advisory("PYSEC-1", "a", "2.0");
  use({{"PYSEC-1", both}, {"PYSEC-3", advisory("PYSEC-3", "a", "3.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  report("web-1", {{"a", "2.5"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-3 ACTIVE"}));
}

TEST_P(EvaluateTest, a_host_that_its_tag_excludes_has_no_findings_until_it_is_gone) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  tags_ = {{"InspectorEc2Exclusion", ""}};
  report("web-1", {{"a", "1.0"}});
  report("web-2", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 CLOSED"});
  EXPECT_EQ(coverage("web-1"), "INACTIVE EXCLUDED_BY_TAG");
  EXPECT_EQ(coverage("web-2"), "INACTIVE EXCLUDED_BY_TAG");
  EXPECT_EQ(history("web-1", "PYSEC-1").back(), "3 the tag InspectorEc2Exclusion");
  // Nor does a new advisory open any.
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-3", advisory("PYSEC-3", "a", "3.0")}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 CLOSED"});
  tags_.clear();
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-3 ACTIVE"}));
  EXPECT_EQ(coverage("web-1"), "ACTIVE SUCCESSFUL");
}

// Tags may be written without an inventory, when an agent enrols again.
TEST_P(EvaluateTest, an_inventory_is_not_confirmed_where_the_tag_came_or_went_by_itself) {
  report("web-1", {{"a", "1.0"}});
  using Tags = std::vector<std::pair<std::string, std::string>>;
  const auto confirms_with = [&](const Tags& tags) {
    auto connection = pool_->lease();
    EXPECT_TRUE(store::put_resource_without_inventory(
        **connection, {.account = std::string(account), .external_id = "web-1", .tags = tags},
        clock_));
    return ingest_
        ->confirm({.account = std::string(account),
                   .external_id = "web-1",
                   .tags = tags,
                   .digest = "d1",
                   .received = clock_})
        .value();
  };
  EXPECT_TRUE(confirms_with({{"env", "prod"}}));
  EXPECT_FALSE(confirms_with({{"InspectorEc2Exclusion", "yes"}}));
  EXPECT_TRUE(confirms_with({}));
}

TEST_P(EvaluateTest, an_unchanged_inventory_is_confirmed_by_its_digest) {
  report("web-1", {{"a", "1.0"}});
  const auto confirm = [&](std::string digest) {
    return *ingest_->confirm({.account = std::string(account),
                              .external_id = "web-1",
                              .digest = std::move(digest),
                              .received = clock_});
  };
  EXPECT_TRUE(confirm("d1"));
  EXPECT_FALSE(confirm("d2"));
  EXPECT_FALSE(*ingest_->confirm(
      {.account = "444455556666", .external_id = "web-1", .digest = "d1", .received = clock_}));
  EXPECT_FALSE(*ingest_->confirm({.account = std::string(account),
                                  .external_id = "web-1",
                                  .tags = {{"env", "prod"}},
                                  .digest = "d1",
                                  .received = clock_}))
      << "its tags are others";
}

TEST_P(EvaluateTest, jobs_of_a_node_that_died_are_taken_over) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  {
    auto connection = pool_->lease();
    const auto taken = store::lease(**connection, "evaluate", "node-2", clock_, 120, 10);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->size(), 1U);
  }
  work();
  EXPECT_TRUE(findings().empty());
  clock_ += 121;
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
}

TEST_P(EvaluateTest, jobs_held_under_the_nodes_own_name_are_of_a_crash_and_taken_up_at_once) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  {
    auto connection = pool_->lease();
    const auto taken = store::lease(**connection, "evaluate", "node-1", clock_, 30, 10);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->size(), 1U);
  }
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
}

TEST_P(EvaluateTest, generations_that_come_faster_than_they_are_worked_through_are_not_lost) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  // Noticed, and before anything is matched anew the next is there.
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  ASSERT_TRUE(evaluator_->notice_generation());
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "1.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
}

// SQLite has one node at a time.
class TwoNodesTest : public EvaluateTest {
 protected:
  static std::string newer(std::string text) {
    const auto at = text.find("2024-01-01");
    return text.replace(at, 4, "2025");
  }
  std::string in_use() {
    auto connection = pool_->lease();
    return (*connection)
        ->one_text("SELECT value FROM setting WHERE name = ?1", "advisory_generation")
        .value()
        .value_or("");
  }
};

TEST_P(TwoNodesTest, the_newest_generation_that_a_running_node_has_is_in_use) {
  Generation of_second;
  Evaluator second({.pool = &*pool_,
                    .node = "node-2",
                    .current = [&] { return of_second; },
                    .find = [](const std::string&) { return nullptr; },
                    .clock = [this] { return clock_; }});
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  const auto older = current_;
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  use({{"PYSEC-1", newer(advisory("PYSEC-1", "a", "2.0"))},
       {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  work();
  const auto newest = current_->generation();
  ASSERT_EQ(in_use(), newest);
  // A node that comes with the older one pushes nothing, however often it looks.
  of_second = older;
  for (int i = 0; i < 3; ++i, clock_ += note_generation_every) {
    EXPECT_EQ(second.notice_generation().value(), false);
    EXPECT_EQ(evaluator_->notice_generation().value(), true);
    EXPECT_EQ(second.work().value(), 0U);
    EXPECT_EQ(in_use(), newest);
  }
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 ACTIVE"}));
  // No node has the newer one any more.
  clock_ += node_gone_after + 1;
  EXPECT_EQ(second.notice_generation().value(), true);
  EXPECT_EQ(in_use(), older->generation());
  while (second.work().value() > 0) {
  }
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 CLOSED"}));
  // It is back.
  EXPECT_EQ(evaluator_->notice_generation().value(), true);
  EXPECT_EQ(in_use(), newest);
  clock_ += note_generation_every;
  EXPECT_EQ(second.notice_generation().value(), false);
}

INSTANTIATE_TEST_SUITE_P(Postgresql, TwoNodesTest, testing::Values(sql::Engine::postgresql),
                         test::engine_name);

INSTANTIATE_TEST_SUITE_P(BothEngines, EvaluateTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::pipeline
