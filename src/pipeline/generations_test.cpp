// What follows when another generation of advisories covers more, or less.
#include "pipeline/evaluate_fixture.h"
#include "store/coverage.h"
#include "store/coverage_query.h"
#include "store/exports.h"
#include "store/housekeeping.h"

namespace tenken::pipeline {
namespace {

class GenerationsTest : public EvaluateTest {
 protected:
  static std::string of_another_ecosystem() {
    auto out = advisory("GO-1", "example.org/x", "2.0");
    return out.replace(out.find("PyPI"), 4, "Go");
  }
  void use_python() { use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}}); }
  void use_go() { use({{"GO-1", of_another_ecosystem()}}); }

  // "<stale> <seconds since the test began>" of last_observed_at.
  std::string observed(std::string_view resource) {
    auto connection = pool_->lease();
    const auto id = store::resource_id(account, resource).value;
    return fmt::format("{} {}",
                       (*connection)
                           ->one_integer("SELECT stale FROM finding WHERE resource_id = ?1", id)
                           .value()
                           .value(),
                       (*connection)
                               ->one_integer("SELECT last_observed_at FROM finding "
                                             "WHERE resource_id = ?1",
                                             id)
                               .value()
                               .value() -
                           began_);
  }
  Seconds evaluated(std::string_view resource) {
    auto connection = pool_->lease();
    return store::find_resource(**connection, account, resource).value().value().evaluated - began_;
  }
  bool confirm(std::string digest) {
    return *ingest_->confirm({.account = std::string(account),
                              .external_id = "web-1",
                              .digest = std::move(digest),
                              .received = clock_});
  }
  std::int64_t evaluate_confirmed() {
    auto connection = pool_->lease();
    return store::evaluate_confirmed(**connection, clock_).value();
  }
  Seconds began_ = clock_;
};

TEST_P(GenerationsTest, coverage_follows_what_the_generation_covers) {
  use_python();
  report("web-1", {{"a", "1.0"}, {"quiet", "1.0"}});
  report("web-2", {{"quiet", "1.0"}});
  work();
  EXPECT_EQ(coverage("web-1"), "ACTIVE SUCCESSFUL");
  EXPECT_EQ(coverage("web-2"), "ACTIVE SUCCESSFUL");
  use_go();
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  EXPECT_EQ(coverage("web-1"), "INACTIVE UNSUPPORTED_OS");
  EXPECT_EQ(coverage("web-2"), "INACTIVE UNSUPPORTED_OS") << "no advisory names its package";
  use_python();
  work();
  EXPECT_EQ(coverage("web-1"), "ACTIVE SUCCESSFUL");
  EXPECT_EQ(coverage("web-2"), "ACTIVE SUCCESSFUL");
  EXPECT_EQ(history("web-1", "PYSEC-1").size(), 1U);
}

TEST_P(GenerationsTest, coverage_follows_where_the_old_generation_is_gone) {
  use_python();
  report("web-1", {{"quiet", "1.0"}});
  work();
  generations_.clear();
  use_go();
  work();
  EXPECT_EQ(coverage("web-1"), "INACTIVE UNSUPPORTED_OS");
}

TEST_P(GenerationsTest, coverage_of_who_waits_is_gone_or_has_no_inventory_stays) {
  use_python();
  report("gone", {{"a", "1.0"}});
  put("empty", test::python_host({}));
  work();
  {
    auto connection = pool_->lease();
    ASSERT_TRUE(retire(**connection, store::resource_id(account, "gone"), "retired", clock_));
  }
  use_go();
  work();
  EXPECT_EQ(coverage("gone"), "INACTIVE RESOURCE_TERMINATED");
  EXPECT_EQ(coverage("empty"), "INACTIVE NO_INVENTORY");
  report("new", {{"a", "1.0"}});
  auto connection = pool_->lease();
  for (std::int64_t slice = 0; slice < store::slices; ++slice)
    EXPECT_TRUE(store::update_coverage(**connection, store::slice_range(slice)));
  EXPECT_EQ(coverage("new"), "ACTIVE PENDING_INITIAL_SCAN");
}

