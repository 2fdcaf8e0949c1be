// Own small records for each trap of the form, then the real ones.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feeds/collect.h"
#include "support/test_data.h"

namespace tenken::feeds {
namespace {

Collect read(std::string_view path, std::string_view bytes) {
  Collect out;
  EXPECT_TRUE(find_feed("osv")->parse({path, bytes}, out));
  return out;
}

Advisory read_one(std::string_view bytes) {
  auto got = read("osv/Go/all.zip/x.json", bytes);
  EXPECT_EQ(got.skips.size(), 0u) << (got.skips.empty() ? "" : got.skips[0].reason);
  EXPECT_EQ(got.advisories.size(), 1u);
  return got.advisories.empty() ? Advisory{} : std::move(got.advisories[0]);
}

// A record with one package and these events.
Advisory with_events(std::string_view events) {
  return read_one(fmt::format(
      R"({{"id":"X-1","affected":[{{"package":{{"ecosystem":"Go","name":"p"}},
          "ranges":[{{"type":"SEMVER","events":[{}]}}]}}]}})",
      events));
}

std::string events_of(const Advisory& advisory) {
  static constexpr const char* names[] = {"introduced", "fixed", "last_affected", "limit"};
  std::string out;
  for (const auto& event : advisory.affected.at(0).ranges.at(0).events) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{} {}", names[static_cast<int>(event.kind)], event.version);
  }
  return out;
}

TEST(Osv, ReadsEveryFieldOfARecord) {
  const auto got = read("osv/AlmaLinux/all.zip/ALSA-2025:1.json", R"({
    "schema_version": "1.7.0", "id": "ALSA-2025:1", "modified": "2025-02-03T04:05:06.123456Z",
    "published": "2025-01-02T00:00:00Z", "aliases": ["A-1"], "upstream": ["CVE-1"],
    "related": ["CVE-2"], "summary": "Important: p security update", "details": "text",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}],
    "affected": [{"package": {"ecosystem": "AlmaLinux:9", "name": "p"},
      "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1-2.el9"}]}],
      "versions": ["1-1.el9"],
      "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:L"}]}],
    "references": [{"type": "ADVISORY", "url": "https://example.org/1"}],
    "database_specific": {"cwe_ids": ["CWE-79", "CWE-79", "other"]}})");
  ASSERT_EQ(got.advisories.size(), 1u);
  const auto& a = got.advisories[0];
  EXPECT_EQ(a.id, "ALSA-2025:1");
  EXPECT_EQ(a.modified, parse_time("2025-02-03T04:05:06Z"));
  EXPECT_EQ(a.published, parse_time("2025-01-02"));
  EXPECT_FALSE(a.withdrawn);
  EXPECT_EQ(a.aliases, std::vector<std::string>{"A-1"});
  EXPECT_EQ(a.upstream, std::vector<std::string>{"CVE-1"});
  EXPECT_EQ(a.related, std::vector<std::string>{"CVE-2"});
  EXPECT_EQ(a.details, "text");
  EXPECT_EQ(a.vendor_severity, "Important");
  ASSERT_EQ(a.severity.size(), 1u);
  EXPECT_EQ(a.severity[0].type, "CVSS_V3");
  EXPECT_EQ(a.severity[0].score, "CVSS:3.1/AV:N");
  ASSERT_EQ(a.affected.size(), 1u);
  EXPECT_EQ(a.affected[0].ecosystem, "AlmaLinux");
  EXPECT_EQ(a.affected[0].release, "9");
  EXPECT_EQ(a.affected[0].name, "p");
  EXPECT_EQ(a.affected[0].versions, std::vector<std::string>{"1-1.el9"});
  EXPECT_EQ(a.affected[0].module_stream, "");
  ASSERT_EQ(a.affected[0].severity.size(), 1u);
  EXPECT_EQ(a.affected[0].severity[0].type, "CVSS_V4");
  EXPECT_EQ(events_of(a), "introduced 0, fixed 1-2.el9");
  ASSERT_EQ(a.references.size(), 1u);
  EXPECT_EQ(a.references[0].url, "https://example.org/1");
  EXPECT_EQ(a.cwes, std::vector<std::string>{"CWE-79"});
}

