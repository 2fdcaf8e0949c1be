#include "store/finding_query.h"

#include <set>

#include <gtest/gtest.h>

#include "store/finding_orders.h"
#include "store/finding_statements.h"
#include "support/finding_fleet.h"
#include "support/store_case.h"

namespace tenken::store {
namespace {

using test::FindingFleet;

constexpr std::array orders{FindingOrder::score,
                            FindingOrder::account,
                            FindingOrder::first_observed,
                            FindingOrder::last_observed,
                            FindingOrder::status,
                            FindingOrder::resource_type,
                            FindingOrder::image_repository,
                            FindingOrder::image_registry,
                            FindingOrder::vulnerability,
                            FindingOrder::vulnerability_source,
                            FindingOrder::epss,
                            FindingOrder::vendor_severity};

// By score, one after the other.
bool is_list_of_lists(FindingOrder order) {
  return order == FindingOrder::status || order == FindingOrder::account ||
         order == FindingOrder::vendor_severity;
}

class FindingQueryTest : public StoreCase {
 protected:
  void SetUp() override {
    StoreCase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto filled = FindingFleet({}).fill(db());
    ASSERT_TRUE(filled) << filled.error().what;
  }

  static FindingQuestion question(std::string_view criteria = "{}") {
    auto read = findings::read_criteria(criteria);
    EXPECT_TRUE(read) << criteria;
    return {.accounts = {std::string(FindingFleet::account)},
            .criteria = read ? *std::move(read) : findings::Criteria(),
            .limit = 7};
  }

  // All pages, one after the other.
  std::vector<FindingRow> all(FindingQuestion question) {
    std::vector<FindingRow> out;
    for (int page = 0; page < 200; ++page) {
      auto answer = list_findings(db(), question);
      EXPECT_TRUE(answer) << (answer ? "" : answer.error().what);
      if (!answer) return out;
      out.insert(out.end(), answer->findings.begin(), answer->findings.end());
      if (answer->next.empty()) return out;
      const auto place = to_position(to_texts(answer->next), question.order);
      EXPECT_TRUE(place);
      EXPECT_TRUE(*place == answer->next);
      question.after = answer->next;
    }
    ADD_FAILURE() << "the pages do not end";
    return out;
  }

