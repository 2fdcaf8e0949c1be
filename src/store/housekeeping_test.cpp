// The counts of findings and what time does to the store, on both engines.
#include "store/housekeeping.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "store/feed_states.h"
#include "store/figures.h"
#include "store/filters.h"
#include "store/finding_changes.h"
#include "store/findings.h"
#include "store/holders.h"
#include "store/jobs.h"
#include "store/matches.h"
#include "store/resources.h"
#include "support/store_case.h"
#include "support/watched_connection.h"

namespace tenken::store {
namespace {

constexpr std::string_view account = "111122223333";
constexpr Seconds day = 86'400;

class StoreTest : public StoreCase {
 protected:
  static PackageVersion version_of(std::string_view name, std::string_view version) {
    PackageVersion out;
    out.package = {.ecosystem = "PyPI",
                   .kind = "pypi",
                   .name = std::string(name),
                   .version = std::string(version)};
    out.advisory_name = std::string(name);
    return out;
  }
  static InventoryWrite inventory_of(std::string_view resource,
                                     const std::map<std::string, std::string>& packages) {
    InventoryWrite out{.account = std::string(account),
                       .external_id = std::string(resource),
                       .type = "AWS_EC2_INSTANCE",
                       .details = "{}"};
    for (const auto& [name, version] : packages)
      out.packages.emplace_back(version_of(name, version));
    return out;
  }

  void put(InventoryWrite inventory) {
    inventory.received = clock_;
    inventory.digest = fmt::format("d{}", ++reports_);
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    const InventoryWrite* const one[] = {&inventory};
    const auto written = put_inventories(db(), one, known_);
    ASSERT_TRUE(written) << written.error().what;
    ASSERT_TRUE(transaction->commit());
    known_.move_to(written->epoch);
    for (const auto id : written->interned) known_.insert(id);
  }
  void match(std::string_view name, std::string_view version,
             const std::map<std::string, std::int64_t>& scores) {
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    VersionMatches one{.id = package_version_id(version_of(name, version))};
    std::vector<StoredVulnerability> vulnerabilities;
    for (const auto& [vulnerability, score] : scores) {
      one.matches.push_back({.vulnerability = vulnerability, .score = score, .fixed_version = "9"});
      vulnerabilities.push_back({.id = vulnerability, .document = "{}"});
    }
    ASSERT_TRUE(put_vulnerabilities(db(), vulnerabilities));
    const auto written = put_matches(db(), std::span(&one, 1));
    ASSERT_TRUE(written) << written.error().what;
    ASSERT_TRUE(transaction->commit());
  }
  void evaluate(std::string_view resource) {
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    transition_ += 10;
    const ResourceEvaluation one{resource_id(account, resource),
                                 {.now = clock_, .transition = transition_, .cause = "x"}};
    const auto done = evaluate_resources(db(), std::span(&one, 1));
    ASSERT_TRUE(done) << done.error().what;
    ASSERT_TRUE(transaction->commit());
  }
  HousekeepingReport keep() {
    const auto report = keep_house(db(), clock_);
    EXPECT_TRUE(report) << report.error().what;
    return report ? *report : HousekeepingReport{};
  }