TEST(Osv, MissingEmptyAndNullFieldsAreTheSame) {
  for (const auto record : {
           R"({"id":"X-1"})",
           R"({"id":"X-1","affected":[],"aliases":[],"severity":[],"references":[]})",
           R"({"id":"X-1","affected":null,"aliases":null,"summary":null,"published":""})",
           R"({"id":"X-1","modified":"0001-01-01T00:00:00Z"})",
       }) {
    const auto a = read_one(record);
    EXPECT_EQ(a.id, "X-1");
    EXPECT_EQ(a.modified, 0);
    EXPECT_TRUE(a.affected.empty() && a.aliases.empty() && a.summary.empty());
  }
  const auto a = read_one(
      R"({"id":"X-1","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[],"versions":[]}]})");
  ASSERT_EQ(a.affected.size(), 1u);
  EXPECT_TRUE(a.affected[0].ranges.empty() && a.affected[0].versions.empty());
}

TEST(Osv, ARecordWithADoubledKeyIsSkipped) {
  const auto got = read("osv/Go/all.zip/x.json",
                        R"({"id":"X-1","affected":[],"affected":[{"package":{"name":"p"}}]})");
  EXPECT_TRUE(got.advisories.empty());
  ASSERT_EQ(got.skips.size(), 1u);
  EXPECT_EQ(got.skips[0].reason, "an object has the key \"affected\" twice");
}

TEST(Osv, TimesHaveAnyNumberOfFractionDigits) {
  for (const auto time : {"2024-05-06T07:08:09Z", "2024-05-06T07:08:09.12Z",
                          "2024-05-06T07:08:09.123456Z", "2024-05-06T16:08:09+09:00"}) {
    EXPECT_EQ(read_one(fmt::format(R"({{"id":"X-1","modified":"{}"}})", time)).modified,
              parse_time("2024-05-06T07:08:09Z"));
  }
}

TEST(Osv, EventsStayInUpstreamsOrder) {
  EXPECT_EQ(
      events_of(with_events(
          R"({"introduced":"3.9.0"},{"fixed":"3.9.2"},{"introduced":"3.6.0"},{"fixed":"3.8.4"})")),
      "introduced 3.9.0, fixed 3.9.2, introduced 3.6.0, fixed 3.8.4");
  EXPECT_EQ(events_of(with_events(R"({"limit":"5.6.1"},{"introduced":"5.6"})")),
            "limit 5.6.1, introduced 5.6");
  EXPECT_EQ(events_of(with_events(R"({"introduced":"0.0.0-0"},{"last_affected":"1.4"})")),
            "introduced 0.0.0-0, last_affected 1.4");
  EXPECT_EQ(events_of(with_events(R"({"introduced":"1.20.0-0"})")), "introduced 1.20.0-0");
}

TEST(Osv, EcosystemEndsAtTheFirstColon) {
  const std::pair<std::string_view, std::pair<std::string_view, std::string_view>> cases[] = {
      {"PyPI", {"PyPI", ""}},
      {"Debian:11", {"Debian", "11"}},
      {"Alpine:v3.18", {"Alpine", "v3.18"}},
      {"Ubuntu:22.04:LTS", {"Ubuntu", "22.04:LTS"}},
      {"Ubuntu:Pro:18.04:LTS", {"Ubuntu", "Pro:18.04:LTS"}},
      {"Red Hat:rhel_eus:8.8::baseos", {"Red Hat", "rhel_eus:8.8::baseos"}},
  };
  for (const auto& [text, want] : cases) {
    const auto a = read_one(fmt::format(
        R"({{"id":"X-1","affected":[{{"package":{{"ecosystem":"{}","name":"p"}}}}]}})", text));
    ASSERT_EQ(a.affected.size(), 1u);
    EXPECT_EQ(a.affected[0].ecosystem, want.first);
    EXPECT_EQ(a.affected[0].release, want.second);
  }
}