  std::size_t count(std::string_view criteria) { return all(question(criteria)).size(); }
  std::size_t count_where(std::string_view condition) {
    const auto rows = db().one_integer(fmt::format(
        "SELECT COUNT(*) FROM finding f JOIN resource r ON r.resource_id = f.resource_id "
        "JOIN vulnerability v ON v.vulnerability_id = f.vulnerability_id WHERE {}",
        condition));
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().what);
    return rows ? static_cast<std::size_t>(rows->value_or(-1)) : 0;
  }
};

TEST_P(FindingQueryTest, every_order_shows_each_finding_once) {
  for (const auto order : orders) {
    for (const bool descending : {true, false}) {
      auto asked = question();
      asked.order = order;
      asked.descending = descending;
      std::set<FindingKey> seen;
      for (const auto& finding : all(asked))
        EXPECT_TRUE(seen.insert(finding.key).second) << finding.key.vulnerability;
      EXPECT_EQ(seen.size(), 300U) << static_cast<int>(order) << descending;
    }
  }
}

TEST_P(FindingQueryTest, pages_follow_the_order) {
  const auto sorted = [&](FindingOrder order, auto&& key) {
    for (const bool descending : {true, false}) {
      auto asked = question();
      asked.order = order;
      asked.descending = descending;
      const auto rows = all(asked);
      EXPECT_TRUE(descending ? std::ranges::is_sorted(rows, std::ranges::greater(), key)
                             : std::ranges::is_sorted(rows, std::ranges::less(), key))
          << static_cast<int>(order) << descending;
    }
  };
  sorted(FindingOrder::score, &FindingRow::score);
  sorted(FindingOrder::first_observed, [](const FindingRow& one) { return one.key.episode; });
  sorted(FindingOrder::last_observed, &FindingRow::last_observed);
  sorted(FindingOrder::epss, &FindingRow::epss);
  sorted(FindingOrder::resource_type, &FindingRow::resource_type);
  sorted(FindingOrder::image_repository,
         [](const FindingRow& one) { return one.resource_facts.repository; });
  sorted(FindingOrder::image_registry,
         [](const FindingRow& one) { return one.resource_facts.registry; });
  sorted(FindingOrder::vulnerability_source, &FindingRow::source);
  sorted(FindingOrder::vulnerability, [](const FindingRow& one) { return one.key.vulnerability; });
  sorted(FindingOrder::vendor_severity, [](const FindingRow& one) {
    const auto& word = one.vendor_severity;
    return word.empty()                            ? 0
           : word == "low" || word == "negligible" ? 2
           : word == "MODERATE"                    ? 3
           : word == "high" || word == "Important" ? 4
                                                   : 5;
  });
  sorted(FindingOrder::status, [](const FindingRow& one) {
    return one.status == Lifecycle::active ? 0 : one.status == Lifecycle::closed ? 1 : 2;
  });
}

TEST_P(FindingQueryTest, conditions_mean_what_they_say) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"findingStatus":[{"comparison":"EQUALS","value":"ACTIVE"}]})", "f.status = 1"},
      {R"({"findingStatus":[{"comparison":"NOT_EQUALS","value":"ACTIVE"},)"
       R"({"comparison":"NOT_EQUALS","value":"CLOSED"}]})",
       "f.status = 2"},
      {R"({"severity":[{"comparison":"EQUALS","value":"CRITICAL"},)"
       R"({"comparison":"EQUALS","value":"LOW"}]})",
       "(f.score >= 90 OR f.score BETWEEN 1 AND 39)"},
      {R"({"severity":[{"comparison":"EQUALS","value":"UNTRIAGED"}]})", "f.score = -1"},
      {R"({"inspectorScore":[{"lowerInclusive":4.0,"upperInclusive":6.9}]})",
       "f.score BETWEEN 40 AND 69"},
      {R"({"inspectorScore":[{}]})", "f.score >= 0"},
      {R"({"epssScore":[{"upperInclusive":0.5}]})", "v.epss BETWEEN 0 AND 0.5"},
      {R"({"resourceType":[{"comparison":"PREFIX","value":"AWS_E"}]})", "r.type LIKE 'AWS_E%'"},
      {R"({"resourceId":[{"comparison":"EQUALS","value":"i-00000003"}]})",
       "r.external_id = 'i-00000003'"},
      {R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}]})",
       "r.tags LIKE '%prod%'"},
      {R"({"resourceTags":[{"comparison":"EQUALS","key":"env"}]})", "1 = 1"},
      {R"({"vulnerabilityId":[{"comparison":"PREFIX","value":"CVE-2024-0001"}]})",
       "f.vulnerability_id LIKE 'CVE-2024-0001%'"},
      {R"({"vulnerabilitySource":[{"comparison":"NOT_EQUALS","value":"NVD"}]})",
       "v.source <> 'NVD'"},
      {R"({"relatedVulnerabilities":[{"comparison":"EQUALS","value":"GHSA-1"}]})",
       "f.vulnerability_id = 'CVE-2024-00001'"},
      {R"({"relatedVulnerabilities":[{"comparison":"PREFIX","value":"GHSA-1"}]})",
       "v.aliases LIKE '% GHSA-1%'"},
      {R"({"exploitAvailable":[{"comparison":"EQUALS","value":"YES"}]})", "v.exploited_at > 0"},
      {R"({"fixAvailable":[{"comparison":"NOT_EQUALS","value":"YES"}]})", "f.fix = 0"},
      {R"({"firstObservedAt":[{"startInclusive":1701000000,"endInclusive":1702000000.5}]})",
       "f.episode BETWEEN 1701000000 AND 1702000000"},
      {R"({"vulnerablePackages":[{"name":{"comparison":"EQUALS","value":"pkg2-1"},)"
       R"("version":{"comparison":"EQUALS","value":"2.0"},"epoch":{"lowerInclusive":1},)"
       R"("release":{"comparison":"EQUALS","value":"3"}}]})",
       "f.vulnerability_id = 'CVE-2024-00002'"},
      {R"({"vulnerablePackages":[{"name":{"comparison":"EQUALS","value":"pkg2-1"},)"
       R"("sourceLayerHash":{"comparison":"EQUALS","value":"x"}}]})",
       "1 = 0"},
      {R"({"title":[{"comparison":"EQUALS","value":)"
       R"("CVE-2024-00002 - pkg2-0, pkg2-1 and 1 more"}]})",
       "f.vulnerability_id = 'CVE-2024-00002'"},
      {R"({"title":[{"comparison":"PREFIX","value":"CVE-2024-00001 - pkg1"}]})",
       "f.vulnerability_id = 'CVE-2024-00001'"},
      {R"({"title":[{"comparison":"NOT_EQUALS","value":"CVE-2024-00003 - pkg3-0"}]})",
       "f.vulnerability_id <> 'CVE-2024-00003'"},
      {R"({"ecrImageHash":[{"comparison":"PREFIX","value":"sha256:"}]})",
       "r.type = 'AWS_ECR_CONTAINER_IMAGE'"},
      {R"({"ecrImageHash":[{"comparison":"NOT_EQUALS","value":"sha256:"}]})", "1 = 1"},
      {R"({"ecrImageRepositoryName":[{"comparison":"EQUALS","value":"team5/app"}]})",
       "r.external_id = 'i-00000005'"},
      {R"({"ecrImageRepositoryName":[{"comparison":"NOT_EQUALS","value":"team5/app"}]})",
       "r.external_id <> 'i-00000005'"},
      {R"({"cloudImageRegistry":[{"comparison":"EQUALS","value":"111122223333"}],)"
       R"("ecrImageArchitecture":[{"comparison":"EQUALS","value":"amd64"}]})",
       "r.external_id = 'i-00000011'"},
      {R"({"ec2InstanceImageId":[{"comparison":"PREFIX","value":"ami-"}],)"
       R"("ec2InstanceVpcId":[{"comparison":"EQUALS","value":"vpc-1"}],)"
       R"("cloudVmSubnetIds":[{"comparison":"NOT_EQUALS","value":"subnet-1"}]})",
       "r.vpc_id = 'vpc-1' AND r.subnet_id <> 'subnet-1'"},
      {R"({"ec2InstanceSubnetId":[{"comparison":"NOT_EQUALS","value":"subnet-1"}]})",
       "r.subnet_id <> 'subnet-1'"},
      {R"({"lambdaFunctionName":[{"comparison":"EQUALS","value":"i-00000007"}]})",
       "r.external_id = 'i-00000007'"},
      {R"({"cloudServerlessFunctionName":[{"comparison":"EQUALS","value":"i-00000005"}]})",
       "1 = 0"},
      {R"({"codeRepositoryProjectName":[{"comparison":"NOT_EQUALS","value":"i-00000005"}]})",
       "1 = 1"},
      {R"({"vendorSeverity":[{"comparison":"EQUALS","value":"Important"}]})",
       "f.vendor_severity = 'Important'"},
      {R"({"vendorSeverity":[{"comparison":"NOT_EQUALS","value":"low"}]})",
       "f.vendor_severity <> 'low'"},
      {R"({"portRange":[{"beginInclusive":22}]})", "1 = 0"},
      {R"({"awsAccountId":[{"comparison":"EQUALS","value":"444455556666"}]})", "1 = 0"},
      {R"({"findingType":[{"comparison":"EQUALS","value":"PACKAGE_VULNERABILITY"}]})", "1 = 1"},
      {R"({"findingType":[{"comparison":"EQUALS","value":"NETWORK_REACHABILITY"}]})", "1 = 0"},
  };
  for (const auto& [criteria, condition] : cases)
    EXPECT_EQ(count(criteria), count_where(condition)) << criteria;
}