TEST_P(GenerationsTest, an_advisory_in_what_is_covered_asks_for_no_coverage) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  // Another node is at the job: each time it is asked for again is counted.
  auto connection = pool_->lease();
  ASSERT_TRUE((*connection)
                  ->run("INSERT INTO job (kind, subject, run_after, lease_owner, lease_until, "
                        "created_at) VALUES ('coverage', 'resources', 0, 'node-2', ?1, 0)",
                        clock_ + 1'000 * day));
  const auto version = [&] {
    return (*connection)->one_integer("SELECT version FROM job WHERE kind = 'coverage'").value();
  };
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "3.0")}});
  ASSERT_TRUE(evaluator_->work());
  EXPECT_EQ(version(), 1);
  use_go();
  ASSERT_TRUE(evaluator_->work());
  EXPECT_EQ(version(), 2);
}

TEST_P(GenerationsTest, a_generation_that_was_applied_is_a_scan_of_everything) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(evaluated("web-1"), 0);
  clock_ += day;
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  EXPECT_EQ(evaluated("web-1"), 0) << "not yet";
  work();
  EXPECT_EQ(evaluated("web-1"), day);
  report("waiting", {{"a", "1.0"}});
  auto connection = pool_->lease();
  EXPECT_EQ(store::find_resource(**connection, account, "waiting").value().value().evaluated, 0);
  const auto listed = [&](Seconds from) {
    const store::CoverageFilter filter{.accounts = {std::string(account)},
                                       .scanned = {{static_cast<double>(from), {}}}};
    return store::count_coverage(**connection, filter, clock_).value();
  };
  EXPECT_EQ(listed(clock_), 1);
  EXPECT_EQ(listed(clock_ + 1), 0);
}

TEST_P(GenerationsTest, what_only_an_earlier_generation_said_opens_nothing) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  use_go();
  work();
  report("web-2", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  EXPECT_EQ(coverage("web-2"), "INACTIVE UNSUPPORTED_OS");
  EXPECT_EQ(observed("web-1"), "1 0");
  use_python();
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-2 PYSEC-1 ACTIVE"}));
  EXPECT_EQ(observed("web-1"), "0 0");
}

TEST_P(GenerationsTest, what_was_closed_is_not_opened_again_by_an_earlier_generation) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  report("web-2", {{"a", "1.0"}});
  work();
  report("web-1", {{"b", "1.0"}});
  work();
  use_go();
  work();
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-2 PYSEC-1 ACTIVE"}));
}

TEST_P(GenerationsTest, what_a_retirement_closed_is_open_again_and_stale_when_the_host_is_back) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  use_go();
  work();
  const auto resource = store::resource_id(account, "web-1");
  auto connection = pool_->lease();
  ASSERT_TRUE(retire(**connection, resource, "retired", clock_));
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 CLOSED"});
  clock_ += day;
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  EXPECT_EQ(observed("web-1"), "1 0");
}

TEST_P(GenerationsTest, a_package_shows_what_an_earlier_generation_said_while_its_finding_is_open) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  use_go();
  report("web-2", {{"a", "1.0"}});
  work();
  auto connection = pool_->lease();
  const auto shown = [&](std::string_view host) {
    const auto resource = store::resource_id(account, host);
    const auto counted =
        store::installed_versions(**connection, resource, {-1}, 10).value().front().vulnerabilities;
    const auto exported = store::installed_vulnerabilities(**connection, resource).value().size();
    return fmt::format("{} {}", counted, exported);
  };
  EXPECT_EQ(shown("web-1"), "1 1");
  EXPECT_EQ(shown("web-2"), "0 0");
}

TEST_P(GenerationsTest, what_is_observed_is_the_package_and_not_the_advisory) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  EXPECT_EQ(observed("web-1"), "0 0");
  clock_ += day;
  use_go();
  work();
  EXPECT_EQ(observed("web-1"), "1 0");
  clock_ += day;
  use_python();
  work();
  EXPECT_EQ(observed("web-1"), "0 0") << "the host has been silent";
}

