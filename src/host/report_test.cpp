#include "host/report.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tenken::host {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

HostReport sample() {
  HostReport out;
  auto& inventory = out.inventory;
  inventory.target = Inventory::Target::host;
  inventory.name = "web-1";
  inventory.os = {.id = "debian", .version_id = "12", .ecosystem = "Debian", .release = "12"};
  inventory.running_kernel = "6.1.0-18-amd64";
  inventory.esm_attached = true;
  inventory.databases_read = 2;
  inventory.packages.push_back({.ecosystem = "Debian",
                                .release = "12",
                                .kind = "deb",
                                .name = "libssl3",
                                .version = "3.0.11-1~deb12u2",
                                .arch = "amd64",
                                .source_name = "openssl",
                                .source_version = "3.0.11-1",
                                .module_label = "a:1:2:3",
                                .vendor = "Debian",
                                .purl = "pkg:deb/debian/libssl3",
                                .location = "var/lib/dpkg/status",
                                .license = "Apache-2.0"});
  inventory.packages.push_back({.ecosystem = "PyPI", .kind = "pypi", .name = "jinja2"});
  inventory.skips.push_back({.file = "var/lib/dpkg/status", .record = "7", .reason = "no version"});
  auto& facts = out.facts;
  facts.architecture = "x86_64";
  facts.kernel = "6.1.0-18-amd64";
  facts.booted = 1'700'000'000;
  facts.reboot_reasons = {"needed by linux-image-amd64"};
  facts.cloud = {.provider = "aws",
                 .instance_id = "i-0123456789abcdef0",
                 .account = "123456789012",
                 .launched = "2024-01-31T12:00:00Z",
                 .vpc = "vpc-1",
                 .subnet = "subnet-1",
                 .public_address = "203.0.113.7",
                 .key_name = "ops",
                 .instance_profile = "arn:aws:iam::1:instance-profile/a"};
  facts.addresses = {{"eth0", "10.0.0.5/24"}, {"eth0", "fe80::1/64"}};
  facts.listeners = {{"tcp", "0.0.0.0", 22, "/usr/sbin/sshd", 0}, {"udp", "::", 65535, "", 101}};
  facts.programs = {{"/usr/sbin/nginx", 0}, {"/usr/sbin/nginx", 4294967295U}};
  facts.outdated = {{"/usr/sbin/nginx", "/usr/lib/libssl.so.3", 4711, "libssl3"}};
  facts.users = {{"root", 0, 0, "/root", "/bin/bash"}};
  facts.sshd = {{"permitrootlogin", "no"}};
  facts.sysctl = {{"net.ipv4.ip_forward", "0"}};
  facts.skips = {{.file = "etc/ssh/sshd_config", .record = "Match", .reason = "left out"}};
  return out;
}

TEST(HostReport, loses_nothing_from_write_to_read_to_write) {
  const auto before = sample();
  const auto lines = report_lines(before);
  const auto after = read_report(joined(lines));
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(report_lines(*after), lines);
  const auto& facts = after->facts;
  EXPECT_EQ(facts.architecture, before.facts.architecture);
  EXPECT_EQ(facts.kernel, before.facts.kernel);
  EXPECT_EQ(facts.booted, before.facts.booted);
  EXPECT_EQ(facts.reboot_reasons, before.facts.reboot_reasons);
  EXPECT_EQ(facts.cloud, before.facts.cloud);
  EXPECT_EQ(facts.addresses, before.facts.addresses);
  EXPECT_EQ(facts.listeners, before.facts.listeners);
  EXPECT_EQ(facts.programs, before.facts.programs);
  EXPECT_EQ(facts.outdated, before.facts.outdated);
  EXPECT_EQ(facts.users, before.facts.users);
  EXPECT_EQ(facts.sshd, before.facts.sshd);
  EXPECT_EQ(facts.sysctl, before.facts.sysctl);
  ASSERT_EQ(facts.skips.size(), 1U);
  EXPECT_EQ(facts.skips[0].reason, "left out");
  const auto& inventory = after->inventory;
  EXPECT_EQ(inventory.target, Inventory::Target::host);
  EXPECT_EQ(inventory.name, "web-1");
  EXPECT_TRUE(inventory.esm_attached);
  EXPECT_EQ(inventory.databases_read, 2U);
  EXPECT_EQ(inventory.os.release, "12");
  ASSERT_EQ(inventory.packages.size(), 2U);
  EXPECT_EQ(inventory.packages[0].location, "var/lib/dpkg/status");
  EXPECT_EQ(inventory.packages[0].license, "Apache-2.0");
  ASSERT_EQ(inventory.skips.size(), 1U);
  EXPECT_EQ(inventory.skips[0].reason, "no version");
}

