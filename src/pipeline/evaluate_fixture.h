// A store, a clock and generations of advisories, and hosts that report to it, for tests of the
// evaluation on both engines.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "host/processes.h"
#include "pipeline/evaluate.h"
#include "pipeline/ingest.h"
#include "pipeline/node_generations.h"
#include "pipeline/retire.h"
#include "pipeline/stored_inventory.h"
#include "store/inventory_query.h"
#include "store/resources.h"
#include "store/schema.h"
#include "support/advisory_case.h"
#include "support/scratch.h"
#include "support/test_database.h"

namespace tenken::pipeline {

inline constexpr std::string_view account = "111122223333";
inline constexpr Seconds day = 86'400;
inline constexpr auto advisory = test::osv_advisory;

// A store, a clock and generations made of a few advisories.
class EvaluateTest : public ::testing::TestWithParam<sql::Engine> {
 protected:
  void SetUp() override {
    NEED_ENGINE(GetParam());
    database_.emplace(GetParam());
    pool_.emplace(database_->location(), 4);
    auto connection = pool_->lease();
    ASSERT_TRUE(connection) << connection.error().what;
    const auto migrated = store::migrate(**connection);
    ASSERT_TRUE(migrated) << migrated.error().what;
    ingest_.emplace(*pool_, [] {});
    evaluator_.emplace(EvaluatorOptions{.pool = &*pool_,
                                        .node = "node-1",
                                        .current = [this] { return current_; },
                                        .find =
                                            [this](const std::string& id) {
                                              const auto found = generations_.find(id);
                                              return found == generations_.end() ? nullptr
                                                                                 : found->second;
                                            },
                                        .clock = [this] { return clock_; }});
  }

  // Makes a generation of these advisories the current one.
  void use(const std::map<std::string, std::string>& advisories) {
    current_ = test::built_advisories(scratch_, fmt::format("{}", ++built_), advisories);
    ASSERT_NE(current_, nullptr);
    generations_[current_->generation()] = current_;
    const auto noticed = evaluator_->notice_generation();
    ASSERT_TRUE(noticed) << noticed.error().what;
  }

  void report(std::string_view resource, const std::map<std::string, std::string>& packages,
              bool complete = true) {
    auto inventory = test::python_host(packages);
    for (auto& package : inventory.packages) package.location = "srv/" + package.name;
    if (!complete) inventory.skips.push_back({.file = "x", .reason = "unreadable"});
    put(resource, std::move(inventory));
  }
  // A host of Debian 12 with these packages.
  void report_debian(std::string_view resource, const std::map<std::string, std::string>& packages,
                     const HostFacts& facts = {}) {
    auto inventory = test::python_host(packages);
    for (auto& package : inventory.packages) {
      package.ecosystem = "Debian";
      package.release = "12";
      package.kind = "deb";
    }
    put(resource, std::move(inventory), facts);
  }
  void put(std::string_view resource, Inventory inventory, const HostFacts& facts = {}) {
    auto write = stored_inventory({.account = std::string(account),
                                   .external_id = std::string(resource),
                                   .tags = tags_,
                                   .digest = fmt::format("d{}", ++reports_),
                                   .received = clock_},
                                  std::move(inventory), facts);
    const auto put = ingest_->put(std::move(write));
    ASSERT_TRUE(put) << put.error().what;
  }

  void work() { test::work_through(*evaluator_); }

  // "<resource> <vulnerability> <status>", sorted.
  std::vector<std::string> findings() {
    auto connection = pool_->lease();
    auto rows =
        (*connection)
            ->query(
                "SELECT r.external_id, f.vulnerability_id, f.status FROM finding f JOIN resource r "
                "ON r.resource_id = f.resource_id ORDER BY 1, 2, f.episode");
    EXPECT_TRUE(rows) << rows.error().what;
    std::vector<std::string> out;
    while (true) {
      const auto row = (*rows)->next();
      EXPECT_TRUE(row);
      if (*row == nullptr) return out;
      constexpr std::array<std::string_view, 4> status{"?", "ACTIVE", "SUPPRESSED", "CLOSED"};
      out.push_back(fmt::format("{} {} {}", (*row)->text(0), (*row)->text(1),
                                status[static_cast<std::size_t>((*row)->integer(2))]));
    }
  }

  // "<name> <version> <files>" of what is installed no longer and still runs.
  std::vector<std::string> running(std::string_view resource) {
    auto connection = pool_->lease();
    const auto versions =
        store::installed_versions(**connection, store::resource_id(account, resource), {-1}, 100);
    EXPECT_TRUE(versions) << versions.error().what;
    std::vector<std::string> out;
    for (const auto& one : *versions) {
      const auto& package = one.version.package;
      if (!one.running.empty())
        out.push_back(fmt::format("{} {} {}", package.name, package.version, one.location));
    }
    std::ranges::sort(out);
    return out;
  }

  std::string coverage(std::string_view resource) {
    auto connection = pool_->lease();
    const auto found = store::find_resource(**connection, account, resource);
    EXPECT_TRUE(found && *found);
    return fmt::format("{} {}", (*found)->coverage_status, (*found)->coverage_reason);
  }

  // How many are installed, as it is shown, and as they are listed.
  std::pair<std::int64_t, std::int64_t> packages(std::string_view resource) {
    auto connection = pool_->lease();
    const auto found = store::find_resource(**connection, account, resource);
    EXPECT_TRUE(found && *found);
    const auto listed =
        store::installed_versions(**connection, store::resource_id(account, resource), {-1}, 100);
    EXPECT_TRUE(listed) << listed.error().what;
    const auto running =
        std::ranges::count_if(*listed, [](const auto& one) { return !one.running.empty(); });
    return {(*found)->packages, std::ssize(*listed) - running};
  }

  std::vector<std::string> history(std::string_view resource, std::string_view vulnerability) {
    auto connection = pool_->lease();
    const auto events =
        store::history(**connection, store::resource_id(account, resource), vulnerability);
    EXPECT_TRUE(events) << events.error().what;
    std::vector<std::string> out;
    for (const auto& event : *events)
      out.push_back(fmt::format("{} {}", static_cast<int>(event.status), event.cause));
    return out;
  }

  using Lines = std::vector<std::string>;

  test::Scratch scratch_;
  std::optional<test::TestDatabase> database_;
  std::optional<sql::Pool> pool_;
  std::optional<Ingest> ingest_;
  std::optional<Evaluator> evaluator_;
  std::map<std::string, Generation> generations_;
  Generation current_;
  Seconds clock_ = 1'800'000'000;
  int built_ = 0;
  std::vector<std::pair<std::string, std::string>> tags_;  // of what reports from here on
  int reports_ = 0;
};

}  // namespace tenken::pipeline