TEST_P(GenerationsTest, an_unchanged_inventory_is_a_sign_of_life_twice_a_day) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  clock_ += store::sign_of_life - 1;
  EXPECT_TRUE(confirm("d1"));
  EXPECT_EQ(evaluate_confirmed(), 0);
  clock_ += day;
  EXPECT_EQ(evaluate_confirmed(), 0) << "it was not seen since";
  EXPECT_TRUE(confirm("d1"));
  EXPECT_EQ(evaluate_confirmed(), 1);
  const auto seen = clock_ - began_;
  clock_ += 5;
  work();
  EXPECT_EQ(observed("web-1"), fmt::format("0 {}", seen));
  EXPECT_EQ(evaluate_confirmed(), 0);
  EXPECT_EQ(history("web-1", "PYSEC-1").size(), 1U);
}

// A record of a release of Debian that nothing covers, of a package "a".
std::string of_release(std::string_view id, std::string_view release) {
  auto out = advisory(id, "a", "2.0");
  return out.replace(out.find("PyPI"), 4, fmt::format("Debian:{}", release));
}

TEST_P(GenerationsTest, what_was_held_open_is_closed_when_its_package_is_decided) {
  use({{"CVE-2024-1", of_release("CVE-2024-1", "12")}});
  const auto push = [&](std::string release, std::string version) {
    auto image = test::python_host({{"a", std::move(version)}});
    image.packages[0].ecosystem = "Debian";
    image.packages[0].kind = "deb";
    image.packages[0].release = std::move(release);
    put("web-1", std::move(image));
  };
  push("12", "1.0");
  work();
  EXPECT_EQ(observed("web-1"), "0 0");
  push("13", "2.0");
  work();
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 ACTIVE"}) << "nothing is known of release 13";
  EXPECT_EQ(observed("web-1"), "2 0");
  // It does not report again.
  use({{"CVE-2024-1", of_release("CVE-2024-1", "12")},
       {"CVE-2024-3", of_release("CVE-2024-3", "13")}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 CLOSED"});
  EXPECT_EQ(observed("web-1"), "0 0");
}

TEST_P(GenerationsTest, a_flaw_under_another_id_has_its_old_finding_while_a_version_is_undecided) {
  use_python();
  const auto host = [](const std::vector<std::string>& versions) {
    auto out = test::python_host({});
    for (const auto& version : versions)
      out.packages.push_back({.ecosystem = "PyPI",
                              .kind = "pypi",
                              .name = "a",
                              .version = version,
                              .location = "srv/" + version});
    return out;
  };
  put("alone", host({"1.0"}));
  put("beside", host({"1.0", "no version"}));
  work();
  put("alone", host({"no version"}));
  work();
  auto renamed = advisory("PYSEC-1", "a", "2.0");
  renamed.insert(1, R"("aliases":["CVE-2024-1000"],)");
  use({{"PYSEC-1", renamed}});
  work();
  EXPECT_EQ(findings(), (Lines{"alone PYSEC-1 ACTIVE", "beside CVE-2024-1000 ACTIVE",
                               "beside PYSEC-1 ACTIVE"}));
  put("beside", host({"1.0"}));
  work();
  EXPECT_EQ(findings(), (Lines{"alone PYSEC-1 ACTIVE", "beside CVE-2024-1000 ACTIVE",
                               "beside PYSEC-1 CLOSED"}));
}

TEST_P(GenerationsTest, what_is_held_open_is_stale_until_something_matches_again) {
  use_python();
  report("web-1", {{"a", "1.0"}});
  work();
  clock_ += 1;
  report("web-1", {{"a", "no version"}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  EXPECT_EQ(observed("web-1"), "2 0");
  EXPECT_EQ(history("web-1", "PYSEC-1").size(), 1U);
  clock_ += 1;
  report("web-1", {{"a", "1.5"}});
  work();
  EXPECT_EQ(observed("web-1").substr(0, 1), "0");
  EXPECT_EQ(history("web-1", "PYSEC-1").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(BothEngines, GenerationsTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::pipeline