TEST(Osv, ARecordAboutCommitsAloneNamesNoPackage) {
  const auto a = read_one(R"({"id":"CVE-1","affected":[
    {"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"}]}]},
    {"package":{},"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"}]}]},
    {"package":{"ecosystem":"PyPI","name":"p"},
     "ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"}]}]}]})");
  ASSERT_EQ(a.affected.size(), 1u);
  EXPECT_EQ(a.affected[0].ranges.at(0).type, Range::Type::git);
}

TEST(Osv, AWithdrawnRecordIsKept) {
  const auto a = read_one(R"({"id":"X-1","withdrawn":"2024-01-01T00:00:00Z"})");
  EXPECT_EQ(a.withdrawn, parse_time("2024-01-01"));
}

TEST(Osv, ASamePackageMayStandTwice) {
  const auto a = read_one(R"({"id":"X-1","affected":[
    {"package":{"ecosystem":"npm","name":"p"},"versions":["1"]},
    {"package":{"ecosystem":"npm","name":"p"},"versions":["2"]}]})");
  EXPECT_EQ(a.affected.size(), 2u);
}

TEST(Osv, ModuleStreamsComeFromTheSummary) {
  const auto streams = [](std::string_view id, std::string_view summary, std::string_view fixed) {
    const auto a = read_one(fmt::format(
        R"({{"id":"{}","summary":"{}","affected":[{{"package":{{"ecosystem":"AlmaLinux:8","name":"p"}},
            "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{}"}}]}}]}}]}})",
        id, summary, fixed));
    std::vector<std::string> out;
    for (const auto& package : a.affected) out.push_back(package.module_stream);
    std::ranges::sort(out);
    return out;
  };
  using Streams = std::vector<std::string>;
  constexpr auto module = "1-2.module_el8.8.0+3587+ee652244";
  EXPECT_EQ(streams("ALSA-1", "Moderate: container-tools:rhel8 security update", module),
            Streams{"container-tools:rhel8"});
  EXPECT_EQ(streams("ALSA-1", "Low: virt:rhel and virt-devel:rhel security update", module),
            (Streams{"virt-devel:rhel", "virt:rhel"}));
  EXPECT_EQ(
      streams("ALSA-2022:5468", "ALSA-2022:5468: php:8.0 security update (Important)", module),
      Streams{"php:8.0"});
  EXPECT_EQ(streams("ALSA-1", "Important: varnish security update", module), Streams{""});
  EXPECT_EQ(streams("ALSA-1", "Moderate: nodejs:18 security update", "1-2.el8"), Streams{""});
}

TEST(Osv, ASummaryOfManyPairsNamesNoModule) {
  std::string summary;
  for (int i = 0; i < 1000; ++i) summary += fmt::format("a:{} ", i);
  const auto a = read_one(fmt::format(
      R"({{"id":"X-1","summary":"{}","affected":[{{"package":{{"ecosystem":"AlmaLinux:8","name":"p"}},
          "ranges":[{{"type":"ECOSYSTEM","events":[{{"fixed":"1.module"}}]}}]}}]}})",
      summary));
  ASSERT_EQ(a.affected.size(), 1u);
  EXPECT_EQ(a.affected[0].module_stream, "");
}

TEST(Osv, AModuleStreamOfThePurlWins) {
  const auto a = read_one(R"({"id":"RHSA-1","summary":"x nodejs:20 update","affected":[
    {"package":{"ecosystem":"Red Hat:8","name":"p",
                "purl":"pkg:rpm/redhat/p?arch=src&rpmmod=nodejs%3A18%3A809002024&epoch=1"},
     "ranges":[{"type":"ECOSYSTEM","events":[{"fixed":"1-1.module+el8"}]}]}]})");
  EXPECT_EQ(a.affected.at(0).module_stream, "nodejs:18");
}

