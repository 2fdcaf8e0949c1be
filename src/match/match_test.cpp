#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "advisories/builder.h"
#include "advisories/database.h"
#include "base/file.h"
#include "base/json.h"
#include "match/kernel.h"
#include "match/matcher.h"
#include "match/modules.h"
#include "match/severity.h"
#include "match/vendors.h"
#include "support/scratch.h"
#include "support/test_data.h"
#include "version/ecosystem.h"

namespace tenken::match {
namespace {

using Kind = RangeEvent::Kind;

AffectedPackage affected(std::string_view ecosystem, std::string name, std::string fixed) {
  const auto [eco, release] = version::split_release(ecosystem);
  AffectedPackage out{
      .ecosystem = std::string(eco), .release = std::string(release), .name = std::move(name)};
  Range range{Range::Type::ecosystem, {{Kind::introduced, "0"}}};
  if (!fixed.empty()) range.events.push_back({Kind::fixed, std::move(fixed)});
  out.ranges.push_back(std::move(range));
  return out;
}

Advisory advisory(std::string id, std::vector<std::string> cves,
                  std::vector<AffectedPackage> packages) {
  Advisory out;
  out.id = std::move(id);
  out.upstream = std::move(cves);
  out.affected = std::move(packages);
  return out;
}

// A database of a test's own, with everything that its records name covered.
class World {
 public:
  World& add(Advisory one, std::string_view feed = "osv") {
    for (const auto& package : one.affected)
      builder_.add_coverage(feed, package.ecosystem, package.release, false);
    builder_.add({.feed = feed, .id_space = feed, .path = "test", .home_ecosystem = {}},
                 std::move(one));
    return *this;
  }

  PackageMatches match(const Package& package, MatchOptions options = {}) {
    if (!database_) {
      auto built = builder_.finish();
      EXPECT_TRUE(built.has_value() && write_file_atomic(scratch_ / "a.db", built->bytes));
      auto opened = advisories::Database::open(scratch_ / "a.db");
      EXPECT_TRUE(opened.has_value()) << opened.error().what;
      database_ = std::make_unique<advisories::Database>(*std::move(opened));
    }
    auto matches = Matcher(*database_, std::move(options)).match(package);
    EXPECT_TRUE(matches.has_value());
    return *std::move(matches);
  }

  // "CVE-1 DSA-1 fixed|…" of the findings, then "?kind" of what is unknown.
  std::string show(const Package& package, MatchOptions options = {}) {
    std::string out;
    const auto matches = match(package, std::move(options));
    for (const auto& one : matches.findings) {
      out += one.id;
      for (const auto& id : one.advisories) out += " " + id;
      out += " " + (one.fixed_version.empty() ? "-" : one.fixed_version);
      if (one.status != FindingStatus::affected) out += " " + std::string(name(one.status));
      out += "|";
    }
    for (const auto& one : matches.unknown) out += "?" + one.kind + " ";
    return out;
  }

 private:
  test::Scratch scratch_;
  advisories::Builder builder_;
  std::unique_ptr<advisories::Database> database_;
};

Package package(std::string ecosystem, std::string release, std::string name, std::string version) {
  Package out;
  out.ecosystem = std::move(ecosystem);
  out.release = std::move(release);
  out.name = std::move(name);
  out.version = std::move(version);
  return out;
}

TEST(Matcher, compares_the_source_version_where_the_advisory_means_the_source) {
  // A binary rebuild and a higher binary epoch would both hide the fault.
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001"},
                     {affected("Debian:11", "util-linux", "2.36.1-8+deb11u1")}));
  auto bsdutils = package("Debian", "11", "bsdutils", "1:2.36.1-8");
  bsdutils.source_name = "util-linux";
  bsdutils.source_version = "2.36.1-8";
  EXPECT_EQ(world.show(bsdutils), "CVE-2020-0001 DSA-1 2.36.1-8+deb11u1|");
  bsdutils.source_version = "2.36.1-8+deb11u1";
  EXPECT_EQ(world.show(bsdutils), "");
}

TEST(Matcher, a_source_rpm_has_the_epoch_of_its_packages) {
  World world;
  world.add(advisory("RLSA-1", {"CVE-2020-0001"},
                     {affected("Rocky Linux:9", "bind", "32:9.16.23-20.el9")}));
  auto libs = package("Rocky Linux", "9", "bind-libs", "32:9.16.23-18.el9");
  libs.kind = "rpm";
  libs.source_name = "bind";
  libs.source_version = "9.16.23-18.el9";
  EXPECT_EQ(world.show(libs), "CVE-2020-0001 RLSA-1 32:9.16.23-20.el9|");
  libs.version = "32:9.16.23-20.el9";
  libs.source_version = "9.16.23-20.el9";
  EXPECT_EQ(world.show(libs), "");
}

