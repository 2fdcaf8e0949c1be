#include "store/schema.h"

#include <fmt/format.h>

#include "store/finding_counts.h"
#include "store/findings.h"
#include "store/resources.h"
#include "support/store_case.h"

namespace tenken::store {
namespace {

class SchemaTest : public StoreCase {
 protected:
  void add_finding(std::int64_t resource, int status, int transition, std::string_view cause) {
    ASSERT_TRUE(db().run(fmt::format(
        "INSERT INTO finding (resource_id, vulnerability_id, episode, account_id, status, score, "
        "fix, packages, last_observed_at, updated_at, cause, transition) "
        "VALUES ({}, 'CVE-1', 100, '111122223333', {}, 50, 0, '1', 100, 100, '{}', {})",
        resource, status, cause, transition)));
  }
  void add_event(std::int64_t resource, int status, int transition, std::string_view cause) {
    ASSERT_TRUE(db().run(fmt::format(
        "INSERT INTO finding_event (resource_id, vulnerability_id, episode, transition, "
        "happened_at, status, cause) VALUES ({}, 'CVE-1', 100, {}, {}, {}, '{}')",
        resource, transition, 100 + transition, status, cause)));
  }
  std::vector<std::string> history_of(std::int64_t resource) {
    std::vector<std::string> out;
    const auto events = history(db(), {resource}, "CVE-1");
    EXPECT_TRUE(events) << (events ? "" : events.error().what);
    if (!events) return out;
    for (const auto& one : *events)
      out.push_back(fmt::format("{} {}", static_cast<int>(one.status), one.cause));
    return out;
  }