// Criteria of every kind, alone and together.
constexpr std::string_view asked_in_every_way[] = {
    "{}",
    R"({"findingStatus":[{"comparison":"NOT_EQUALS","value":"CLOSED"}]})",
    R"({"findingStatus":[{"comparison":"EQUALS","value":"SUPPRESSED"}]})",
    R"({"severity":[{"comparison":"EQUALS","value":"CRITICAL"},)"
    R"({"comparison":"EQUALS","value":"LOW"}]})",
    R"({"fixAvailable":[{"comparison":"EQUALS","value":"YES"}]})",
    R"({"vulnerabilityId":[{"comparison":"PREFIX","value":"CVE-2024-0002"}]})",
    R"({"vulnerabilitySource":[{"comparison":"EQUALS","value":"DEBIAN_CVE"}],)"
    R"("epssScore":[{"lowerInclusive":0.3}]})",
    R"({"exploitAvailable":[{"comparison":"EQUALS","value":"YES"}]})",
    R"({"title":[{"comparison":"PREFIX","value":"CVE-2024-00002 - pkg2"},)"
    R"({"comparison":"PREFIX","value":"CVE-2024-0003"}]})",
    R"({"vulnerablePackages":[{"name":{"comparison":"PREFIX","value":"pkg2"}}]})",
    R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"prod"},)"
    R"({"comparison":"EQUALS","key":"env"}]})",
    R"({"resourceTags":[{"comparison":"EQUALS","key":"env","value":"prod"}],)"
    R"("vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-2024-00002"},)"
    R"({"comparison":"EQUALS","value":"CVE-2024-00003"}]})",
    R"({"resourceType":[{"comparison":"EQUALS","value":"AWS_ECR_CONTAINER_IMAGE"}]})",
    R"({"vendorSeverity":[{"comparison":"PREFIX","value":"Imp"}]})",
    R"({"ecrImageRepositoryName":[{"comparison":"EQUALS","value":"team5/app"}]})",
    R"({"ecrImageRegistry":[{"comparison":"PREFIX","value":"1111"}],)"
    R"("ecrImageRepositoryName":[{"comparison":"NOT_EQUALS","value":"team5/app"}]})",
    R"({"ec2InstanceVpcId":[{"comparison":"EQUALS","value":"vpc-1"}]})",
    R"({"lambdaFunctionName":[{"comparison":"EQUALS","value":"i-00000007"}]})",
    R"({"resourceId":[{"comparison":"PREFIX","value":"i-0000000"}],)"
    R"("firstObservedAt":[{"startInclusive":1701000000,"endInclusive":1704000000}]})",
    R"({"lastObservedAt":[{"startInclusive":1701000000}],)"
    R"("updatedAt":[{"endInclusive":1704000000}]})",
};