TEST(Matcher, the_release_decides_which_rows_hold) {
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001"},
                     {affected("Debian:11", "a", "2"), affected("Debian:10", "a", "1")}));
  EXPECT_EQ(world.show(package("Debian", "11", "a", "1")), "CVE-2020-0001 DSA-1 2|");
  EXPECT_EQ(world.show(package("Debian", "10.9", "a", "1")), "");
  EXPECT_EQ(world.show(package("Debian", "12", "a", "1")), "?release ");
  EXPECT_EQ(world.show(package("Debian", "", "a", "1")), "?release ");
}

TEST(Matcher, what_nothing_is_known_of_is_unknown) {
  World world;
  world.add(advisory("PYSEC-1", {"CVE-2020-0001"}, {affected("PyPI", "a", "2")}));
  EXPECT_EQ(world.show(package("", "", "a", "1")), "?ecosystem ");
  EXPECT_EQ(world.show(package("npm", "", "a", "1")), "?ecosystem ");
  EXPECT_EQ(world.show(package("NoSuchThing", "", "a", "1")), "?ecosystem ");
  EXPECT_EQ(world.show(package("PyPI", "", "a", "")), "?version ");
  EXPECT_EQ(world.show(package("PyPI", "", "a", "not a version")), "?version ");
  EXPECT_EQ(world.show(package("PyPI", "", "", "1")), "?package ");
  EXPECT_EQ(world.show(package("PyPI", "", "", "")), "?version ?package ");
}

TEST(Matcher, a_listed_version_needs_no_order) {
  World world;
  auto listed = affected("PyPI", "a", "1.0");
  listed.versions = {"not a version"};
  auto only_listed = affected("PyPI", "b", "");
  only_listed.ranges.clear();
  only_listed.versions = {"1.0"};
  auto both = affected("PyPI", "c", "2.0");
  both.versions = {"1.0"};
  world.add(advisory("PYSEC-2", {"CVE-2020-0002"}, {both}));
  world.add(advisory("PYSEC-1", {"CVE-2020-0001"}, {listed, only_listed}));
  EXPECT_EQ(world.show(package("PyPI", "", "a", "not a version")), "CVE-2020-0001 PYSEC-1 -|");
  EXPECT_EQ(world.show(package("PyPI", "", "c", "1.0")), "CVE-2020-0002 PYSEC-2 2.0|");
  EXPECT_EQ(world.show(package("PyPI", "", "b", "1.0")), "CVE-2020-0001 PYSEC-1 -|");
  EXPECT_EQ(world.show(package("PyPI", "", "b", "not a version")), "");
}

TEST(Matcher, a_git_range_before_the_ecosystem_range_hides_nothing) {
  World world;
  auto both = affected("PyPI", "a", "2.0");
  both.ranges.insert(both.ranges.begin(),
                     Range{Range::Type::git, {{Kind::introduced, "0"}, {Kind::fixed, "c0ffee"}}});
  auto git_only = affected("PyPI", "b", "");
  git_only.ranges = {both.ranges.front()};
  auto nothing = affected("PyPI", "c", "");
  nothing.ranges.clear();
  world.add(advisory("PYSEC-1", {"CVE-2020-0001"}, {both, git_only, nothing}));
  EXPECT_EQ(world.show(package("PyPI", "", "a", "1.0")), "CVE-2020-0001 PYSEC-1 2.0|");
  EXPECT_EQ(world.show(package("PyPI", "", "b", "1.0")), "?version ");
  EXPECT_EQ(world.show(package("PyPI", "", "c", "1.0")), "?version ");
}

TEST(Matcher, names_are_compared_as_the_ecosystem_writes_them) {
  World world;
  world.add(advisory("PYSEC-1", {"CVE-2020-0001"}, {affected("PyPI", "Foo_Bar.baz", "2")}));
  world.add(advisory("GO-1", {"CVE-2020-0002"}, {affected("Go", "github.com/Foo/bar", "2.0.0")}));
  world.add(advisory("GHSA-1", {"CVE-2020-0003"}, {affected("NuGet", "Foo.Bar", "2.0.0")}));
  EXPECT_EQ(world.show(package("PyPI", "", "foo-bar-baz", "1")), "CVE-2020-0001 PYSEC-1 2|");
  EXPECT_EQ(world.show(package("Go", "", "github.com/foo/bar", "1.0.0")), "");
  EXPECT_EQ(world.show(package("NuGet", "", "foo.bar", "1.0.0")), "CVE-2020-0003 GHSA-1 2.0.0|");
}