TEST(Osv, VendorSeverityIsWhereEachVendorPutsIt) {
  const auto record_word = [](std::string_view members) {
    return read_one(fmt::format("{{{}}}", members)).vendor_severity;
  };
  EXPECT_EQ(record_word(R"("id":"ALSA-1","summary":"Moderate: p security update")"), "Moderate");
  EXPECT_EQ(record_word(R"("id":"RLSA-1","summary":"Critical: p security update")"), "Critical");
  EXPECT_EQ(record_word(R"x("id":"ALSA-1","summary":"p security update (Low)")x"), "Low");
  EXPECT_EQ(record_word(R"("id":"ALBA-1","summary":"idm:DL1 bug fix update")"), "");
  EXPECT_EQ(record_word(R"("id":"X-1","summary":"Critical: p")"), "");
  EXPECT_EQ(record_word(R"("id":"GHSA-1","database_specific":{"severity":"MODERATE"})"),
            "MODERATE");
  EXPECT_EQ(record_word(R"("id":"UBUNTU-CVE-1","severity":[{"type":"Ubuntu","score":"low"}])"),
            "low");

  const auto package_word = [](std::string_view members) {
    const auto a = read_one(fmt::format(
        R"({{"id":"X-1","affected":[{{"package":{{"ecosystem":"Debian:12","name":"p"}},{}}}]}})",
        members));
    return a.affected.at(0);
  };
  EXPECT_EQ(package_word(R"("ecosystem_specific":{"urgency":"low"})").vendor_severity, "low");
  EXPECT_EQ(package_word(R"("ecosystem_specific":{"urgency":"not yet assigned"})").vendor_severity,
            "");
  const auto ended = package_word(R"("ecosystem_specific":{"urgency":"end-of-life"})");
  EXPECT_EQ(ended.vendor_severity, "");
  EXPECT_EQ(ended.status, VendorStatus::end_of_life);
  EXPECT_EQ(package_word(R"("ecosystem_specific":{"availability":"Available with Ubuntu Pro"})")
                .status_note,
            "Available with Ubuntu Pro");
  EXPECT_EQ(package_word(R"("ecosystem_specific":{"availability":"No subscription required"})")
                .status_note,
            "");
}

TEST(Osv, WeaknessesAreTextsOrObjects) {
  const auto a = read_one(R"({"id":"X-1","database_specific":{"CWE":{"id":"CWE-1","desc":"d"}},
    "affected":[{"package":{"ecosystem":"npm","name":"p"},
                 "database_specific":{"cwes":[{"cweId":"CWE-2"},"CWE-3"]}}]})");
  EXPECT_EQ(a.cwes, (std::vector<std::string>{"CWE-1", "CWE-2", "CWE-3"}));
}

TEST(Osv, OnlyTheDirectorysEcosystemIsCovered) {
  using Covered = std::set<std::pair<std::string, std::string>>;
  constexpr std::string_view record = R"({"id":"ROOT-1","affected":[
    {"package":{"ecosystem":"Root:Alpine:3.18","name":"p"},"versions":["1"]},
    {"package":{"ecosystem":"Debian:12","name":"p"},"versions":["1"]}]})";
  EXPECT_EQ(read("osv/Root/all.zip/x.json", record).covered, (Covered{{"Root", "Alpine:3.18"}}));
  constexpr std::string_view rocky =
      R"({"id":"RLSA-1","affected":[{"package":{"ecosystem":"Rocky Linux:9","name":"p"}}]})";
  EXPECT_EQ(read("h/Rocky%20Linux/all.zip/x.json", rocky).covered, (Covered{{"Rocky Linux", "9"}}));
  EXPECT_EQ(read("Rocky Linux/RLSA-1.json", rocky).covered, (Covered{{"Rocky Linux", "9"}}));
  constexpr std::string_view pysec =
      R"({"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"p"}}]})";
  EXPECT_EQ(read("osv/GIT/all.zip/x.json", pysec).covered, Covered{});
}

