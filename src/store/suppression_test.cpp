#include "store/suppression.h"

#include <gtest/gtest.h>

#include "store/filters.h"
#include "store/finding_changes.h"
#include "store/findings.h"
#include "support/finding_fleet.h"
#include "support/store_case.h"
#include "support/watched_connection.h"

namespace tenken::store {
namespace {

using test::FindingFleet;

class SuppressionTest : public StoreCase {
 protected:
  void SetUp() override {
    StoreCase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(FindingFleet({}).fill(db()));
  }

  // The filter's job, as the pipeline does it.
  std::int64_t apply(Seconds now) {
    std::int64_t out = 0;
    for (std::int64_t slice = 0; slice < slices; ++slice) {
      const auto changed = apply_changed_filter(
          db(), FindingFleet::account, id, {.resources = slice_range(slice)},
          {.now = now, .transition = 1'000'000'000'000'000 + now * 100 + slice});
      EXPECT_TRUE(changed) << (changed ? "" : changed.error().what);
      out += changed ? *changed : 0;
    }
    return out;
  }
  std::int64_t count(std::string_view sql) {
    const auto number = db().one_integer(sql);
    EXPECT_TRUE(number) << (number ? "" : number.error().what);
    return number ? number->value_or(0) : -1;
  }

  void add_rule(std::string_view account, std::string_view rule, std::string_view criteria) {
    ASSERT_TRUE(add_filter(db(), {.account = std::string(account),
                                  .id = std::string(rule),
                                  .name = std::string(rule),
                                  .suppresses = true,
                                  .criteria = std::string(criteria)}));
  }
  // What an evaluation does of a vulnerability in every slice.
  std::int64_t apply_all(sql::Connection& connection, std::string_view vulnerability, Seconds now) {
    FindingChanges changes;
    std::vector<SuppressionTask> tasks;
    for (std::int64_t slice = 0; slice < slices; ++slice)
      tasks.push_back({{slice_range(slice), vulnerability},
                       {.now = now, .transition = 1'000'000'000'000'000 + now * 100 + slice}});
    const auto changed = apply_rules(connection, tasks, changes);
    EXPECT_TRUE(changed) << (changed ? "" : changed.error().what);
    EXPECT_TRUE(changes.write(connection));
    return changed.value_or(-1);
  }

  static constexpr std::string_view id = "fedcba9876543210";
};

TEST_P(SuppressionTest, what_a_rule_changes_is_counted_and_noted_once) {
  const auto matching = count(
      "SELECT COUNT(*) FROM finding WHERE status = 1 AND vulnerability_id LIKE 'CVE-2024-0000%'");
  ASSERT_GT(matching, 0);
  ASSERT_TRUE(add_filter(
      db(),
      {.account = std::string(FindingFleet::account),
       .id = std::string(id),
       .name = "n",
       .suppresses = true,
       .criteria = R"({"vulnerabilityId":[{"comparison":"PREFIX","value":"CVE-2024-0000"}]})"}));
  EXPECT_EQ(apply(1'800'000'000), matching);
  // The fleet has no counts: what is there is what the rule took away.
  EXPECT_EQ(count("SELECT SUM(total) FROM finding_count"), -matching);
  EXPECT_EQ(count("SELECT SUM(total) FROM title_count"), -matching);
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding_event WHERE status = 2"), matching);
  EXPECT_EQ(apply(1'800'000'001), 0);

  ASSERT_TRUE(remove_filter(db(), FindingFleet::account, id));
  EXPECT_EQ(apply(1'800'000'002), matching);
  EXPECT_EQ(count("SELECT SUM(total) FROM finding_count"), 0);
  EXPECT_EQ(count("SELECT SUM(total) FROM title_count"), 0);
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding_event WHERE status = 1"), matching);
}

TEST_P(SuppressionTest, saved_filters_take_no_rules_place) {
  Filter one{.account = "222222222222", .criteria = "{}"};
  const auto name = [&](std::int64_t number, bool suppresses) {
    one.suppresses = suppresses;
    one.id = one.name = fmt::format("{}{:03}", suppresses ? "rule" : "saved", number);
  };
  auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
  for (std::int64_t i = 0; i < most_filters; ++i) {
    for (const bool suppresses : {false, true}) {
      name(i, suppresses);
      ASSERT_TRUE(add_filter(db(), one)) << one.name;
    }
  }
  for (const bool suppresses : {false, true}) {
    name(most_filters, suppresses);
    const auto added = add_filter(db(), one);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::limit);
  }
  name(0, true);
  one.description = "d";
  EXPECT_TRUE(change_filter(db(), one)) << "it has its place";
  one.suppresses = false;
  const auto changed = change_filter(db(), one);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::limit);
  name(most_filters, true);
  EXPECT_EQ(change_filter(db(), one).error().code, Errc::not_found) << "with room or without";
  ASSERT_EQ(db().run("INSERT INTO filter (account_id, filter_id, name, action, criteria, "
                     "description, reason, expires_at, created_at, updated_at) "
                     "SELECT account_id, ?1, ?1, action, criteria, '', '', 0, 0, 0 FROM filter "
                     "WHERE account_id = ?2 AND filter_id = 'rule000'",
                     one.id, one.account),
            1);
  EXPECT_TRUE(change_filter(db(), one)) << "one too many, as two made at once, and it is there";
  ASSERT_TRUE(transaction->commit());
}

TEST_P(SuppressionTest, a_rule_that_cannot_be_read_stops_no_evaluation) {
  ASSERT_TRUE(add_filter(db(), {.account = std::string(FindingFleet::account),
                                .id = std::string(id),
                                .name = "n",
                                .suppresses = true,
                                .criteria = R"({"of a later version":1})"}));
  const auto done = evaluate_vulnerabilities(
      db(), {"CVE-2024-00001"}, 0,
      {.now = 1'800'000'000, .transition = 1'000'000'000'000'000, .cause = "advisories x"});
  EXPECT_TRUE(done) << (done ? "" : done.error().what);
}

TEST_P(SuppressionTest, what_a_rule_lets_go_another_takes_in_the_same_evaluation) {
  constexpr std::string_view tagged = "0000000000000001";
  add_rule(FindingFleet::account, tagged,
           R"({"resourceTags":[{"comparison":"EQUALS","key":"env"}]})");
  add_rule(FindingFleet::account, id,
           R"({"vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-2024-00001"}]})");
  const auto held_by = [&](std::string_view rule) {
    return count(
        fmt::format("SELECT COUNT(*) FROM finding WHERE status = 2 "
                    "AND suppressed_by = '{}'",
                    rule));
  };
  for (const auto* vulnerability : {"CVE-2024-00001", "CVE-2024-00002"})
    EXPECT_GT(apply_all(db(), vulnerability, 1'800'000'000), 0);
  const auto both = held_by(tagged);
  const auto first = count(
      "SELECT COUNT(*) FROM finding WHERE status = 2 AND vulnerability_id = 'CVE-2024-00001' "
      "AND suppressed_by = '0000000000000001'");
  ASSERT_GT(both, first);
  ASSERT_GE(db().run("DELETE FROM resource_tag").value_or(-1), 1);
  EXPECT_EQ(apply_all(db(), "CVE-2024-00001", 1'800'000'001), 2 * first);
  EXPECT_EQ(held_by(id), first);
  EXPECT_EQ(held_by(tagged), both - first);
  EXPECT_EQ(apply_all(db(), "CVE-2024-00002", 1'800'000'001), both - first);
  EXPECT_EQ(held_by(tagged), 0);
}

TEST_P(SuppressionTest, rules_that_are_about_others_cost_no_statement) {
  const auto add_rules = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      add_rule(FindingFleet::account, fmt::format("{:016}", i),
               R"({"vulnerabilityId":[{"comparison":"PREFIX","value":"CVE-2023-"}]})");
      add_rule("999988887777", fmt::format("{:016}", i), "{}");
    }
  };
  const auto statements = [&] {
    test::WatchedConnection watched(db());
    EXPECT_EQ(apply_all(watched, "CVE-2024-00001", 1'800'000'000), 0);
    return watched.statements().size();
  };
  add_rules(0, 1);
  const auto of_few = statements();
  add_rules(1, 40);
  EXPECT_EQ(statements(), of_few);
}

TEST_P(SuppressionTest, what_an_expired_rule_lets_go_says_so) {
  Filter filter{
      .account = std::string(FindingFleet::account),
      .id = std::string(id),
      .name = "n",
      .suppresses = true,
      .criteria = R"({"vulnerabilityId":[{"comparison":"PREFIX","value":"CVE-2024-0000"}]})",
      .expires = 1'800'000'100};
  ASSERT_TRUE(add_filter(db(), filter));
  const auto suppressed = apply(1'800'000'000);
  ASSERT_GT(suppressed, 0);
  EXPECT_EQ(apply(1'800'000'099), 0);
  EXPECT_EQ(apply(1'800'000'100), suppressed);
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding_event WHERE status = 1 "
                  "AND cause = 'filter fedcba9876543210 expired'"),
            suppressed);
  filter.expires = 0;
  ASSERT_TRUE(change_filter(db(), filter));
  EXPECT_EQ(apply(1'800'000'101), suppressed);
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding_event WHERE status = 2 "
                  "AND cause = 'filter fedcba9876543210'"),
            2 * suppressed);
}

INSTANTIATE_TEST_SUITE_P(BothEngines, SuppressionTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         [](const auto& engine) { return test::engine_name(engine); });

}  // namespace
}  // namespace tenken::store