TEST(Matcher, a_withdrawn_record_never_matches_once_its_day_has_come) {
  World world;
  auto gone = advisory("PYSEC-1", {"CVE-2020-0001"}, {affected("PyPI", "a", "2")});
  gone.withdrawn = 1000;
  world.add(std::move(gone));
  EXPECT_EQ(world.show(package("PyPI", "", "a", "1"), {.now = 2000}), "");
  EXPECT_EQ(world.show(package("PyPI", "", "a", "1"), {.now = 500}), "CVE-2020-0001 PYSEC-1 2|");
}

TEST(Matcher, one_record_of_many_cves_is_a_finding_for_each) {
  World world;
  world.add(
      advisory("DSA-1", {"CVE-2020-0001", "CVE-2020-0002"}, {affected("Debian:11", "a", "2")}));
  EXPECT_EQ(world.show(package("Debian", "11", "a", "1")),
            "CVE-2020-0001 DSA-1 2|CVE-2020-0002 DSA-1 2|");
}

TEST(Matcher, the_greatest_fix_closes_the_finding) {
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001"}, {affected("Debian:11", "a", "2")}));
  world.add(advisory("DSA-2", {"CVE-2020-0001"}, {affected("Debian:11", "a", "10")}));
  EXPECT_EQ(world.show(package("Debian", "11", "a", "1")), "CVE-2020-0001 DSA-1 DSA-2 10|");
  EXPECT_EQ(world.show(package("Debian", "11", "a", "3")), "CVE-2020-0001 DSA-2 10|");
}

TEST(Matcher, the_tracker_decides_and_the_advisory_gives_its_id) {
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001", "CVE-2020-0002", "CVE-2020-0003"},
                     {affected("Debian:11", "a", "2")}));
  auto safe = affected("Debian:11", "a", "");
  safe.status = VendorStatus::not_affected;
  world.add(advisory("CVE-2020-0001", {}, {safe}), "debian_tracker");
  auto deferred = affected("Debian:11", "a", "");
  deferred.status = VendorStatus::fix_deferred;
  deferred.status_note = "minor issue";
  world.add(advisory("CVE-2020-0002", {}, {deferred}), "debian_tracker");
  world.add(advisory("CVE-2020-0004", {}, {affected("Debian:11", "a", "3")}), "debian_tracker");
  EXPECT_EQ(
      world.show(package("Debian", "11", "a", "1")),
      "CVE-2020-0002 DSA-1 - fix_deferred|CVE-2020-0003 DSA-1 2|CVE-2020-0004 CVE-2020-0004 3|");
}

TEST(Matcher, kernel_headers_are_not_the_kernel) {
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001"}, {affected("Debian:11", "linux", "5.10.200-1")}));
  world.add(advisory("ALSA-1", {"CVE-2020-0002"},
                     {affected("AlmaLinux:9", "kernel-headers", "5.14.0-400.el9")}));
  auto headers = package("Debian", "11", "linux-libc-dev", "5.10.179-1");
  headers.source_name = "linux";
  EXPECT_EQ(world.show(headers), "");
  auto image = package("Debian", "11", "linux-image-5.10.0-23-amd64", "5.10.179-1");
  image.kind = "deb";
  image.source_name = "linux-signed-amd64";
  image.source_version = "5.10.179+1";
  EXPECT_EQ(world.show(image), "CVE-2020-0001 DSA-1 5.10.200-1|");
  EXPECT_EQ(world.show(image, {.running_kernel = "5.10.0-23-amd64"}),
            "CVE-2020-0001 DSA-1 5.10.200-1|");
  EXPECT_EQ(world.show(image, {.running_kernel = "5.10.0-26-amd64"}),
            "CVE-2020-0001 DSA-1 5.10.200-1 not_running|");
  // An advisory that names the header package itself means it.
  EXPECT_EQ(world.show(package("AlmaLinux", "9", "kernel-headers", "5.14.0-300.el9")),
            "CVE-2020-0002 ALSA-1 5.14.0-400.el9|");
}