  std::int64_t count(std::string_view sql) { return db().one_integer(sql).value().value_or(-1); }
  std::int64_t rows(std::string_view table) {
    return count(fmt::format("SELECT COUNT(*) FROM {}", table));
  }
  // Every row's only text.
  std::vector<std::string> texts(std::string_view sql) {
    auto answer = db().query(sql, {});
    EXPECT_TRUE(answer) << answer.error().what;
    std::vector<std::string> out;
    while (true) {
      const auto row = (*answer)->next();
      EXPECT_TRUE(row);
      if (*row == nullptr) return out;
      out.push_back((*row)->string(0));
    }
  }
  void expect_counts_hold() {
    std::string numbers = "CAST(COUNT(*) AS TEXT)";
    std::string kept = "CAST(SUM(total) AS TEXT)";
    const std::pair<std::string_view, std::string_view> bands[] = {
        {"critical", "90 AND 100"}, {"high", "70 AND 89"},        {"medium", "40 AND 69"},
        {"low", "1 AND 39"},        {"informational", "0 AND 0"}, {"untriaged", "-1 AND -1"}};
    for (const auto& [column, scores] : bands) {
      numbers += fmt::format(
          " || ' ' || CAST(COUNT(CASE WHEN f.score BETWEEN {} THEN 1 END) AS TEXT)", scores);
      kept += fmt::format(" || ' ' || CAST(SUM({}) AS TEXT)", column);
    }
    const auto compare = [&](std::string_view table, std::string_view key, std::string_view from,
                             std::string_view counted) {
      EXPECT_EQ(texts(fmt::format("SELECT {} || ' ' || {} FROM {} GROUP BY {} "
                                  "HAVING SUM(total) > 0 ORDER BY 1",
                                  key, kept, table, key)),
                texts(fmt::format("SELECT {} || ' ' || {} FROM {} WHERE f.status = 1 GROUP BY {} "
                                  "ORDER BY 1",
                                  counted, numbers, from, counted)))
          << table;
    };
    compare("finding_count", "CAST(resource_id AS TEXT)", "finding f",
            "CAST(f.resource_id AS TEXT)");
    compare("title_count", "vulnerability_id", "finding f", "f.vulnerability_id");
    compare("package_count", "name",
            "(SELECT DISTINCT f.resource_id, f.vulnerability_id, f.status, f.score, p.name "
            "FROM finding f JOIN package_version p ON ',' || f.packages || ',' LIKE '%,' || "
            "CAST(p.package_version_id AS TEXT) || ',%') f",
            "f.name");
    expect_titles_hold();
  }

  // By account, title and type, as aggregations show them.
  void expect_titles_hold() {
    std::map<std::string, std::string> names;
    for (const auto& one :
         texts("SELECT CAST(package_version_id AS TEXT) || ' ' || name FROM package_version")) {
      const auto [id, name] = split_once(one, ' ');
      names.emplace(id, name.value_or(""));
    }
    std::map<std::string, int> counted;
    for (const auto& one :
         texts("SELECT f.vulnerability_id || '/' || f.packages || '/' || f.account_id || ' ' || "
               "c.type || ' ' || f.vulnerability_id FROM finding f JOIN finding_count c "
               "ON c.resource_id = f.resource_id WHERE f.status = 1")) {
      const auto fields = split(one, '/');
      std::set<std::string> packages;
      for (const auto id : split(fields[1], ',')) packages.insert(names[std::string(id)]);
      ++counted[fmt::format("{} {}", fields[2],
                            title_of(fields[0], {packages.begin(), packages.end()}))];
    }
    std::vector<std::string> expected;
    for (const auto& [key, total] : counted) expected.push_back(fmt::format("{} {}", key, total));
    auto kept = texts("SELECT account_id || ' ' || type || ' ' || vulnerability_id || ' ' || title "
                      "|| ' ' || CAST(SUM(total) AS TEXT) FROM title_count "
                      "GROUP BY account_id, type, vulnerability_id, title HAVING SUM(total) > 0");
    std::ranges::sort(expected);
    std::ranges::sort(kept);
    EXPECT_EQ(kept, expected);
  }

