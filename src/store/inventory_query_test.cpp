#include "store/inventory_query.h"

#include "support/store_case.h"

namespace tenken::store {
namespace {

constexpr std::string_view account = "111122223333";
constexpr std::string_view not_orderable = R"([{"kind":"version","subject":"a","reason":"odd"}])";
constexpr Seconds now = 1'800'000'000;

class InventoryQueryTest : public StoreCase {
 protected:
  void SetUp() override {
    StoreCase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const auto* host : {"stays", "goes"}) put(host, {"a", "b", "c"});
    const VersionMatches undecided{.id = package_version_id(version_of("a")),
                                   .decided = Decided::partly,
                                   .unknown = std::string(not_orderable)};
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    ASSERT_TRUE(put_matches(db(), std::span(&undecided, 1)));
    ASSERT_TRUE(transaction->commit());
  }

  static PackageVersion version_of(std::string_view name) {
    PackageVersion out;
    out.package = {
        .ecosystem = "PyPI", .kind = "pypi", .name = std::string(name), .version = "1.0"};
    out.advisory_name = std::string(name);
    return out;
  }
  void put(std::string_view host, const std::vector<std::string_view>& packages) {
    InventoryWrite inventory{.account = std::string(account),
                             .external_id = std::string(host),
                             .type = "AWS_EC2_INSTANCE",
                             .details = "{}",
                             .digest = std::string(host),
                             .received = now};
    for (const auto name : packages) inventory.packages.emplace_back(version_of(name));
    auto transaction = sql::Transaction::begin(db(), sql::Transaction::Mode::write);
    const InventoryWrite* const one[] = {&inventory};
    const auto written = put_inventories(db(), one, {});
    ASSERT_TRUE(written) << written.error().what;
    ASSERT_TRUE(transaction->commit());
  }

  std::int64_t packages() {
    std::int64_t out = 0;
    const auto counts = count_resources(db(), account);
    EXPECT_TRUE(counts) << counts.error().what;
    for (const auto& one : *counts) out += one.packages;
    return out;
  }
  std::int64_t undecided() {
    std::int64_t out = 0;
    const auto counts = count_undecided(db(), account);
    EXPECT_TRUE(counts) << counts.error().what;
    for (const auto& one : *counts) out += one.packages;
    return out;
  }
};

TEST_P(InventoryQueryTest, nothing_is_installed_on_a_resource_that_is_gone) {
  EXPECT_EQ(packages(), 6);
  EXPECT_EQ(undecided(), 2);
  ASSERT_TRUE(terminate_resource(db(), resource_id(account, "goes"), now).value());
  EXPECT_EQ(packages(), 3);
  EXPECT_EQ(undecided(), 1);
  const auto counts = count_resources(db(), account).value();
  std::int64_t resources = 0;
  for (const auto& one : counts) resources += one.resources;
  EXPECT_EQ(resources, 2) << "it is counted, by its coverage";
}

INSTANTIATE_TEST_SUITE_P(BothEngines, InventoryQueryTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::store