TEST(Kernel, the_running_rpm_is_known_by_version_release_and_arch) {
  auto kernel = package("AlmaLinux", "9", "kernel-core", "5.14.0-362.8.1.el9_3");
  kernel.kind = "rpm";
  EXPECT_TRUE(is_kernel_image(kernel));
  EXPECT_TRUE(belongs_to_kernel(kernel, "5.14.0-362.8.1.el9_3.x86_64"));
  EXPECT_FALSE(belongs_to_kernel(kernel, "5.14.0-362.8.1.el9_30.x86_64"));
}

TEST(Kernel, the_running_kernel_of_suse_leaves_out_the_rebuild_count) {
  auto kernel = package("openSUSE", "Leap 15.5", "kernel-default", "5.14.21-150500.55.7.1");
  kernel.kind = "rpm";
  EXPECT_TRUE(belongs_to_kernel(kernel, "5.14.21-150500.55.7-default"));
  EXPECT_FALSE(belongs_to_kernel(kernel, "5.14.21-150500.55.71-default"));
  EXPECT_FALSE(belongs_to_kernel(kernel, "5.14.21-150500.55.7-azure"));
}

AffectedPackage module_row(std::string name, std::string stream, std::string fixed) {
  auto out = affected("AlmaLinux:8", std::move(name), std::move(fixed));
  out.module_stream = std::move(stream);
  return out;
}

TEST(Modules, a_stream_is_compared_only_with_itself) {
  World world;
  world.add(advisory("ALSA-16", {"CVE-2020-0001"},
                     {module_row("nodejs", "nodejs:16", "1:16.20.2-2.module_el8.8.0+1")}));
  world.add(advisory("ALSA-18", {"CVE-2020-0001"},
                     {module_row("nodejs", "nodejs:18", "1:18.18.2-1.module_el8.8.0+2")}));
  auto nodejs = package("AlmaLinux", "8", "nodejs", "1:16.20.2-3.module_el8.8.0+3");
  nodejs.module_label = "nodejs:16:8080020230906091639:63b34585";
  EXPECT_EQ(world.show(nodejs), "");
  nodejs.version = "1:16.20.1-1.module_el8.8.0+3";
  EXPECT_EQ(world.show(nodejs), "CVE-2020-0001 ALSA-16 1:16.20.2-2.module_el8.8.0+1|");
  // Without a label the verdict holds only where the streams agree.
  nodejs.module_label.clear();
  EXPECT_EQ(world.show(nodejs), "CVE-2020-0001 ALSA-16 ALSA-18 1:18.18.2-1.module_el8.8.0+2|");
  nodejs.version = "1:16.20.2-3.module_el8.8.0+3";
  EXPECT_EQ(world.show(nodejs), "?module ");
}

TEST(Modules, a_plain_package_never_matches_a_module_build_nor_the_reverse) {
  World world;
  world.add(advisory("ALSA-1", {"CVE-2020-0001"},
                     {module_row("httpd", "httpd:2.4", "2.4.37-39.module_el8.4.0+1")}));
  world.add(
      advisory("ALSA-2", {"CVE-2020-0002"}, {affected("AlmaLinux:8", "httpd", "2.4.50-1.el8")}));
  EXPECT_EQ(world.show(package("AlmaLinux", "8", "httpd", "2.4.30-1.el8")),
            "CVE-2020-0002 ALSA-2 2.4.50-1.el8|");
  auto module = package("AlmaLinux", "8", "httpd", "2.4.30-1.module_el8.4.0+1");
  module.module_label = "httpd:2.4:1:1";
  EXPECT_EQ(world.show(module), "CVE-2020-0001 ALSA-1 2.4.37-39.module_el8.4.0+1|");
}

TEST(Modules, of_several_builds_in_one_erratum_an_installed_one_is_fixed) {
  World world;
  world.add(advisory("ALSA-1", {"CVE-2020-0001"},
                     {module_row("a", "a:1", "1.0-2.module_el8.5.0+9"),
                      module_row("a", "a:1", "1.0-2.module_el8.3.0+1")}));
  auto installed = package("AlmaLinux", "8", "a", "1.0-2.module_el8.3.0+1");
  installed.module_label = "a:1:1:1";
  EXPECT_EQ(world.show(installed), "");
  installed.version = "1.0-1.module_el8.3.0+1";
  EXPECT_EQ(world.show(installed).substr(0, 20), "CVE-2020-0001 ALSA-1");
}