  KnownVersions known_;
  Seconds clock_ = 1'800'000'000;
  std::int64_t transition_ = 0;
  int reports_ = 0;
};

TEST_P(StoreTest, counts_are_what_counting_gives_whatever_happened) {
  std::mt19937 random(7);
  for (const auto* name : {"a", "b", "c"}) {
    for (const auto* version : {"1", "2", "3"}) {
      put(inventory_of("seed", {{name, version}}));
      match(name, version, {});
    }
  }
  for (int step = 0; step < 120; ++step) {
    clock_ += static_cast<Seconds>(random() % (3 * day));
    const auto number = [&](unsigned below) { return std::to_string(1 + random() % below); };
    const auto resource = "web-" + number(4);
    switch (random() % 4) {
      case 0:
        match(std::string(1, static_cast<char>('a' + random() % 3)), number(3),
              {{"CVE-" + number(4), static_cast<std::int64_t>(random() % 102) - 1},
               {"CVE-" + number(4), 95}});
        break;
      case 1: {
        auto inventory = inventory_of(resource, {{"a", number(3)}, {"b", number(3)}});
        if (random() % 4 == 0) inventory.type = "AWS_LAMBDA_FUNCTION";
        put(std::move(inventory));
        evaluate(resource);
        break;
      }
      case 2: {
        transition_ += 10;
        auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
        for (std::int64_t slice = 0; slice < slices; ++slice)
          ASSERT_TRUE(
              evaluate_vulnerabilities(db(), {"CVE-" + number(4)}, slice,
                                       {.now = clock_, .transition = transition_, .cause = "x"}));
        ASSERT_TRUE(transaction->commit());
        break;
      }
      default: {
        transition_ += 10;
        auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
        ASSERT_TRUE(close_resource(db(), resource_id(account, resource),
                                   {.now = clock_, .transition = transition_, .cause = "x"}));
        ASSERT_TRUE(transaction->commit());
      }
    }
    expect_counts_hold();
  }
  EXPECT_GT(rows("finding"), 5);
}

TEST_P(StoreTest, a_version_that_was_not_looked_at_yet_closes_nothing) {
  put(inventory_of("web", {{"a", "1"}}));
  match("a", "1", {{"CVE-1", 95}});
  evaluate("web");
  put(inventory_of("web", {{"a", "2"}}));
  evaluate("web");
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding WHERE status = 1"), 1);
  match("a", "2", {});
  evaluate("web");
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding WHERE status = 1"), 0);
}

TEST_P(StoreTest, figures_count_findings_by_what_is_kept_small) {
  put(inventory_of("web", {{"a", "1"}, {"b", "1"}}));
  put(inventory_of("db", {{"a", "1"}}));
  match("a", "1", {{"CVE-1", 95}, {"CVE-2", 40}, {"CVE-3", 10}});
  match("b", "1", {{"CVE-4", 95}});
  ASSERT_TRUE(add_filter(
      db(), {.account = std::string(account),
             .id = "0123456789abcdef",
             .name = "n",
             .suppresses = true,
             .criteria = R"({"vulnerabilityId":[{"comparison":"EQUALS","value":"CVE-3"}]})"}));
  evaluate("web");
  evaluate("db");
  put(inventory_of("web", {{"a", "2"}}));
  evaluate("web");
  test::WatchedConnection watched(db());
  const auto figures = count_figures(watched, clock_);
  ASSERT_TRUE(figures) << figures.error().what;
  EXPECT_EQ(figures->findings, (std::array<std::int64_t, 4>{0, 4, 2, 1}));
  EXPECT_EQ(figures->stale_findings, 3) << "of a 2 nothing is known yet";
  if (db().engine() != sql::Engine::sqlite) return;  // chooses by how much there is
  int read = 0;
  for (const auto& statement : watched.statements()) {
    if (!statement.contains(" FROM finding ") && !statement.contains(" FROM resource ")) continue;
    auto plan = db().query("EXPLAIN QUERY PLAN " + statement, {});
    ASSERT_TRUE(plan) << plan.error().what;
    while (const auto* row = (*plan)->next().value()) {
      const auto step = row->text(3);
      EXPECT_TRUE(step.contains("USING COVERING INDEX")) << statement << ": " << step;
      EXPECT_FALSE(step.contains("finding_by_update")) << "all findings: " << statement;
      ++read;
    }
  }
  EXPECT_EQ(read, 4);
}

TEST_P(StoreTest, what_is_asked_for_meanwhile_does_not_wait_for_what_failed) {
  const auto lease_one = [&](std::string_view owner) {
    return lease(db(), "evaluate", owner, clock_, 30, 1).value();
  };
  ASSERT_TRUE(enqueue(db(), "evaluate", "1", "d1", clock_));
  auto jobs = lease_one("first");
  ASSERT_EQ(jobs.size(), 1U);
  ASSERT_TRUE(enqueue(db(), "evaluate", "1", "d2", clock_));
  ASSERT_TRUE(postpone(db(), jobs[0], "first", "no", clock_));
  jobs = lease_one("first");
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].attempts, 0);
  // Its lease ran out, and another has it.
  clock_ += 31;
  const auto others = lease_one("second");
  ASSERT_EQ(others.size(), 1U);
  ASSERT_TRUE(postpone(db(), jobs[0], "first", "no", clock_));
  EXPECT_TRUE(renew(db(), others[0], "second", clock_ + 30).value());
  ASSERT_TRUE(postpone(db(), others[0], "second", "no", clock_));
  EXPECT_TRUE(lease_one("second").empty());
}