TEST(Osv, OutsideTheLayoutAPublisherCoversItsOwnEcosystem) {
  using Covered = std::set<std::pair<std::string, std::string>>;
  const auto covered = [](std::string_view id, std::string_view ecosystem) {
    return read("records/x.json",
                fmt::format(
                    R"({{"id":"{}","affected":[{{"package":{{"ecosystem":"{}","name":"p"}}}}]}})",
                    id, ecosystem))
        .covered;
  };
  EXPECT_EQ(covered("DSA-1-1", "Debian:12"), (Covered{{"Debian", "12"}}));
  EXPECT_EQ(covered("DEBIAN-CVE-1", "Debian:12"), (Covered{{"Debian", "12"}}));
  EXPECT_EQ(covered("ALSA-1", "AlmaLinux:9"), (Covered{{"AlmaLinux", "9"}}));
  EXPECT_EQ(covered("GHSA-1", "npm"), (Covered{{"npm", ""}}));
  EXPECT_EQ(covered("GHSA-1", "Debian:12"), Covered{});
  EXPECT_EQ(covered("ROOT-1", "Debian:12"), Covered{});
  EXPECT_EQ(covered("MAL-1", "npm"), Covered{});
  EXPECT_EQ(covered("CVE-2024-1", "Debian:12"), Covered{}) << "nobody's: it does not say whose";
}

TEST(Osv, ARecordThatCannotBeUsedIsASkip) {
  for (const auto bytes : {
           "",
           "{",
           "[]",
           "null",
           "\"x\"",
           "{}",
           R"({"id":5})",
           R"({"id":""})",
           R"({"id":null})",
           R"({"id":"X-1","affected":{}})",
           R"({"id":"X-1","aliases":"CVE-1"})",
           R"({"id":"X-1","aliases":[1]})",
           R"({"id":"X-1","summary":[]})",
           "\xff\xfe",
       }) {
    const auto got = read("a/b.json", bytes);
    EXPECT_EQ(got.advisories.size(), 0u) << bytes;
    ASSERT_EQ(got.skips.size(), 1u) << bytes;
    EXPECT_EQ(got.skips[0].file, "a/b.json");
    EXPECT_FALSE(got.skips[0].reason.empty());
  }
}

TEST(Osv, ARecordOfMoreThan64MegabytesIsASkip) {
  const std::string large =
      R"({"id":"X-1","details":")" + std::string(std::size_t{65} << 20, 'x') + "\"}";
  const auto got = read("a/b.json", large);
  EXPECT_EQ(got.advisories.size(), 0u);
  EXPECT_EQ(got.skips.size(), 1u);
}

TEST(Osv, ARecordOfMoreThanAMillionEventsIsASkip) {
  std::string record =
      R"({"id":"X-1","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"})";
  for (int i = 0; i < 1'000'000; ++i) record += R"(,{"fixed":"1"})";
  const auto got = read("a/b.json", record + "]}]}]}");
  EXPECT_EQ(got.advisories.size(), 0u);
  EXPECT_EQ(got.skips.size(), 1u);
}

TEST(Osv, AMalformedEntryIsASkipAndTheRestIsKept) {
  for (const auto entry : {
           R"({})",
           R"(7)",
           R"({"package":{"ecosystem":"npm"}})",
           R"({"package":{"ecosystem":":8","name":"p"}})",
           R"({"package":{"ecosystem":"npm","name":3}})",
           R"({"package":{"ecosystem":"npm","name":"p"},"versions":[1]})",
           R"({"package":{"ecosystem":"npm","name":"p"},"ranges":{}})",
       }) {
    const auto got = read("a/b.json", fmt::format(R"({{"id":"X-1","affected":[{},
        {{"package":{{"ecosystem":"npm","name":"q"}},"versions":["1"]}}]}})",
                                                  entry));
    ASSERT_EQ(got.advisories.size(), 1u) << entry;
    EXPECT_EQ(got.advisories[0].affected.size(), 1u) << entry;
    ASSERT_EQ(got.skips.size(), 1u) << entry;
    EXPECT_EQ(got.skips[0].record, "X-1 affected[0]") << entry;
  }
}

TEST(Osv, ABrokenRangeIsUnknownAndItsPackageIsKept) {
  for (
      const auto entry : {
          R"({"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"NEW","events":[]}]})",
          R"({"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER"}]})",
          R"({"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{}]}]})",
          R"({"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":0}]}]})",
          R"({"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"since":"1"}]}]})",
      }) {
    const auto got = read("a/b.json", fmt::format(R"({{"id":"X-1","affected":[{}]}})", entry));
    ASSERT_EQ(got.advisories.size(), 1u) << entry;
    ASSERT_EQ(got.advisories[0].affected.size(), 1u) << entry;
    ASSERT_EQ(got.advisories[0].affected[0].ranges.size(), 1u) << entry;
    EXPECT_FALSE(got.advisories[0].affected[0].ranges[0].fault.empty()) << entry;
    EXPECT_EQ(got.skips.size(), 1u) << entry;
  }
}