TEST(Matcher, a_subscription_fixes_only_an_attached_host) {
  World world;
  world.add(advisory(
      "UBUNTU-CVE-2020-0001", {"CVE-2020-0001"},
      {affected("Ubuntu:18.04:LTS", "a", ""), affected("Ubuntu:Pro:18.04:LTS", "a", "1.0+esm1")}));
  const auto installed = package("Ubuntu", "18.04", "a", "1.0");
  const auto matches = world.match(installed);
  ASSERT_EQ(matches.findings.size(), 1u);
  EXPECT_EQ(matches.findings[0].fixed_version, "");
  EXPECT_NE(matches.findings[0].status_note.find("1.0+esm1"), std::string::npos);
  EXPECT_EQ(world.match(installed, {.esm_attached = true}).findings.at(0).fixed_version,
            "1.0+esm1");
}

TEST(Matcher, a_build_with_the_subscriptions_fix_is_fixed) {
  World world;
  world.add(advisory(
      "UBUNTU-CVE-2020-0001", {"CVE-2020-0001"},
      {affected("Ubuntu:18.04:LTS", "a", ""), affected("Ubuntu:Pro:18.04:LTS", "a", "1.0+esm1")}));
  EXPECT_EQ(world.show(package("Ubuntu", "18.04", "a", "1.0+esm1")), "");
}

TEST(Modules, two_streams_of_one_record_must_agree_without_a_label) {
  World world;
  world.add(advisory("ALSA-1", {"CVE-2020-0001"},
                     {module_row("m", "m:18", "1:18.1-1.module_el8.8.0+1"),
                      module_row("m", "m:20", "1:20.1-1.module_el8.8.0+1")}));
  EXPECT_EQ(world.show(package("AlmaLinux", "8", "m", "1:19.1-1.module_el8.8.0+1")), "?module ");
}

TEST(Kernel, a_debian_kernel_without_signature_runs_too) {
  auto kernel = package("Debian", "12", "linux-image-6.1.0-18-amd64-unsigned", "6.1.76-1");
  kernel.kind = "deb";
  EXPECT_TRUE(belongs_to_kernel(kernel, "6.1.0-18-amd64"));
  EXPECT_FALSE(belongs_to_kernel(kernel, "6.1.0-17-amd64"));
}

TEST(Kernel, an_rpm_kernel_of_another_flavour_does_not_run) {
  auto kernel = package("AlmaLinux", "9", "kernel-core", "5.14.0-362.8.1.el9_3");
  kernel.kind = "rpm";
  EXPECT_FALSE(belongs_to_kernel(kernel, "5.14.0-362.8.1.el9_3.x86_64+rt"));
  kernel.name = "kernel-rt-core";
  EXPECT_TRUE(belongs_to_kernel(kernel, "5.14.0-362.8.1.el9_3.x86_64+rt"));
  EXPECT_FALSE(belongs_to_kernel(kernel, "5.14.0-362.8.1.el9_3.x86_64"));
}

TEST(Vendors, a_third_partys_package_is_unknown) {
  World world;
  world.add(advisory("ALSA-1", {"CVE-2020-0001"}, {affected("AlmaLinux:9", "postgresql", "15")}));
  auto foreign = package("AlmaLinux", "9", "postgresql", "14");
  foreign.vendor = "PostgreSQL Global Development Group";
  EXPECT_EQ(world.show(foreign), "?vendor ");
  foreign.vendor = "AlmaLinux";
  EXPECT_EQ(world.show(foreign), "CVE-2020-0001 ALSA-1 15|");
}

TEST(Matcher, samples_are_partial_and_say_so) {
  test::Scratch scratch;
  advisories::Builder builder;
  builder.add_coverage("osv", "npm", "", true);
  builder.add({.feed = "osv", .id_space = "osv", .path = "x", .home_ecosystem = {}},
              advisory("GHSA-1", {}, {affected("npm", "a", "2.0.0")}));
  ASSERT_TRUE(write_file_atomic(scratch / "a.db", builder.finish()->bytes));
  const auto database = advisories::Database::open(scratch / "a.db");
  ASSERT_TRUE(database.has_value());
  const auto matches = Matcher(*database, {}).match(package("npm", "", "a", "1.0.0"));
  ASSERT_TRUE(matches.has_value());
  EXPECT_EQ(matches->findings.size(), 1u);
  EXPECT_EQ(matches->unknown.size(), 1u);
}

