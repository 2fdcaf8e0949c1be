// What an inventory that is not whole, or says little, closes and leaves.
#include "pipeline/evaluate_fixture.h"
#include "sbom/sbom.h"

namespace tenken::pipeline {
namespace {

class ReportedInventoriesTest : public EvaluateTest {};

TEST_P(ReportedInventoriesTest, an_incomplete_inventory_replaces_what_it_names_and_keeps_the_rest) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  report("web-1", {{"a", "2.0"}}, false);
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
}

Package at(std::string_view kind, std::string_view name, std::string_view version,
           std::string_view location) {
  return {.ecosystem = kind == "pypi" ? "PyPI" : "",
          .kind = std::string(kind),
          .name = std::string(name),
          .version = std::string(version),
          .location = std::string(location)};
}

TEST_P(ReportedInventoriesTest,
       an_incomplete_inventory_closes_nothing_of_a_version_that_it_did_not_see) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  auto whole = test::python_host({});
  whole.packages = {at("pypi", "a", "1.0", "srv/x"),     at("pypi", "a", "1.0", "srv/y"),
                    at("pypi", "a", "2.0", "srv/z"),     at("rpm", "kernel-core", "5.1", ""),
                    at("rpm", "kernel-core", "5.2", ""), at("rpm", "vim", "1", "")};
  put("web-1", whole);
  work();
  const auto put_part = [&](std::vector<Package> packages) {
    auto part = test::python_host({});
    part.packages = std::move(packages);
    part.skips.push_back({.file = "x", .reason = "unreadable"});
    put("web-1", std::move(part));
    work();
    auto connection = pool_->lease();
    const auto installed =
        store::installed_versions(**connection, store::resource_id(account, "web-1"), {-1}, 100);
    EXPECT_TRUE(installed) << installed.error().what;
    Lines out;
    for (const auto& one : *installed)
      out.push_back(one.version.package.name + " " + one.version.package.version);
    std::ranges::sort(out);
    return out;
  };
  EXPECT_EQ(put_part({at("pypi", "a", "2.0", "srv/z"), at("rpm", "kernel-core", "5.2", ""),
                      at("rpm", "vim", "2", "")}),
            (Lines{"a 1.0", "a 2.0", "kernel-core 5.1", "kernel-core 5.2", "vim 2"}));
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  // Nor where it names one without its place, or at one place of two.
  for (const auto* place : {"", "srv/x"}) {
    put_part({at("pypi", "a", "2.1", place)});
    EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"}) << place;
  }
  // Nor where an earlier one named it at one place of two.
  put_part({at("pypi", "a", "1.0", "srv/x")});
  put_part({at("pypi", "a", "2.1", "srv/x")});
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  EXPECT_EQ(put_part({at("pypi", "a", "2.2", "srv/x"), at("pypi", "a", "2.3", "srv/y")}),
            (Lines{"a 2.0", "a 2.2", "a 2.3", "kernel-core 5.1", "kernel-core 5.2", "vim 2"}));
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 CLOSED"});
  // What it could not read takes the place of none.
  EXPECT_EQ(put_part({at("rpm", "vim", "", "")}).back(), "vim 2");
}

TEST_P(ReportedInventoriesTest, a_kernel_that_ran_is_not_kept_beside_itself) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  const auto put_part = [&](std::vector<Package> packages, std::string_view running) {
    auto part = test::python_host({});
    for (auto& one : packages) one.arch = "x86_64";
    part.packages = std::move(packages);
    part.running_kernel = running;
    part.skips.push_back({.file = "x", .reason = "unreadable"});
    put("web-1", std::move(part));
    work();
    auto connection = pool_->lease();
    Lines out;
    for (const auto& one :
         *store::installed_versions(**connection, store::resource_id(account, "web-1"), {-1}, 100))
      out.push_back(fmt::format("{} {} {}", one.version.package.name, one.version.package.version,
                                one.version.host_state));
    std::ranges::sort(out);
    return out;
  };
  EXPECT_EQ(
      put_part({at("rpm", "kernel-core", "5.1-1", ""), at("rpm", "kernel-tools", "5.1-1", "")},
               "5.1-1.x86_64"),
      (Lines{"kernel-core 5.1-1 ", "kernel-tools 5.1-1 "}));
  EXPECT_EQ(put_part({at("rpm", "kernel-core", "5.1-1", ""), at("rpm", "kernel-core", "5.2-1", ""),
                      at("rpm", "kernel-tools", "5.2-1", "")},
                     "5.2-1.x86_64"),
            (Lines{"kernel-core 5.1-1 not_running", "kernel-core 5.2-1 ", "kernel-tools 5.2-1 "}));
}

// As a client puts it: by the SBOM reader.
Inventory declared(std::string_view components, std::string_view compositions = "[]") {
  auto read = sbom::read_sbom(
      fmt::format(R"({{"bomFormat":"CycloneDX","specVersion":"1.6","components":{},)"
                  R"("compositions":{}}})",
                  components, compositions),
      "the SBOM");
  EXPECT_TRUE(read) << read.error().what;
  read->databases_read = 1;
  return *std::move(read);
}