 private:
  Result<> first_tables(sql::Connection& connection) override { return migrate_to(connection, 6); }
};

TEST_P(SchemaTest, how_findings_of_an_older_store_were_opened_stands_in_them_once) {
  add_finding(1, 1, 0, "inventory a");
  add_event(1, 1, 0, "inventory a");
  add_finding(2, 1, 2, "inventory c");
  add_event(2, 1, 0, "inventory a");
  add_event(2, 3, 1, "inventory b");
  add_event(2, 1, 2, "inventory c");
  add_event(3, 1, 0, "inventory a");
  add_event(3, 3, 1, "inventory b");
  const auto migrated = migrate(db());
  ASSERT_TRUE(migrated) << migrated.error().what;
  using Lines = std::vector<std::string>;
  EXPECT_EQ(history_of(1), Lines{"1 inventory a"});
  EXPECT_EQ(history_of(2), (Lines{"1 inventory a", "3 inventory b", "1 inventory c"}));
  EXPECT_EQ(history_of(3), (Lines{"1 inventory a", "3 inventory b"}));
  EXPECT_EQ(db().one_integer("SELECT COUNT(*) FROM finding_event").value(), 4);
}

TEST_P(SchemaTest, findings_of_an_older_store_are_the_same_afterwards) {
  ASSERT_TRUE(
      db().run("INSERT INTO finding (resource_id, vulnerability_id, episode, account_id, status, "
               "score, fix, stale, packages, last_observed_at, updated_at, closed_at, "
               "suppressed_by, cause, transition) VALUES "
               "(9, 'CVE-2', 101, '111122223333', 2, 51, 2, 1, '3,4', 201, 301, 0, 'f', 'b', 7), "
               "(8, 'CVE-1', 102, '111122223333', 3, 52, 1, 0, '5', 202, 302, 402, '', 'c', 8)"));
  const auto all_of = [&] {
    std::vector<std::string> out;
    auto rows = db().query(
        "SELECT resource_id || ' ' || vulnerability_id || ' ' || episode || ' ' || account_id || "
        "' ' || status || ' ' || score || ' ' || fix || ' ' || stale || ' ' || packages || ' ' || "
        "last_observed_at || ' ' || updated_at || ' ' || closed_at || ' ' || suppressed_by || "
        "' ' || cause || ' ' || transition FROM finding ORDER BY 1");
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().what);
    while (const auto* row = (*rows)->next().value()) out.push_back(row->string(0));
    return out;
  };
  const auto before = all_of();
  ASSERT_EQ(before.size(), 2);
  const auto migrated = migrate(db());
  ASSERT_TRUE(migrated) << migrated.error().what;
  EXPECT_EQ(all_of(), before);
  EXPECT_EQ(db().one_integer("SELECT COUNT(*) FROM finding WHERE closed_at > 0").value(), 1);
}

TEST_P(SchemaTest, what_ran_by_an_older_store_is_known_as_of_its_last_report) {
  for (const int resource : {1, 2})
    ASSERT_TRUE(db().run(fmt::format(
        "INSERT INTO resource (resource_id, account_id, external_id, type, region, name, tags, "
        "created_at, seen_at, changed_at) VALUES ({0}, '111122223333', 'web-{0}', "
        "'AWS_EC2_INSTANCE', 'us-east-1', 'web', '{{}}', 50, 100, 100)",
        resource)));
  ASSERT_TRUE(
      db().run("INSERT INTO resource_package (resource_id, package_version_id, location, "
               "running) VALUES (1, 7, '', '[1]'), (2, 7, '', '')"));
  const auto migrated = migrate(db());
  ASSERT_TRUE(migrated) << migrated.error().what;
  const auto known = [&](int resource) {
    return db()
        .one_integer("SELECT running_known_at FROM resource WHERE resource_id = ?1", resource)
        .value();
  };
  EXPECT_EQ(known(1), 99);
  EXPECT_EQ(known(2), 0);
}

TEST_P(SchemaTest, resources_of_an_older_store_have_the_facts_that_new_ones_have) {
  const auto hash = "sha256:" + std::string(64, 'a');
  const std::string_view image = "AWS_ECR_CONTAINER_IMAGE";
  const std::string_view host = "AWS_EC2_INSTANCE";
  const std::string_view all =
      R"({"instance":{"imageId":"ami-1","vpcId":"vpc-1","subnetId":"subnet-1"}})";
  const std::tuple<std::string_view, std::string, std::string_view> cases[] = {
      {image, "zeta/app@" + hash, "{}"},
      {image, "registry.example/zeta/app@" + hash, "{}"},
      {image, "arn:aws:ecr:us-east-1:111122223333:repository/a.b/c/" + hash, "{}"},
      {image, "a/b.c/d@" + hash, all},
      {image, "/d@" + hash, "{}"},
      {image, "registry.example/@" + hash, "{}"},
      {image, "@" + hash, "{}"},
      {image, hash, "{}"},
      {host, "zeta/host@" + hash, "{}"},
      {host, "i-1", all},
      {host, "i-2", R"({"instance":{"vpcId":"vpc-2"}})"},
      {host, "i-3", R"({"instance":{"vpcId":"a\u0000b"}})"},
      {host, "i-4", "{}"}};
  for (const auto& [type, id, details] : cases) {
    ASSERT_TRUE(
        db().run("INSERT INTO resource (resource_id, account_id, external_id, type, details, "
                 "created_at) VALUES (?1, '111122223333', ?2, ?3, ?4, 50)",
                 resource_id("111122223333", id).value, id, type, details));
  }
  const auto migrated = migrate(db());
  ASSERT_TRUE(migrated) << migrated.error().what;
  for (const auto& [type, id, details] : cases) {
    const auto read = find_resource(db(), "111122223333", id);
    ASSERT_TRUE(read);
    const auto want = facts_of(type, "111122223333", id, details);
    const auto& have = read->value().facts;
    EXPECT_TRUE(have == want) << id << ": " << have.registry << " " << have.repository << " "
                              << have.image_hash << " " << have.vpc_id;
  }
  EXPECT_EQ(facts_of(image, "1", "r.x/a/b@" + hash, "{}").registry, "r.x");
  EXPECT_EQ(facts_of(image, "1", "r.x/a/b@" + hash, "{}").repository, "a/b");
  EXPECT_EQ(facts_of(image, "1", "a/b@" + hash, "{}").registry, "1");
}

TEST_P(SchemaTest, matches_that_hold_no_words_of_vendors_are_made_again) {
  ASSERT_TRUE(db().run("INSERT INTO setting (name, value) VALUES ('advisory_generation', 'g1')"));
  ASSERT_TRUE(migrate(db()));
  EXPECT_EQ(db().one_text("SELECT value FROM setting WHERE name = 'advisory_generation'").value(),
            "-");
}

TEST_P(SchemaTest, hosts_of_an_older_store_that_are_tagged_so_are_excluded) {
  for (const int resource : {1, 2})
    ASSERT_TRUE(db().run(fmt::format(
        "INSERT INTO resource (resource_id, account_id, external_id, type, region, name, tags, "
        "inventory_digest, created_at, seen_at, changed_at) VALUES ({0}, '111122223333', "
        "'web-{0}', 'AWS_EC2_INSTANCE', 'us-east-1', 'web', '{{}}', 'd', 50, 100, 100)",
        resource)));
  ASSERT_TRUE(
      db().run("INSERT INTO resource_tag (resource_id, name, value) "
               "VALUES (1, 'InspectorEc2Exclusion', ''), (2, 'env', 'prod')"));
  const auto migrated = migrate(db());
  ASSERT_TRUE(migrated) << migrated.error().what;
  EXPECT_EQ(db().one_integer("SELECT resource_id FROM resource WHERE coverage_reason = "
                             "'EXCLUDED_BY_TAG'")
                .value(),
            1);
  EXPECT_EQ(db().one_text("SELECT subject FROM job WHERE kind = 'evaluate'").value(), "1");
}

// A finding on a host and one like it on a function of the last slice; every severity; what is
// suppressed; two versions of one package.
TEST_P(SchemaTest, findings_of_an_older_store_are_counted_by_every_severity) {
  const ResourceId far{slice_range(slices - 1).first.value + 1};
  const auto last = GetParam() == sql::Engine::sqlite ? 0 : slices - 1;
  ASSERT_TRUE(db().script(fmt::format(
      "INSERT INTO package_version (package_version_id, ecosystem, release, kind, name, version, "
      "arch, source_name, source_version, module_label, vendor, purl, host_state, advisory_name) "
      "VALUES (1, '', '', '', 'b', '1', '', '', '', '', '', '', '', ''),"
      "(2, '', '', '', 'a', '1', '', '', '', '', '', '', '', ''),"
      "(3, '', '', '', 'c', '1', '', '', '', '', '', '', '', ''),"
      "(4, '', '', '', 'a', '2', '', '', '', '', '', '', '', '');"
      "INSERT INTO finding (resource_id, vulnerability_id, episode, account_id, status, score, "
      "fix, packages, last_observed_at, updated_at, cause, transition) VALUES "
      "(1, 'CVE-1', 1, '1', 1, 30, 0, '1,2,3', 1, 1, '', 0),"
      "(1, 'CVE-2', 1, '1', 1, 0, 0, '1', 1, 1, '', 0),"
      "(1, 'CVE-3', 1, '1', 1, -1, 0, '2,4', 1, 1, '', 0),"
      "(1, 'CVE-4', 1, '1', 1, 95, 0, '1', 1, 1, '', 0),"
      "(1, 'CVE-5', 1, '1', 2, 20, 0, '1', 1, 1, '', 0),"
      "(1, 'CVE-6', 1, '1', 1, 20, 0, '1,2', 1, 1, '', 0),"
      "({0}, 'CVE-1', 1, '1', 1, 39, 0, '3,2,1', 1, 1, '', 0);"
      "INSERT INTO finding_count VALUES (1, '1', 'HOST', 5, 1, 0, 0),"
      "({0}, '1', 'FUNCTION', 1, 0, 0, 0);"
      "INSERT INTO title_count VALUES ('1', 'CVE-1', '{2}', 'HOST', 0, 1, 0, 0, 0, 0),"
      "('1', 'CVE-2', 'CVE-2 - b', 'HOST', 0, 1, 0, 0, 0, 0),"
      "('1', 'CVE-3', 'CVE-3 - a', 'HOST', 0, 1, 0, 0, 0, 0),"
      "('1', 'CVE-4', 'CVE-4 - b', 'HOST', 0, 1, 1, 0, 0, 0),"
      "('1', 'CVE-6', 'CVE-6 - a, b', 'HOST', 0, 1, 0, 0, 0, 0),"
      "('1', 'CVE-1', '{2}', 'FUNCTION', {1}, 1, 0, 0, 0, 0);"
      "INSERT INTO package_count VALUES ('1', 'a', 0, 3, 0, 0, 0), ('1', 'b', 0, 4, 1, 0, 0),"
      "('1', 'c', 0, 1, 0, 0, 0);"
      "INSERT INTO package_count VALUES ('1', 'a', {1}, 1, 0, 0, 0), ('1', 'b', {1}, 1, 0, 0, 0),"
      "('1', 'c', {1}, 1, 0, 0, 0) ON CONFLICT (account_id, name, slice) "
      "DO UPDATE SET total = package_count.total + excluded.total;",
      far.value, last, title_of("CVE-1", {"a", "b", "c"}))));
  const auto migrated = migrate(db());
  ASSERT_TRUE(migrated) << migrated.error().what;
  const auto lines = [&](std::string_view key, std::string_view table) {
    std::vector<std::string> out;
    auto rows = db().query(
        fmt::format("SELECT {0} || ' ' || SUM(total) || ' ' || SUM(low) || ' ' || "
                    "SUM(informational) || ' ' || SUM(untriaged) FROM {1} GROUP BY {0} ORDER BY 1",
                    key, table),
        {});
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().what);
    while (const auto* row = (*rows)->next().value()) out.push_back(row->string(0));
    return out;
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines("type", "finding_count"), (Lines{"FUNCTION 1 1 0 0", "HOST 5 2 1 1"}));
  EXPECT_EQ(
      lines("title || ' ' || type", "title_count"),
      (Lines{"CVE-1 - a, b and 1 more FUNCTION 1 1 0 0", "CVE-1 - a, b and 1 more HOST 1 1 0 0",
             "CVE-2 - b HOST 1 0 1 0", "CVE-3 - a HOST 1 0 0 1", "CVE-4 - b HOST 1 0 0 0",
             "CVE-6 - a, b HOST 1 1 0 0"}));
  EXPECT_EQ(lines("name", "package_count"), (Lines{"a 4 3 0 1", "b 5 3 1 0", "c 2 2 0 0"}));
  EXPECT_EQ(db().one_integer("SELECT low FROM package_count WHERE name = 'a' AND slice = ?1", last)
                .value(),
            last == 0 ? 3 : 1);
}

INSTANTIATE_TEST_SUITE_P(BothEngines, SchemaTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         [](const auto& engine) { return test::engine_name(engine); });

}  // namespace
}  // namespace tenken::store