TEST(Matcher, stray_records_cover_nothing_and_are_not_called_nothing) {
  test::Scratch scratch;
  advisories::Builder builder;
  builder.add({.feed = "osv", .id_space = "osv", .path = "x", .home_ecosystem = {}},
              advisory("GHSA-1", {}, {affected("npm", "a", "2.0.0")}));
  ASSERT_TRUE(write_file_atomic(scratch / "a.db", builder.finish()->bytes));
  const auto database = advisories::Database::open(scratch / "a.db");
  ASSERT_TRUE(database.has_value());
  Matcher matcher(*database, {});
  const auto stray = matcher.match(package("npm", "", "a", "1.0.0"));
  ASSERT_TRUE(stray.has_value());
  EXPECT_EQ(stray->findings.size(), 1u);
  EXPECT_EQ(stray->unknown.at(0).reason, "the database does not cover npm");
  const auto nothing = matcher.match(package("PyPI", "", "a", "1.0"));
  ASSERT_TRUE(nothing.has_value());
  EXPECT_EQ(nothing->unknown.at(0).reason, "the database holds nothing for the ecosystem PyPI");
}

TEST(Matcher, keeps_the_evidence_of_what_holds_and_on_request_of_the_rest) {
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001"}, {affected("Debian:11", "a", "2")}));
  const auto holds = world.match(package("Debian", "11", "a", "1"));
  ASSERT_EQ(holds.findings.at(0).evidence.size(), 1u);
  const auto& evidence = holds.findings[0].evidence[0];
  EXPECT_EQ(evidence.compared, "1 < 2");
  EXPECT_EQ(evidence.range, "introduced 0, fixed 2");
  EXPECT_EQ(evidence.scheme, "dpkg");
  EXPECT_EQ(evidence.ecosystem, "Debian:11");
  const auto rest = world.match(package("Debian", "11", "a", "2"), {.explain = true});
  ASSERT_EQ(rest.others.size(), 1u);
  EXPECT_EQ(rest.others[0].compared, "2 >= 2");
  EXPECT_EQ(rest.others[0].verdict, "not_affected");
}

// "comparison: reason" of one advisory's ranges for a version that they do not contain.
std::string why_not(const std::string& version,
                    const std::vector<std::vector<RangeEvent>>& ranges) {
  AffectedPackage affected{.ecosystem = "Debian", .release = "11", .name = "a"};
  for (const auto& events : ranges)
    affected.ranges.push_back({.type = Range::Type::ecosystem, .events = events});
  World world;
  world.add(advisory("DSA-1", {"CVE-2020-0001"}, {affected}));
  const auto matches = world.match(package("Debian", "11", "a", version), {.explain = true});
  const auto& evidence = matches.others.at(0);
  return evidence.compared + ": " + evidence.reason;
}

TEST(Matcher, a_version_that_no_interval_holds_is_compared_with_its_neighbours) {
  const std::vector<std::vector<RangeEvent>> branches{
      {{Kind::introduced, "1"}, {Kind::fixed, "1.5"}},
      {{Kind::introduced, "4"}, {Kind::last_affected, "4.5"}},
      {{Kind::introduced, "2"}, {Kind::fixed, "2.5"}}};
  EXPECT_EQ(why_not("0.9", branches), "0.9 < 1: the installed version is before the fault came in");
  EXPECT_EQ(why_not("1.7", branches), "1.7 >= 1.5, 1.7 < 2: the installed version has the fix");
  EXPECT_EQ(why_not("2.5", branches), "2.5 >= 2.5, 2.5 < 4: the installed version has the fix");
  EXPECT_EQ(why_not("5", branches),
            "5 > 4.5: the installed version is after the last affected one");
}

TEST(Matcher, where_no_comparison_decided_none_is_told) {
  World world;
  auto withdrawn = advisory("PYSEC-1", {"CVE-2020-0001"}, {affected("PyPI", "a", "2")});
  withdrawn.withdrawn = 1000;
  auto endless = advisory("PYSEC-2", {"CVE-2020-0002"}, {affected("PyPI", "a", "")});
  endless.withdrawn = 1000;
  auto safe = advisory("PYSEC-3", {"CVE-2020-0003"}, {affected("PyPI", "a", "3")});
  safe.affected[0].status = VendorStatus::not_affected;
  world.add(std::move(withdrawn)).add(std::move(endless)).add(std::move(safe));
  const auto matches = world.match(package("PyPI", "", "a", "1"), {.now = 2000, .explain = true});
  ASSERT_EQ(matches.others.size(), 3u);
  for (const auto& one : matches.others) EXPECT_EQ(one.compared, "") << one.advisory;
}