TEST_P(FindingQueryTest, every_way_to_a_page_shows_the_same) {
  const auto keys_of = [](const auto& findings) {
    std::vector<FindingKey> out;
    for (const auto& finding : findings) out.push_back(finding.key);
    return out;
  };
  const auto read = [&](const SqlText& statement) {
    std::vector<FindingKey> out;
    const auto rows = db().query(statement.text(), statement.values());
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().what);
    while (const auto* row = rows ? *(*rows)->next() : nullptr)
      out.push_back(read_finding(*row).key);
    return out;
  };
  for (const auto criteria : asked_in_every_way) {
    for (const auto order : orders) {
      if (is_list_of_lists(order)) continue;
      auto asked = question(criteria);
      asked.order = order;
      asked.descending = criteria.size() % 2 == 0;
      const auto expected = keys_of(all(asked));
      asked.limit = 400;
      ResolvedQuestion resolved{.question = asked,
                                .accounts = asked.accounts,
                                .columns = column_conditions(asked.criteria),
                                .by_packages = !asked.criteria.packages.empty(),
                                .engine = GetParam()};
      FindingStatements statements(resolved);
      EXPECT_TRUE(read(statements.window(400)) == expected) << criteria << static_cast<int>(order);
      for (const auto driver : statements.drivers()) {
        EXPECT_TRUE(read(statements.gathered(driver)) == expected)
            << criteria << static_cast<int>(order) << " " << static_cast<int>(driver);
        const auto driven = statements.driven(driver, 1'000);
        EXPECT_GE(db().one_integer(driven.text(), driven.values())->value_or(0),
                  std::ssize(expected))
            << criteria << static_cast<int>(driver);
      }
      if (statements.most_walked_vulnerabilities() == 0) continue;
      const auto chosen = statements.chosen_vulnerabilities(100);
      std::vector<std::string> ids;
      {
        const auto rows = db().query(chosen.text(), chosen.values());
        ASSERT_TRUE(rows);
        while (const auto* row = *(*rows)->next()) ids.push_back(row->string(0));
      }
      if (ids.empty()) continue;
      statements.walk_vulnerabilities(ids);
      EXPECT_TRUE(read(statements.window(400)) == expected) << criteria << static_cast<int>(order);
    }
  }
}