TEST(HostReport, an_empty_host_reads_back) {
  EXPECT_TRUE(read_report(joined(report_lines({}))));
}

TEST(HostReport, lines_are_sorted_and_stand_once_in_whatever_order_facts_came) {
  auto host = sample();
  const auto lines = report_lines(host);
  std::ranges::reverse(host.inventory.packages);
  std::ranges::reverse(host.facts.listeners);
  host.facts.listeners.push_back(host.facts.listeners.front());
  EXPECT_EQ(report_lines(host), lines);
  EXPECT_TRUE(std::ranges::is_sorted(lines));
}

TEST(HostReport, packages_that_are_only_listed_stay_at_home) {
  auto host = sample();
  const auto lines = report_lines(host);
  host.inventory.packages.push_back({.kind = "rpm", .name = "gpg-pubkey", .listed_only = true});
  EXPECT_EQ(report_lines(host), lines);
}

TEST(HostReport, what_no_reader_would_take_is_a_skip) {
  HostReport host;
  host.inventory.packages.push_back({.name = "a", .license = std::string(5000, 'x')});
  host.facts.sshd = {{"allowusers", std::string(70'000, 'x')}, {"banner", std::string("a\0b", 3)}};
  const auto after = read_report(joined(report_lines(host)));
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_TRUE(after->inventory.packages.empty());
  EXPECT_TRUE(after->facts.sshd.empty());
  // A package that is missing is one of the inventory: it closes nothing.
  ASSERT_EQ(after->inventory.skips.size(), 1U);
  EXPECT_TRUE(after->inventory.skips[0].record.starts_with("package "));
  EXPECT_EQ(after->facts.skips.size(), 2U);
}

TEST(HostReport, packages_and_cloud_can_be_had_without_reading_all) {
  const auto lines = report_lines(sample());
  EXPECT_EQ(count_packages(lines), 2U);
  EXPECT_EQ(cloud_of(lines), sample().facts.cloud);
  EXPECT_EQ(cloud_of(report_lines({})), CloudInstance{});
  EXPECT_TRUE(std::ranges::binary_search(lines, skip_line(sample().inventory.skips[0])));
}

TEST(HostReport, kinds_that_nobody_knows_are_passed_over) {
  auto lines = report_lines(sample());
  const auto before = lines;
  lines.push_back(R"({"k":"weather","of":["tomorrow"]})");
  std::ranges::sort(lines);
  const auto read = read_report(joined(lines));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(report_lines(*read), before);
}

// Of a text that has a good first line before the one in question.
std::string why(std::string_view line) {
  const auto text = R"({"databasesRead":0,"k":"inventory","target":"host"})"
                    "\n" +
                    std::string(line) + "\n";
  const auto read = read_report(text);
  return read ? "" : read.error().what;
}

TEST(HostReport, faults_name_the_line) {
  EXPECT_EQ(why(R"({"k":"sysctl","name":"a"})"), "");
  EXPECT_EQ(why(R"({"k":"sysctl","name":7})"), "line 2: name: a string is needed");
  EXPECT_EQ(why(R"({"k":"program","uid":-1})"), "line 2: uid: a number is needed");
  EXPECT_EQ(why(R"({"k":"program","uid":4294967296})"), "line 2: uid: a number is needed");
  EXPECT_EQ(why(R"({"k":"program","uid":"0"})"), "line 2: uid: a number is needed");
  EXPECT_EQ(why(R"({"k":"listener","uid":0,"port":65536})"), "line 2: port: a number is needed");
  EXPECT_EQ(why(R"({"k":"sysctl","name":"a\u0000"})"), "line 2: name: holds a NUL");
  EXPECT_EQ(why(R"({"k":7})"), "line 2: k: a string is needed");
  EXPECT_EQ(why(R"({"k":"sysctl","name":"a","name":"b"})"),
            "line 2: an object has the key \"name\" twice");
  EXPECT_EQ(why(R"({"k":"inventory","target":"host","databasesRead":0})"),
            "line 2: a second line of a kind that stands once");
  EXPECT_EQ(why("~"), "line 2: an object is needed");
  EXPECT_NE(why("{x").find("line 2: not valid JSON"), std::string::npos);
}

TEST(HostReport, lines_out_of_order_twice_or_without_end_are_refused) {
  const auto why_text = [](std::string_view text) { return read_report(text).error().what; };
  EXPECT_EQ(why_text("{\"k\":\"b\"}\n{\"k\":\"a\"}\n"),
            "line 2: does not come after the line before it");
  EXPECT_EQ(why_text("{\"k\":\"a\"}\n{\"k\":\"a\"}\n"),
            "line 2: does not come after the line before it");
  EXPECT_EQ(why_text("{\"k\":\"a\"}"), "line 1: has no end");
  EXPECT_NE(why_text("").find("without a line of the kind"), std::string::npos);
}

TEST(HostReport, bounds_hold) {
  const auto lines = report_lines(sample());
  const auto text = joined(lines);
  EXPECT_EQ(read_report(text, {.bytes = text.size() - 1}).error().code, Errc::limit);
  EXPECT_EQ(read_report(text, {.lines = lines.size() - 1}).error().code, Errc::limit);
  EXPECT_EQ(read_report(text, {.line_bytes = 40}).error().code, Errc::limit);
  EXPECT_TRUE(read_report(text, {.bytes = text.size(), .lines = lines.size()}));
}

TEST(HostReport, the_digest_is_that_of_the_text) {
  // printf 'a\nb\n' | sha256sum; printf a | sha256sum
  EXPECT_EQ(report_digest({"a", "b"}),
            "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2");
  EXPECT_EQ(line_name("a"), "ca978112ca1bbdca");
}

TEST(HostReport, a_delta_takes_one_report_to_the_other) {
  const std::string text = "a\nb\nd\n";
  const auto next = apply_delta(text, {.gone = {line_name("b")}, .came = {"e", "c"}});
  ASSERT_TRUE(next) << next.error().what;
  EXPECT_EQ(*next, "a\nc\nd\ne\n");
  EXPECT_EQ(*apply_delta(text, {}), text);
  EXPECT_EQ(*apply_delta("", {.came = {"a"}}), "a\n");
  EXPECT_EQ(*apply_delta("a\n", {.gone = {line_name("a")}}), "");
}

TEST(HostReport, a_delta_that_does_not_fit_is_a_conflict) {
  const std::string text = "a\nb\nd\n";
  const auto code = [&](const ReportDelta& delta) { return apply_delta(text, delta).error().code; };
  EXPECT_EQ(code({.gone = {line_name("c")}}), Errc::conflict);
  EXPECT_EQ(code({.gone = {"CA978112CA1BBDCA"}}), Errc::conflict);
  EXPECT_EQ(code({.gone = {line_name("a"), line_name("a")}}), Errc::conflict);
  EXPECT_EQ(code({.came = {"a"}}), Errc::conflict);
  EXPECT_EQ(code({.gone = {line_name("a")}, .came = {"a"}}), Errc::conflict);
  EXPECT_EQ(code({.came = {"c", "c"}}), Errc::conflict);
  EXPECT_EQ(code({.came = {"c\nd"}}), Errc::invalid);
}

TEST(HostReport, a_delta_stays_within_the_bounds_of_a_report) {
  const ReportLimits limits{.bytes = 6, .line_bytes = 3, .lines = 3};
  EXPECT_EQ(*apply_delta("a\nb\n", {.came = {"c"}}, limits), "a\nb\nc\n");
  EXPECT_EQ(apply_delta("a\nb\n", {.came = {"cc"}}, limits).error().code, Errc::limit);
  EXPECT_EQ(apply_delta("a\n", {.came = {"ccccc"}}, limits).error().code, Errc::limit);
  EXPECT_EQ(apply_delta("a\nb\nc\n", {.came = {""}}, limits).error().code, Errc::limit);
}

TEST(HostReport, a_body_says_what_came_and_what_is_gone) {
  EXPECT_EQ(whole_body({"a", "b"}), "+a\n+b\n");
  EXPECT_EQ(whole_body({}), "");
  EXPECT_EQ(difference_body({"a", "b", "d"}, {"b", "c", "d"}), "-" + line_name("a") + "\n+c\n");
  EXPECT_EQ(difference_body({}, {"a"}), "+a\n");
  EXPECT_EQ(difference_body({"a"}, {"a"}), "");
}

}  // namespace
}  // namespace tenken::host