TEST(Matcher, a_range_that_introduces_nothing_is_unknown_for_that_reason) {
  EXPECT_EQ(why_not("1", {{{Kind::fixed, "2"}}}),
            ": a range of the advisory cannot be evaluated: the range has no introduced event");
}

// Vectors by source; their texts say no more than their versions.
advisories::VulnerabilityEntry scored(std::vector<std::pair<std::string_view, int>> cvss) {
  advisories::VulnerabilityEntry out;
  for (const auto& [source, tenths] : cvss)
    out.cvss.push_back(
        {.vector = "CVSS:3.1/…", .source = source, .tenths = static_cast<std::int16_t>(tenths)});
  return out;
}

// "high 7.5 from NVD", with what is special about it.
std::string decided(const std::vector<SeverityClaim>& claims,
                    const advisories::VulnerabilityEntry& vulnerability) {
  const auto out = decide_severity(claims, vulnerability);
  return fmt::format(
      "{} {} [{}]{}{}", name(out.level), out.score, out.source,
      out.cvss < 0
          ? ""
          : fmt::format(" {}", vulnerability.cvss[static_cast<std::size_t>(out.cvss)].source),
      fmt::format("{}{}", out.estimated ? " estimated" : "", out.foreign_vector ? " foreign" : ""));
}

TEST(Severity, the_vendor_s_own_word_is_kept_and_none_is_made_up) {
  const auto word = [](const std::vector<SeverityClaim>& claims) {
    return decide_severity(claims, scored({{"nvd@nist.gov", 98}})).vendor_word;
  };
  const SeverityClaim alma{"Important", "ALSA-1", "AlmaLinux", true};
  const SeverityClaim weaker{"Low", "ALSA-2", "AlmaLinux", true};
  EXPECT_EQ(word({weaker, alma}), "Important");
  EXPECT_EQ(word({{" high** ", "CVE-1", "Debian", true}}), "high");
  EXPECT_EQ(word({{"MODERATE", "GHSA-1", "npm", false}}), "MODERATE") << "beside NVD's number";
  EXPECT_EQ(word({{"", "ALPINE-1", "Alpine", true}}), "");
  EXPECT_EQ(word({{"not yet assigned", "CVE-1", "Debian", true}}), "");
  EXPECT_EQ(word({}), "");
}

TEST(Severity, a_distribution_s_word_then_the_chosen_vector_then_the_record_s_word) {
  const SeverityClaim alma{"Important", "ALSA-1", "AlmaLinux", true};
  const SeverityClaim ghsa{"MODERATE", "GHSA-1", "npm", false};
  const SeverityClaim silent{"", "DSA-1", "Debian", true};
  EXPECT_EQ(decided({alma}, scored({{"nvd@nist.gov", 98}})),
            "high 70 [AlmaLinux] nvd@nist.gov estimated foreign");
  EXPECT_EQ(decided({alma}, scored({{"nvd@nist.gov", 75}})),
            "high 75 [AlmaLinux] nvd@nist.gov foreign");
  EXPECT_EQ(decided({alma}, scored({})), "high 70 [AlmaLinux] estimated");
  EXPECT_EQ(decided({silent}, scored({{"nvd@nist.gov", 98}})),
            "critical 98 [CVSS 3.1 nvd@nist.gov] nvd@nist.gov");
  EXPECT_EQ(decided({ghsa}, scored({{"nvd@nist.gov", 98}})),
            "critical 98 [CVSS 3.1 nvd@nist.gov] nvd@nist.gov");
  EXPECT_EQ(decided({ghsa}, scored({})), "medium 40 [GHSA-1] estimated");
  EXPECT_EQ(decided({{"", "ALBA-1", "AlmaLinux", true}}, scored({})),
            "none 0 [AlmaLinux] estimated");
  EXPECT_EQ(decided({silent}, scored({})), "unknown -1 []");
  EXPECT_EQ(level_of_word("high**"), SeverityLevel::high);
}