TEST_P(StoreTest, what_a_statement_makes_active_or_ends_is_counted) {
  put(inventory_of("web", {{"a", "1"}, {"b", "1"}}));
  match("a", "1", {{"CVE-1", 95}});
  match("b", "1", {{"CVE-1", 75}, {"CVE-2", 45}});
  evaluate("web");
  for (const bool gained : {false, true}) {
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    SqlText update;
    update.add(
        fmt::format("UPDATE finding SET status = {} WHERE vulnerability_id = ", gained ? 1 : 2));
    update.add(update.bind(std::string("CVE-1")));
    FindingChanges changes;
    EXPECT_EQ(changes.run_switch(db(), update.text(), update.values(), {}, gained).value(), 1);
    ASSERT_TRUE(changes.write(db()));
    ASSERT_TRUE(transaction->commit());
    expect_counts_hold();
  }
  EXPECT_EQ(count("SELECT CAST(SUM(total) AS BIGINT) FROM package_count"), 3);
}

TEST_P(StoreTest, a_feed_that_the_generation_does_not_hold_has_no_records) {
  const auto state = [](std::string node, std::string feed, std::int64_t records) {
    return FeedState{.node = std::move(node), .feed = std::move(feed), .records = records};
  };
  ASSERT_TRUE(put_feed_contents(db(), "a", {state("a", "kev", 1), state("a", "osv", 2)}));
  ASSERT_TRUE(put_feed_contents(db(), "b", {state("b", "osv", 3)}));
  ASSERT_TRUE(put_feed_contents(db(), "a", {state("a", "kev", 4)}));
  std::vector<std::string> held;
  for (const auto& one : feed_states(db()).value())
    held.push_back(fmt::format("{} {} {}", one.node, one.feed, one.records));
  EXPECT_EQ(held, (std::vector<std::string>{"a kev 4", "a osv 0", "b osv 3"}));
}

TEST_P(StoreTest, a_resource_that_does_not_report_in_time_is_gone_and_its_findings_are_closed) {
  auto inventory = inventory_of("ci", {{"a", "1"}});
  inventory.expires = clock_ + day;
  put(std::move(inventory));
  put(inventory_of("web", {{"a", "1"}}));
  match("a", "1", {{"CVE-1", 95}});
  evaluate("ci");
  evaluate("web");
  clock_ += day - 1;
  EXPECT_EQ(keep().expired, 0);
  clock_ += 1;
  EXPECT_EQ(keep().expired, 1);
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding WHERE status = 3"), 1);
  const auto events = history(db(), resource_id(account, "ci"), "CVE-1").value();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].cause, "expired");
  EXPECT_EQ(find_resource(db(), account, "ci").value()->coverage_reason, "RESOURCE_TERMINATED");
  expect_counts_hold();
  put(inventory_of("ci", {{"a", "1"}}));
  evaluate("ci");
  EXPECT_EQ(find_resource(db(), account, "ci").value()->coverage_reason, "PENDING_INITIAL_SCAN");
  EXPECT_EQ(count("SELECT COUNT(*) FROM finding WHERE status = 1"), 2);
}

TEST_P(StoreTest, numbers_of_changes_grow_in_a_slice_whatever_the_clock_says) {
  auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
  const auto first = next_transition(db(), 3, clock_).value();
  EXPECT_EQ(first / 1'000'000, clock_);
  EXPECT_EQ(next_transition(db(), 3, clock_ - 600).value(), first + 3)
      << "what is opened, and what rules do, have the two between";
  EXPECT_LT(next_transition(db(), 4, clock_ - 600).value(), first) << "each slice has its own";
  EXPECT_EQ(next_transition(db(), 3, clock_ + 600).value() / 1'000'000, clock_ + 600);
}

