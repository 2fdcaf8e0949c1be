#include "store/suppression.h"

#include <gtest/gtest.h>

#include "store/findings.h"
#include "support/finding_fleet.h"
#include "support/store_case.h"

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
