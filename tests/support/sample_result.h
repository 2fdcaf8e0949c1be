// A small scan result with one of everything, for the tests of formats, filters and rules.
#pragma once

#include <fmt/format.h>

#include "model/finding.h"

namespace tenken::test {

// "CVE-2024-0001" for 0.
inline std::string sample_id(std::uint32_t vulnerability) {
  return fmt::format("CVE-2024-{:04}", vulnerability + 1);
}

inline Package sample_package(std::string name, std::string version, std::string source) {
  return {.ecosystem = "Debian",
          .release = "11",
          .kind = "deb",
          .name = name,
          .version = version,
          .arch = "amd64",
          .source_name = source,
          .source_version = version,
          .purl = "pkg:deb/debian/" + name + "@" + version + "?arch=amd64&distro=debian-11",
          .location = "var/lib/dpkg/status"};
}

// Of the vulnerability CVE-2024-NNNN that stands at the place, counted from 0.
inline Finding sample_finding(std::uint32_t vulnerability, std::size_t package,
                              SeverityLevel severity, std::string fixed_version) {
  return {.package = package,
          .vulnerability = vulnerability,
          .severity = severity,
          .id = sample_id(vulnerability),
          .advisories = {"DSA-1000-1"},
          .severity_source = "CVSS 3.1 nvd@nist.gov",
          .fixed_version = fixed_version,
          .evidence = {{.advisory = "DSA-1000-1",
                        .feed = "osv",
                        .ecosystem = "Debian:11",
                        .package = "apache2",
                        .range = "introduced 0, fixed " + fixed_version,
                        .installed = "2.4.51-1",
                        .compared = "2.4.51-1 < " + fixed_version,
                        .scheme = "dpkg",
                        .verdict = "affected",
                        .reason = "the installed version is before the fix"}}};
}

inline ScanResult sample_result() {
  ScanResult result;
  result.inventory.name = "/srv/root";
  result.inventory.os = {.id = "debian",
                         .version_id = "11",
                         .codename = "bullseye",
                         .pretty_name = "Debian GNU/Linux 11 (bullseye)",
                         .ecosystem = "Debian",
                         .release = "11"};
  result.inventory.packages = {sample_package("apache2", "2.4.51-1", "apache2"),
                               sample_package("apache2-bin", "2.4.51-1", "apache2"),
                               sample_package("=cmd", "1.0", "=cmd")};
  result.counted_packages = 3;
  result.database = {.path = "/var/lib/tenken/db",
                     .generation = "4f3a",
                     .built = 1'729'512'000,
                     .newest_record = 1'729'339'200,
                     .feeds = {{.id = "osv", .newest = "2024-10-19T12:00:00Z", .records = 5}}};
  for (const std::size_t package : {0u, 1u}) {
    result.findings.push_back(sample_finding(0, package, SeverityLevel::critical, "2.4.56-1"));
    result.findings.back().score = 98;
    result.findings.back().cvss = 0;
    result.findings.push_back(sample_finding(1, package, SeverityLevel::low, ""));
    result.findings.back().status = FindingStatus::will_not_fix;
    result.findings.back().status_note = "ignored; minor issue";
  }
  result.findings.push_back(sample_finding(2, 2, SeverityLevel::unknown, "1.1"));
  result.findings.push_back(sample_finding(3, 2, SeverityLevel::high, "1.1"));
  result.findings.back().status = FindingStatus::not_running;
  result.ignored = {sample_finding(4, 2, SeverityLevel::high, "1.1")};
  result.ignored[0].excluded = std::make_shared<const Exclusion>(
      Exclusion{.by = "ignore.yaml:3", .reason = "not reachable", .status = "accepted"});
  result.unknown = {{"release", "Debian:13", "the database does not cover Debian:13", 2}};
  Vulnerability first{.id = "CVE-2024-0001",
                      .aliases = {"DEBIAN-CVE-2024-0001"},
                      .summary = "Request smuggling in \x1b[31mmod_proxy",
                      .published = 1'700'000'000,
                      .severity = {{.type = "CVSS_V3",
                                    .score = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                    .source = "nvd@nist.gov"}},
                      .cvss = {{.vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                .source = "nvd@nist.gov",
                                .tenths = 98}},
                      .cwes = {"CWE-444"},
                      .references = {{"ADVISORY", "https://example.org/a"}}};
  first.exploited = KnownExploited{.added = 1'700'000'000, .due = 1'701'000'000};
  first.prediction = ExploitPrediction{.probability = 0.931, .percentile = 0.99};
  result.vulnerabilities = {first};
  for (const std::uint32_t other : {1u, 2u, 3u, 4u})
    result.vulnerabilities.push_back({.id = sample_id(other),
                                      .aliases = {"DEBIAN-" + sample_id(other)},
                                      .details = "First sentence. Second."});
  return result;
}

}  // namespace tenken::test