TEST_P(FindingQueryTest, windows_follow_one_another) {
  for (const auto order : orders) {
    if (is_list_of_lists(order)) continue;
    for (const bool descending : {true, false}) {
      ResolvedQuestion resolved{.question = question(asked_in_every_way[1]),
                                .accounts = {std::string(FindingFleet::account)},
                                .engine = GetParam()};
      resolved.question.order = order;
      resolved.question.descending = descending;
      resolved.columns = column_conditions(resolved.question.criteria);
      const FindingStatements statements(resolved);
      std::size_t windows = 0;
      for (; windows < 100; ++windows) {
        const auto end = statements.window_end(10);
        const auto rows = db().query(end.text(), end.values());
        ASSERT_TRUE(rows) << rows.error().what;
        const auto* row = *(*rows)->next();
        if (row == nullptr) break;
        resolved.question.after = {};
        int column = 0;
        for (const auto& key : key_of(order)) {
          if (key.kind == KeyColumn::Kind::text)
            resolved.question.after.emplace_back(row->string(column));
          else if (key.kind == KeyColumn::Kind::number)
            resolved.question.after.emplace_back(row->number(column));
          else
            resolved.question.after.emplace_back(row->integer(column));
          ++column;
        }
      }
      // Only an index by account and status leaves out what has another status.
      const auto walks_all =
          find_order(order).walk == Walk::resources ||
          (GetParam() == sql::Engine::sqlite &&
           (order == FindingOrder::vulnerability || order == FindingOrder::vulnerability_source ||
            order == FindingOrder::epss));
      const auto walked = walks_all ? 300 : count_where("f.status <> 3");
      EXPECT_EQ(windows, walked / 10) << static_cast<int>(order) << descending;
    }
  }
}

TEST_P(FindingQueryTest, a_finding_is_found_by_its_arn) {
  const auto one = all(question()).at(17);
  const auto id =
      finding_id(FindingFleet::account, one.key.resource, one.key.vulnerability, one.key.episode);
  const auto arn =
      fmt::format("arn:aws:inspector2:us-east-1:{}:finding/{}", FindingFleet::account, id);
  const auto ask = [&](std::string_view comparison, std::string_view value) {
    return count(
        fmt::format(R"({{"findingArn":[{{"comparison":"{}","value":"{}"}}]}})", comparison, value));
  };
  EXPECT_EQ(ask("EQUALS", arn), 1U);
  EXPECT_EQ(ask("NOT_EQUALS", arn), 299U);
  EXPECT_EQ(ask("PREFIX", arn.substr(0, arn.size() - 1)), 1U);
  EXPECT_EQ(ask("PREFIX", arn.substr(0, arn.size() - 22)), 15U);
  EXPECT_EQ(ask("PREFIX", "arn:aws:inspector2:us-east-1:1111"), 300U);
  EXPECT_EQ(ask("PREFIX", "arn:aws:inspector2:us-east-1:2"), 0U);
  EXPECT_EQ(ask("EQUALS", id), 0U);
  EXPECT_EQ(ask("EQUALS", "arn:aws:inspector2:us-east-1:444455556666:finding/" + id), 0U);
  EXPECT_EQ((*find_finding(db(), FindingFleet::account, id)), one.key);
  EXPECT_EQ((*find_finding(db(), "444455556666", id)), std::nullopt);
}

TEST_P(FindingQueryTest, what_means_something_to_sql_is_text) {
  for (const std::string_view value :
       {"%", "_", "'", "' OR 1=1 --", R"(\\)", R"(\\%)", ";DROP TABLE finding", "?1", "$1"}) {
    for (const std::string_view field :
         {"resourceId", "vulnerabilityId", "title", "vulnerabilitySource", "resourceType",
          "relatedVulnerabilities", "findingArn", "severity", "findingStatus",
          "ecrImageRepositoryName", "ecrImageRegistry", "ecrImageHash", "ecrImageArchitecture",
          "ec2InstanceImageId", "ec2InstanceVpcId", "ec2InstanceSubnetId", "lambdaFunctionName",
          "codeRepositoryProjectName"}) {
      for (const std::string_view comparison : {"EQUALS", "PREFIX"}) {
        EXPECT_EQ(count(fmt::format(R"({{"{}":[{{"comparison":"{}","value":"{}"}}]}})", field,
                                    comparison, value)),
                  0U)
            << field << " " << value;
      }
    }
  }
  EXPECT_EQ(count("{}"), 300U);
}