std::string placed(std::string_view name, std::string_view version) {
  return fmt::format(R"({{"name":"{0}","purl":"pkg:pypi/{0}@{1}",)"
                     R"("properties":[{{"name":"tenken:location","value":"srv/{0}"}}]}})",
                     name, version);
}

TEST_P(ReportedInventoriesTest, an_sbom_that_says_that_it_is_partial_closes_only_what_it_names) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  put("web-1", declared(fmt::format("[{},{}]", placed("a", "1"), placed("b", "1"))));
  work();
  const auto rest = fmt::format("[{}]", placed("a", "2"));
  put("web-1", declared(rest, R"([{"aggregate":"incomplete"}])"));
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
  EXPECT_EQ(packages("web-1"), std::pair(2L, 2L));
  put("web-1", declared(rest, R"([{"aggregate":"complete"}])"));
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 CLOSED"}));
}

TEST_P(ReportedInventoriesTest, of_a_package_that_could_not_be_read_its_own_findings_alone_stay) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}, {"c", "1.0"}});
  work();
  auto inventory = test::python_host({{"c", "1.0"}});
  inventory.skips.push_back({.file = "x", .record = "a", .reason = "no version", .package = "a"});
  inventory.skips.push_back({.file = "etc/os-release", .record = "line 7", .reason = "odd"});
  inventory.os.id = "debian";
  put("web-1", inventory);
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 CLOSED"}));
  EXPECT_EQ(coverage("web-1"), "ACTIVE SUCCESSFUL");
  report("web-1", {{"c", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 CLOSED"}));
}

TEST_P(ReportedInventoriesTest, a_package_that_could_not_be_read_hides_none_of_another_kind) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "2.0")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}, {"c", "1.0"}});
  work();
  auto inventory = test::python_host({{"c", "1.0"}});
  for (const auto& [name, kind] : {std::pair("a", "vcpkg"), std::pair("b", "pypi")})
    inventory.skips.push_back({.file = "x",
                               .record = name,
                               .reason = "no version",
                               .package = name,
                               .package_kind = kind});
  put("web-1", inventory);
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 CLOSED", "web-1 PYSEC-2 ACTIVE"}));
}

// Its advisories speak of its source, of which a purl without a version says nothing.
TEST_P(ReportedInventoriesTest, a_package_without_a_version_closes_nothing_of_its_name) {
  auto of_source = advisory("CVE-2024-1", "openssl", "2.0");
  use({{"CVE-2024-1", of_source.replace(of_source.find("PyPI"), 4, "Debian:12")}});
  auto inventory = test::python_host({});
  inventory.packages.push_back({.ecosystem = "Debian",
                                .release = "12",
                                .kind = "deb",
                                .name = "libssl3",
                                .version = "1.0",
                                .arch = "amd64",
                                .source_name = "openssl"});
  put("web-1", inventory);
  work();
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 ACTIVE"});
  const auto put_purl = [&](std::string_view purl) {
    put("web-1", declared(fmt::format(R"([{{"name":"libssl3","purl":"{}"}}])", purl)));
    work();
  };
  put_purl("pkg:deb/debian/libssl3?distro=debian-12");
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 ACTIVE"});
  put_purl("pkg:deb/debian/libssl3@2.0?distro=debian-12&upstream=openssl");
  EXPECT_EQ(findings(), Lines{"web-1 CVE-2024-1 CLOSED"});
}

TEST_P(ReportedInventoriesTest, what_a_partial_inventory_does_not_say_of_the_host_stays) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  const auto host = [this] {
    auto connection = pool_->lease();
    const auto found = store::find_resource(**connection, account, "web-1").value().value();
    return std::pair(found.platform, found.details);
  };
  auto inventory = test::python_host({{"a", "1.0"}});
  inventory.os.id = "debian";
  inventory.os.version_id = "12";
  put("web-1", inventory);
  const auto known = host();
  ASSERT_FALSE(known.first.empty());
  put("web-1", declared("[]"));
  EXPECT_EQ(host(), known);
  // What it does say counts.
  auto partial = declared("[]");
  partial.os.version_id = "9";  // of a system that it does not name
  for (const auto* kernel : {"6.1", "6.2"}) {
    partial.running_kernel = kernel;
    put("web-1", partial, {.cloud = {.vpc = kernel == std::string_view("6.1") ? "vpc-1" : ""}});
    EXPECT_EQ(host().first, known.first);
    EXPECT_TRUE(host().second.contains(R"("versionId":"12")")) << host().second;
    EXPECT_TRUE(host().second.contains(fmt::format(R"("runningKernel":"{}")", kernel)))
        << host().second;
    EXPECT_TRUE(host().second.contains(R"("vpcId":"vpc-1")")) << host().second;
    auto connection = pool_->lease();
    EXPECT_EQ(store::find_resource(**connection, account, "web-1").value()->facts.vpc_id, "vpc-1");
  }
  report("web-1", {{"a", "1.0"}});
  EXPECT_NE(host(), known) << "a whole one says that it is no system";
}