TEST_P(StoreTest, closed_findings_end_after_thirty_days_those_of_the_gone_after_seven) {
  auto inventory = inventory_of("ci", {{"a", "1"}});
  inventory.expires = clock_ + 1;
  put(std::move(inventory));
  put(inventory_of("web", {{"a", "1"}}));
  match("a", "1", {{"CVE-1", 95}});
  evaluate("ci");
  evaluate("web");
  clock_ += 1;
  put(inventory_of("web", {{"b", "1"}}));
  match("b", "1", {});
  evaluate("web");
  EXPECT_EQ(keep().expired, 1);
  EXPECT_EQ(rows("finding"), 2);
  clock_ += 7 * day;
  EXPECT_EQ(keep().findings, 0);
  clock_ += 1;
  const auto week_later = keep();
  EXPECT_EQ(week_later.findings, 1);
  EXPECT_EQ(week_later.forgotten, 1);
  EXPECT_EQ(rows("resource"), 1);
  clock_ += 23 * day;
  EXPECT_EQ(keep().findings, 1);
  EXPECT_EQ(rows("finding"), 0);
  const auto events = history(db(), resource_id(account, "web"), "CVE-1").value();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].status, Lifecycle::active);
  EXPECT_EQ(events[1].status, Lifecycle::closed);
  clock_ += 400 * day;
  keep();
  EXPECT_EQ(rows("finding_event"), 0);
}

TEST_P(StoreTest, a_package_version_ends_when_no_resource_and_no_finding_needs_it) {
  put(inventory_of("web", {{"a", "1"}}));
  match("a", "1", {{"CVE-1", 95}});
  evaluate("web");
  put(inventory_of("web", {{"a", "2"}}));
  match("a", "2", {});
  keep();
  clock_ += 32 * day;
  // Its finding was not closed: it is named still.
  EXPECT_EQ(keep().versions, 0);
  evaluate("web");
  clock_ += 31 * day;
  const auto report = keep();
  EXPECT_EQ(report.findings, 1);
  EXPECT_EQ(report.versions, 1);
  EXPECT_EQ(report.vulnerabilities, 1);
  EXPECT_EQ(rows("match"), 0);
  EXPECT_EQ(rows("package_version"), 1);
}

TEST_P(StoreTest, package_versions_that_findings_name_keep_no_other_from_ending) {
  put(inventory_of("web", {{"a", "1"}}));
  match("a", "1", {{"CVE-1", 95}});
  evaluate("web");
  // More than are looked at at once, all before the one that ends.
  constexpr std::int64_t named = 10'001;
  auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
  ASSERT_TRUE(transaction);
  std::string packages;
  {
    auto bulk =
        db().bulk({.table = "package_version",
                   .columns = {"package_version_id", "ecosystem", "release", "kind", "name",
                               "version", "arch", "source_name", "source_version", "module_label",
                               "vendor", "purl", "host_state", "advisory_name"}});
    ASSERT_TRUE(bulk);
    for (std::int64_t id = 0; id < named; ++id) {
      std::vector<sql::Value> row(14, std::string_view("b"));
      row[0] = id;
      ASSERT_TRUE((*bulk)->add(row));
      packages += fmt::format(",{}", id);
    }
    ASSERT_TRUE((*bulk)->finish());
  }
  ASSERT_EQ(db().run("UPDATE finding SET packages = packages || ?1", packages).value_or(0), 1);
  ASSERT_TRUE(transaction->commit());
  put(inventory_of("web-2", {{"c", "1"}}));
  put(inventory_of("web-2", {{"c", "2"}}));
  keep();
  clock_ += 32 * day;
  EXPECT_EQ(keep().versions, 1);
  EXPECT_EQ(count("SELECT COUNT(*) FROM package_version WHERE name = 'b'"), named);
}

TEST_P(StoreTest, an_id_that_stands_for_another_package_version_is_a_conflict) {
  put(inventory_of("web", {{"a", "1"}}));
  const auto one = inventory_of("web-2", {{"a", "1"}});
  const auto put_alone = [&](const InventoryWrite& inventory, const KnownVersions& known) {
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    const InventoryWrite* const all[] = {&inventory};
    const auto written = put_inventories(db(), all, known);
    return written ? std::string() : written.error().what;
  };
  constexpr std::string_view refusal = "package a 1: its id is taken by another package version";
  EXPECT_EQ(put_alone(one, {}), "") << "what is there is what is meant";
  ASSERT_EQ(db().run("UPDATE package_version SET source_name = 'b'").value_or(0), 1);
  EXPECT_EQ(put_alone(one, {}), refusal);
  // What this process knows by that id is not what is meant either.
  KnownVersions known;
  auto hash = one.packages[0].hash;
  ++hash.rest;
  known.insert(hash);
  EXPECT_EQ(put_alone(one, known), refusal);
  auto both = inventory_of("web-3", {{"a", "1"}, {"c", "1"}});
  for (auto& package : both.packages) package.hash.id = {1};
  EXPECT_TRUE(put_alone(both, {}).starts_with("package c 1: "));
}

