// Jobs that fail: the others go on, and each is tried again.
#include "pipeline/evaluate_fixture.h"
#include "store/filters.h"
#include "store/suppression.h"

namespace tenken::pipeline {
namespace {

class FailingJobsTest : public EvaluateTest {
 protected:
  void run(const std::string& script) {
    auto connection = pool_->lease();
    const auto done = (*connection)->script(script);
    ASSERT_TRUE(done) << done.error().what;
  }
  // Rows of the table with that value can no longer be written.
  void refuse(std::string_view table, std::string_view column, const std::string& value) {
    if (GetParam() == sql::Engine::postgresql)
      return run(fmt::format("ALTER TABLE {} ADD CONSTRAINT refused CHECK ({} <> {}) NOT VALID",
                             table, column, value));
    for (const auto* event : {"INSERT", "UPDATE"})
      run(
          fmt::format("CREATE TRIGGER refused_{0} BEFORE {0} ON {1} WHEN NEW.{2} = {3} "
                      "BEGIN SELECT RAISE(ABORT, 'refused'); END",
                      event, table, column, value));
  }
  void accept(std::string_view table) {
    run(GetParam() == sql::Engine::postgresql
            ? fmt::format("ALTER TABLE {} DROP CONSTRAINT refused", table)
            : "DROP TRIGGER refused_INSERT; DROP TRIGGER refused_UPDATE");
  }
  // Works until nothing is due. Returns what was said of what failed.
  std::string work_with_faults() {
    std::string fault;
    for (int i = 0; i < 100; ++i) {
      const auto done = evaluator_->work();
      if (!done) fault = done.error().what;
      if (done && *done == 0) return fault;
    }
    ADD_FAILURE() << "there is no end of it: " << fault;
    return fault;
  }
  // Jobs of the kind that failed and wait for their next try.
  std::int64_t failing(std::string_view kind) {
    auto connection = pool_->lease();
    return (*connection)
        ->one_integer(
            "SELECT count(*) FROM job WHERE kind = ?1 AND attempts > 0 "
            "AND last_error <> ''",
            kind)
        .value()
        .value_or(-1);
  }

  // Suppresses the vulnerability's findings.
  void add_rule(const std::string& id, std::string_view vulnerability) {
    auto connection = pool_->lease();
    ASSERT_TRUE(store::add_filter(
        **connection,
        {.account = std::string(account),
         .id = id,
         .name = id,
         .suppresses = true,
         .criteria = fmt::format(
             R"({{"vulnerabilityId":[{{"comparison":"EQUALS","value":"{}"}}]}})", vulnerability)}));
    ASSERT_TRUE(store::enqueue_suppression(**connection, account, id, clock_));
  }

  std::string text(std::string_view statement, std::string_view value) {
    auto connection = pool_->lease();
    return (*connection)->one_text(statement, value).value().value_or("");
  }
  std::string unknown_of(std::string_view package) {
    return text("SELECT unknown FROM package_version WHERE name = ?1", package);
  }
  std::string fixed_version(std::string_view vulnerability) {
    return text("SELECT fixed_version FROM match WHERE vulnerability_id = ?1", vulnerability);
  }
};

TEST_P(FailingJobsTest, a_resource_that_cannot_be_evaluated_keeps_no_other_waiting) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  refuse("finding", "resource_id", fmt::format("{}", store::resource_id(account, "web-2").value));
  for (const auto* resource : {"web-1", "web-2", "web-3"}) report(resource, {{"a", "1.0"}});
  const auto said = work_with_faults();
  EXPECT_TRUE(said.starts_with("web-2 of 111122223333: ")) << said;
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-3 PYSEC-1 ACTIVE"}));
  EXPECT_EQ(failing("evaluate"), 1);
  accept("finding");
  work();
  EXPECT_EQ(findings().size(), 2U) << "not before its time";
  clock_ += 1;
  work();
  EXPECT_EQ(findings().size(), 3U);
}

TEST_P(FailingJobsTest, a_vulnerability_that_cannot_be_settled_keeps_no_other_waiting) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}, {"c", "1.0"}});
  work();
  refuse("finding", "vulnerability_id", "'PYSEC-2'");
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")},
       {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")},
       {"PYSEC-3", advisory("PYSEC-3", "c", "2.0")}});
  const auto said = work_with_faults();
  EXPECT_TRUE(said.starts_with("settle PYSEC-2: ")) << said;
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-3 ACTIVE"}));
  EXPECT_EQ(failing("settle"), 1);
  // What is reported meanwhile is evaluated.
  report("web-2", {{"c", "1.0"}});
  work();
  EXPECT_EQ(findings().back(), "web-2 PYSEC-3 ACTIVE");
  accept("finding");
  clock_ += 1;
  work();
  EXPECT_EQ(findings()[1], "web-1 PYSEC-2 ACTIVE");
  EXPECT_EQ(failing("settle"), 0);
}