TEST(Severity, the_vector_of_the_vendor_that_matches_comes_before_every_other) {
  const SeverityClaim ubuntu{"", "UBUNTU-CVE-2024-1", "Ubuntu", true};
  const SeverityClaim debian{"", "DSA-1", "Debian", true};
  const auto known = scored({{"cna", 98},
                             {"CISA-ADP", 91},
                             {"nvd@nist.gov", 90},
                             {"GHSA-1", 75},
                             {"UBUNTU-CVE-2024-1", 31}});
  EXPECT_EQ(decided({debian, ubuntu}, known),
            "low 31 [CVSS 3.1 UBUNTU-CVE-2024-1] UBUNTU-CVE-2024-1");
  EXPECT_EQ(decided({debian}, known), "critical 98 [CVSS 3.1 cna] cna");
  EXPECT_EQ(decided({{"low", "UBUNTU-CVE-2024-1", "Ubuntu", true}}, known),
            "low 31 [Ubuntu] UBUNTU-CVE-2024-1");
  EXPECT_EQ(
      decided({{"", "CVE-2024-1", "Debian", true}}, scored({{"cna", 98}, {"CVE-2024-1", 31}})),
      "critical 98 [CVSS 3.1 cna] cna")
      << "a tracker's row bears the CVE's id, and so may a record of nobody's";
}

TEST(Severity, of_a_language_package_github_s_vector_comes_first_then_the_record_s_that_matches) {
  const SeverityClaim pysec{"", "PYSEC-1", "PyPI", false};
  EXPECT_EQ(decided({pysec}, scored({{"cna", 98}, {"GHSA-1", 75}, {"PYSEC-1", 31}})),
            "high 75 [CVSS 3.1 GHSA-1] GHSA-1");
  EXPECT_EQ(decided({pysec}, scored({{"cna", 98}, {"PYSEC-1", 31}})),
            "low 31 [CVSS 3.1 PYSEC-1] PYSEC-1");
  EXPECT_EQ(decided({pysec}, scored({{"cna", 98}, {"PYSEC-2", 31}})),
            "critical 98 [CVSS 3.1 cna] cna");
}

TEST(Severity, a_score_of_version_2_keeps_its_number) {
  advisories::VulnerabilityEntry old;
  old.cvss.push_back(
      {.vector = "AV:N/AC:L/Au:N/C:C/I:C/A:C", .source = "nvd@nist.gov", .tenths = 100});
  EXPECT_EQ(decided({}, old), "critical 100 [CVSS 2.0 nvd@nist.gov] nvd@nist.gov");
}

Range range_from(json::Value value) {
  Range range;
  const auto type = value["type"].string();
  range.type = type == "GIT"      ? Range::Type::git
               : type == "SEMVER" ? Range::Type::semver
                                  : Range::Type::ecosystem;
  value["events"].for_each([&](json::Value event) {
    event.for_each_member([&](std::string_view key, json::Value version) {
      const auto kind = key == "introduced"      ? Kind::introduced
                        : key == "fixed"         ? Kind::fixed
                        : key == "last_affected" ? Kind::last_affected
                                                 : Kind::limit;
      range.events.push_back({kind, std::string(version.string())});
    });
  });
  return range;
}

TEST(RangeVectors, osv_evaluation_cases_agree) {
  NEED_TEST_DATA("vectors/osv/range-cases.json");
  const auto bytes = *read_file(test::data_path("vectors/osv/range-cases.json"), 1 << 26);
  json::Parser parser;
  const auto cases = *parser.parse(bytes);
  std::size_t number = 0;
  cases.for_each([&](json::Value one) {
    World world;
    Advisory record;
    record.id = "TEST-1";
    one["affected"].for_each([&](json::Value entry) {
      const auto [ecosystem, release] =
          version::split_release(entry["package"]["ecosystem"].string());
      AffectedPackage out{.ecosystem = std::string(ecosystem),
                          .release = std::string(release),
                          .name = std::string(entry["package"]["name"].string())};
      entry["ranges"].for_each([&](json::Value range) { out.ranges.push_back(range_from(range)); });
      entry["versions"].for_each(
          [&](json::Value version) { out.versions.emplace_back(version.string()); });
      record.affected.push_back(std::move(out));
    });
    world.add(std::move(record));
    const auto [ecosystem, release] = version::split_release(one["package"]["ecosystem"].string());
    const auto version = std::string(one["version"].string());
    const auto matches =
        world.match(package(std::string(ecosystem), std::string(release),
                            std::string(one["package"]["name"].string()), version));
    // A version that is not stated is unknown, never affected.
    const bool expected = one["expect"].boolean().value_or(false) && !version.empty();
    EXPECT_EQ(!matches.findings.empty(), expected)
        << "case " << number << " " << one["test"].string() << " " << version;
    if (version.empty()) {
      EXPECT_FALSE(matches.unknown.empty()) << "case " << number;
    }
    ++number;
  });
  EXPECT_EQ(number, 137u);
}

}  // namespace
}  // namespace tenken::match