TEST_P(FindingQueryTest, packages_come_with_their_findings) {
  for (const auto& finding : all(question())) {
    EXPECT_EQ(finding.packages.size(), finding.package_ids.size()) << finding.key.vulnerability;
    EXPECT_EQ(finding.packages.front().version, "1:2.0-3");
  }
}

TEST_P(FindingQueryTest, a_package_that_shows_no_epoch_has_none) {
  constexpr auto any = R"({"vulnerablePackages":[{"epoch":{"lowerInclusive":0}}]})";
  EXPECT_EQ(count(any), 300U);
  ASSERT_TRUE(db().run("UPDATE package_version SET kind = 'pypi'"));
  EXPECT_EQ(count(any), 0U);
}

TEST_P(FindingQueryTest, other_accounts_are_not_seen) {
  auto asked = question();
  asked.accounts = {"444455556666"};
  EXPECT_TRUE(all(asked).empty());
  asked.accounts = {"000000000000", std::string(FindingFleet::account), "444455556666"};
  for (const auto order : orders) {
    asked.order = order;
    EXPECT_EQ(all(asked).size(), 300U) << static_cast<int>(order);
  }
}

TEST(FindingPlace, what_is_no_place_is_refused) {
  EXPECT_TRUE(to_position({"95", "7", "CVE-1", "3"}, FindingOrder::score));
  for (const auto* text : {"", "x", "9x", "99999999999999999999"})
    EXPECT_FALSE(to_position({text, "7", "CVE-1", "3"}, FindingOrder::score)) << text;
  EXPECT_FALSE(to_position({"95"}, FindingOrder::score));
}

// More than one statement asks for: their pages are brought together.
TEST_P(FindingQueryTest, many_accounts_are_one_list) {
  constexpr int accounts = 150;
  const auto name = [](int number) { return fmt::format("{:012}", 900'000'000'000 + number); };
  for (const auto* table : {"resource", "finding"}) {
    for (int i = 0; i < accounts; i += 2)
      ASSERT_TRUE(
          db().run(fmt::format("UPDATE {} SET account_id = ?1 WHERE resource_id % 75 = ?2", table),
                   name(i), i / 2));
  }
  auto asked = question();
  asked.accounts.clear();
  for (int i = 0; i < accounts; ++i) asked.accounts.push_back(name(i));
  for (const auto order : orders) {
    for (const bool descending : {false, true}) {
      asked.order = order;
      asked.descending = descending;
      const auto found = all(asked);
      EXPECT_EQ(found.size(), 300U) << static_cast<int>(order);
      const auto scores = order == FindingOrder::score;
      for (std::size_t i = 1; scores && i < found.size(); ++i)
        EXPECT_TRUE(descending ? found[i - 1].score >= found[i].score
                               : found[i - 1].score <= found[i].score);
    }
  }
}

TEST_P(FindingQueryTest, many_accounts_go_on_by_resource_type) {
  auto asked = question(R"({"findingStatus":[{"comparison":"EQUALS","value":"ACTIVE"}],)"
                        R"("fixAvailable":[{"comparison":"EQUALS","value":"YES"}]})");
  for (int i = 0; i < 300; ++i)
    asked.accounts.push_back(fmt::format("{:012}", 900'000'000'000 + i));
  asked.order = FindingOrder::resource_type;
  asked.limit = 60;
  EXPECT_EQ(all(asked).size(), count_where("f.status = 1 AND f.fix = 2"));
}

INSTANTIATE_TEST_SUITE_P(BothEngines, FindingQueryTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         [](const auto& engine) { return test::engine_name(engine); });

}  // namespace
}  // namespace tenken::store