TEST_P(FailingJobsTest, a_resource_that_cannot_be_settled_keeps_no_other_slice_waiting) {
  ASSERT_LT(store::slice_of(store::resource_id(account, "web-1")),
            store::slice_of(store::resource_id(account, "web-3")));
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  for (const auto* resource : {"web-1", "web-3"}) report(resource, {{"b", "1.0"}});
  work();
  refuse("finding", "resource_id", fmt::format("{}", store::resource_id(account, "web-1").value));
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  const auto said = work_with_faults();
  EXPECT_TRUE(said.starts_with("settle PYSEC-2: ")) << said;
  EXPECT_EQ(findings(), Lines{"web-3 PYSEC-2 ACTIVE"});
  EXPECT_EQ(failing("settle"), 1);
  accept("finding");
  clock_ += 1;
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-2 ACTIVE", "web-3 PYSEC-2 ACTIVE"}));
}

TEST_P(FailingJobsTest, a_rule_that_cannot_be_applied_keeps_no_other_waiting) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  refuse("finding", "vulnerability_id", "'PYSEC-1'");
  add_rule("0000000000000001", "PYSEC-1");
  add_rule("0000000000000002", "PYSEC-2");
  report("web-2", {{"b", "1.0"}});
  const auto said = work_with_faults();
  EXPECT_TRUE(said.starts_with("suppress 111122223333 0000000000000001: ")) << said;
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 SUPPRESSED",
                               "web-2 PYSEC-2 SUPPRESSED"}));
  EXPECT_EQ(failing("suppress"), 1);
  accept("finding");
  clock_ += 1;
  work();
  EXPECT_EQ(findings()[0], "web-1 PYSEC-1 SUPPRESSED");
}

TEST_P(FailingJobsTest, a_version_that_cannot_be_matched_is_unknown_and_keeps_no_other_waiting) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  refuse("match", "vulnerability_id", "'PYSEC-2'");
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  const auto said = work_with_faults();
  EXPECT_TRUE(said.starts_with("b 1.0 (PyPI): not matched, unknown until that succeeds: ")) << said;
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
  EXPECT_EQ(failing("match"), 1);
  EXPECT_TRUE(unknown_of("b").starts_with(R"=([{"kind":"package","subject":"b 1.0 (PyPI)",)="))
      << unknown_of("b");
  EXPECT_EQ(unknown_of("a"), "[]");
  // Each try that fails is said, and the next comes later.
  clock_ += 1;
  EXPECT_TRUE(work_with_faults().starts_with("match ")) << "it is said";
  clock_ += 1;
  EXPECT_EQ(work_with_faults(), "");
  accept("match");
  clock_ += 1;
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 ACTIVE"}));
  EXPECT_EQ(failing("match"), 0);
  EXPECT_EQ(unknown_of("b"), "[]");
}

TEST_P(FailingJobsTest, a_version_that_a_new_generation_cannot_be_matched_with_closes_nothing) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  refuse("vulnerability", "vulnerability_id", "'PYSEC-2'");
  use({{"PYSEC-2", advisory("PYSEC-2", "a", "2.0")}});
  EXPECT_NE(work_with_faults(), "");
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE"}));
  EXPECT_NE(unknown_of("a"), "[]");
  accept("vulnerability");
  clock_ += 1;
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
}

TEST_P(FailingJobsTest, a_generation_that_cannot_be_advanced_to_keeps_no_inventory_waiting) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  refuse("match", "vulnerability_id", "'PYSEC-1'");
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "3.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  report("web-2", {{"b", "1.0"}});
  const auto said = work_with_faults();
  EXPECT_TRUE(said.starts_with("advance generation: ")) << said;
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-2 PYSEC-2 ACTIVE"}));
  EXPECT_EQ(failing("advance"), 1);
  accept("match");
  clock_ += 1;
  work();
  EXPECT_EQ(failing("advance"), 0);
  EXPECT_EQ(fixed_version("PYSEC-1"), "3.0");
}

INSTANTIATE_TEST_SUITE_P(BothEngines, FailingJobsTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::pipeline