TEST_P(ReportedInventoriesTest, a_package_that_is_named_twice_is_one) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  put("web-1", declared(fmt::format("[{0},{0},{1}]", placed("a", "1"), placed("b", "1"))));
  EXPECT_EQ(packages("web-1"), std::pair(2L, 2L));
}

TEST_P(ReportedInventoriesTest, an_inventory_that_names_nothing_closes_nothing) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  for (const auto* components : {"[]", R"([{"name":"a","version":"3"}])",
                                 R"([{"name":"x","purl":"pkg:unknowntype/x@3"}])"}) {
    put("web-1", declared(components));
    work();
    EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"}) << components;
    EXPECT_EQ(coverage("web-1"), "ACTIVE SUCCESSFUL") << components;
    const auto [shown, listed] = packages("web-1");
    EXPECT_EQ(shown, listed) << components;
  }
  report("web-1", {});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
  EXPECT_EQ(coverage("web-1"), "ACTIVE SUCCESSFUL");
  put("web-2", declared("[]"));
  work();
  EXPECT_EQ(coverage("web-2"), "INACTIVE NO_INVENTORY");
}

TEST_P(ReportedInventoriesTest, a_package_whose_text_cannot_be_stored_is_unknown_and_named) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  const auto unknown = [&] {
    auto connection = pool_->lease();
    return store::find_resource(**connection, account, "web-1").value().value().inventory_unknown;
  };
  put("web-1", declared(fmt::format(R"([{{"name":"odd","purl":"pkg:pypi/odd%00@1"}},{}])",
                                    placed("b", "2"))));
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 CLOSED"}));
  EXPECT_TRUE(unknown().contains("odd")) << unknown();
  report("web-1", {{std::string("worse\0", 6), "1"}, {"b", "2"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 CLOSED"}));
  EXPECT_TRUE(unknown().contains("worse")) << unknown();
}

TEST_P(ReportedInventoriesTest, a_package_whose_name_no_index_holds_is_unknown_and_named) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  work();
  for (const auto& name : {std::string(1'025, 'x'), std::string(100'000, 'y')}) {
    report("web-1", {{name, "1"}, {"b", "2"}});
    work();
    EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 ACTIVE"});
    auto connection = pool_->lease();
    const auto stored = store::find_resource(**connection, account, "web-1").value().value();
    EXPECT_TRUE(stored.inventory_unknown.contains(name.substr(0, 100) + "... 1\""))
        << "by its start";
    EXPECT_LT(stored.inventory_unknown.size(), 500U);
    EXPECT_EQ(stored.packages, 2) << "a stays beside b";
  }
  report("web-1", {{std::string(1'024, 'x'), "1"}, {"b", "2"}});
  work();
  EXPECT_EQ(findings(), Lines{"web-1 PYSEC-1 CLOSED"});
}

TEST_P(ReportedInventoriesTest,
       a_package_whose_id_another_has_is_refused_with_its_inventory_alone) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}});
  report("web-1", {{"a", "1.0"}});
  auto colliding = stored_inventory(
      {.account = std::string(account), .external_id = "web-2", .digest = "d", .received = clock_},
      test::python_host({{"b", "1.0"}}));
  colliding.packages[0].hash.id =
      stored_inventory({}, test::python_host({{"a", "1.0"}})).packages[0].hash.id;
  const auto refused = ingest_->put(std::move(colliding));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_TRUE(refused.error().what.starts_with("package b 1.0: ")) << refused.error().what;
  report("web-3", {{"a", "1.0"}});
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-3 PYSEC-1 ACTIVE"}));
}

// Who matches waits for whoever holds a later row: both take them in one order.
TEST_P(ReportedInventoriesTest,
       a_package_that_is_there_by_its_name_alone_closes_nothing_of_that_name) {
  use({{"PYSEC-1", advisory("PYSEC-1", "a", "2.0")}, {"PYSEC-2", advisory("PYSEC-2", "b", "1.5")}});
  report("web-1", {{"a", "1.0"}, {"b", "1.0"}});
  work();
  put("web-1", declared(R"([{"name":"a","version":"3"},{"name":"c","purl":"pkg:pypi/c@1"}])"));
  work();
  EXPECT_EQ(findings(), (Lines{"web-1 PYSEC-1 ACTIVE", "web-1 PYSEC-2 CLOSED"}));
}

INSTANTIATE_TEST_SUITE_P(BothEngines, ReportedInventoriesTest,
                         testing::Values(sql::Engine::sqlite, sql::Engine::postgresql),
                         test::engine_name);

}  // namespace
}  // namespace tenken::pipeline