// PostgreSQL holds a row of an index to 2,700 bytes, once what repeats in it is compressed.
TEST_P(StoreTest, two_names_of_1024_bytes_are_counted_under_one_title) {
  std::mt19937 random(7);
  const auto name = [&] {
    std::string out;
    while (out.size() < 1'024) out += static_cast<char>('!' + random() % 90);
    return out;
  };
  const std::string names[] = {name(), name()};
  put(inventory_of("web", {{names[0], "1"}, {names[1], "1"}}));
  for (const auto& one : names) match(one, "1", {{"CVE-2024-12345678", 95}});
  evaluate("web");
  EXPECT_EQ(rows("title_count"), 1);
  EXPECT_EQ(rows("package_count"), 2);
}

TEST_P(StoreTest, an_ingest_that_knew_a_package_version_puts_it_back_after_it_ended) {
  put(inventory_of("web", {{"a", "1"}}));
  put(inventory_of("web", {{"a", "2"}}));
  keep();
  clock_ += 32 * day;
  EXPECT_EQ(keep().versions, 1);
  EXPECT_TRUE(known_.contains(package_version_hash(version_of("a", "1"))));
  put(inventory_of("web-2", {{"a", "1"}}));
  EXPECT_EQ(rows("package_version"), 2);
  EXPECT_EQ(count("SELECT COUNT(*) FROM resource_package rp WHERE NOT EXISTS (SELECT 1 FROM "
                  "package_version v WHERE v.package_version_id = rp.package_version_id)"),
            0);
  // What is put back has no matches of its own and waits for them.
  EXPECT_EQ(count("SELECT COUNT(*) FROM package_version WHERE matched = 0"), 2);
}

TEST_P(StoreTest, matches_of_a_version_that_ended_are_not_written) {
  match("never", "1", {{"CVE-1", 95}});
  EXPECT_EQ(rows("match"), 0);
}

// Many packages wait to be brought in, few are at once, and what is lost may still wait.
TEST_P(StoreTest, who_reads_by_version_sees_what_resources_have) {
  const auto differing = [&] {
    const auto held =
        fmt::format("SELECT package_version_id, resource_id FROM {}", holders(db().engine()));
    constexpr std::string_view had = "SELECT package_version_id, resource_id FROM resource_package";
    return count(fmt::format("SELECT COUNT(*) FROM ({0} EXCEPT {1}) a", had, held)) +
           count(fmt::format("SELECT COUNT(*) FROM ({1} EXCEPT {0}) a", had, held));
  };
  const auto bring_in = [&] {
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    ASSERT_TRUE(bring_in_holders(db()));
    ASSERT_TRUE(transaction->commit());
  };
  std::mt19937 random(7);
  std::size_t waited = 0;
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, std::string> packages;
    for (auto i = random() % 100; i > 0; --i)
      packages[fmt::format("p{}", random() % 120)] = std::to_string(random() % 2);
    auto inventory = inventory_of(fmt::format("web-{}", random() % 4), packages);
    inventory.complete = random() % 3 > 0;
    put(std::move(inventory));
    waited += differing() > 0 ? 1 : 0;
    if (random() % 4 > 0) continue;
    bring_in();
    ASSERT_EQ(differing(), 0) << round;
  }
  EXPECT_EQ(waited > 0, db().engine() == sql::Engine::sqlite);
  clock_ += 400 * day;
  for (int i = 0; i < 4; ++i) {
    auto inventory = inventory_of(fmt::format("web-{}", i), {});
    inventory.expires = clock_ + 1;
    inventory.complete = false;
    put(std::move(inventory));
  }
  clock_ += 2;
  keep();
  EXPECT_GT(rows("resource_package"), 0);
  clock_ += 400 * day;
  keep();
  EXPECT_EQ(rows("resource_package"), 0);
  EXPECT_EQ(rows(holders(db().engine())), 0);
}

INSTANTIATE_TEST_SUITE_P(BothEngines, StoreTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::store