TEST(Osv, AFieldThatCannotBeReadIsASkipAndTheRecordIsKept) {
  for (const auto member : {R"("modified":"2015-07-24 0:41:41")", R"("withdrawn":7)",
                            R"("severity":{})", R"("severity":[{"type":"CVSS_V3"}])",
                            R"("references":"x")", R"("references":[{"type":"WEB"}])"}) {
    const auto got = read("a/b.json", fmt::format(R"({{"id":"X-1",{}}})", member));
    EXPECT_EQ(got.advisories.size(), 1u) << member;
    EXPECT_EQ(got.skips.size(), 1u) << member;
  }
}

TEST(Osv, TheIndexNamesTheArchives) {
  const auto urls = find_feed("osv")->fetching.next(
      "https://h/ecosystems.txt", "AlmaLinux\nRocky Linux\nDebian:11\n[EMPTY]\n\ncrates.io");
  EXPECT_EQ(urls, (std::vector<std::string>{"https://h/AlmaLinux/all.zip",
                                            "https://h/Rocky%20Linux/all.zip",
                                            "https://h/crates.io/all.zip"}));
  EXPECT_TRUE(find_feed("osv")->fetching.next("https://h/npm/all.zip", "npm").empty());
}

TEST(OsvData, EveryRecordIsReadOrCounted) {
  NEED_TEST_DATA("feeds/osv");
  std::size_t documents = 0;
  std::size_t advisories = 0;
  std::size_t rows = 0;
  std::size_t named_modules = 0;
  std::vector<Skip> skips;
  for (const auto& entry : std::filesystem::directory_iterator(test::data_path("feeds/osv"))) {
    if (!entry.is_directory()) continue;
    const auto name = entry.path().filename().string();
    const auto got = read_members(*find_feed("osv"), test::data_path("feeds"),
                                  "osv/" + name + "/all.zip", "*.json");
    ASSERT_TRUE(got) << name << ": " << got.error().what;
    documents += got->documents;
    advisories += got->advisories.size();
    skips.insert(skips.end(), got->skips.begin(), got->skips.end());
    for (const auto& [ecosystem, release] : got->covered) EXPECT_EQ(ecosystem, name);
    for (const auto& advisory : got->advisories) {
      rows += advisory.affected.size();
      for (const auto& package : advisory.affected) named_modules += !package.module_stream.empty();
    }
  }
  EXPECT_EQ(documents, 38304u);
  EXPECT_EQ(advisories, 38304u);
  // 106,363 entries, of which 22 name no package, and 3,587 rows for a second module stream.
  EXPECT_EQ(rows, 109928u);
  EXPECT_EQ(named_modules, 24362u);
  // Three records of Packagist whose time of publication has one digit where two belong.
  EXPECT_EQ(skips.size(), 3u);
  for (const auto& skip : skips) EXPECT_EQ(skip.reason, "published is no time");
}

TEST(OsvData, TheSameBytesGiveTheSameOutput) {
  NEED_TEST_DATA("feeds/osv/Ubuntu/all.zip");
  const auto first =
      read_members(*find_feed("osv"), test::data_path("feeds"), "osv/Ubuntu/all.zip", "*.json");
  const auto second =
      read_members(*find_feed("osv"), test::data_path("feeds"), "osv/Ubuntu/all.zip", "*.json");
  ASSERT_TRUE(first && second);
  ASSERT_EQ(first->advisories.size(), second->advisories.size());
  for (std::size_t i = 0; i < first->advisories.size(); ++i) {
    EXPECT_EQ(first->advisories[i].id, second->advisories[i].id);
    EXPECT_EQ(first->advisories[i].affected.size(), second->advisories[i].affected.size());
  }
}

}  // namespace
}  // namespace tenken::feeds
