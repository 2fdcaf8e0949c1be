// NVD, KEV and EPSS, the feeds that only say more about a vulnerability.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feeds/collect.h"
#include "support/test_data.h"

namespace tenken::feeds {
namespace {

Collect read(std::string_view feed, std::string_view bytes) {
  Collect out;
  const auto result = find_feed(feed)->parse({"x", bytes}, out);
  EXPECT_TRUE(result) << result.error().what;
  return out;
}

Result<Collect> sample(std::string_view feed, const std::string& archive, std::string_view member) {
  return read_members(*find_feed(feed), test::data_path("feeds"), archive, member);
}

TEST(Nvd, ReadsANote) {
  const auto got = read("nvd", R"({"startIndex":0,"totalResults":1,"vulnerabilities":[{"cve":{
    "id":"CVE-2024-1","published":"2024-01-02T03:04:05.006","lastModified":"2024-10-21T13:15:02.117",
    "vulnStatus":"Analyzed","cveTags":[],
    "descriptions":[{"lang":"es","value":"uno"},{"lang":"en","value":"one"}],
    "metrics":{
      "cvssMetricV2":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"AV:N"}}],
      "cvssMetricV31":[
        {"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N"}},
        {"source":"cna@example.org","type":"Secondary","cvssData":{"vectorString":"CVSS:3.1/AV:L"}}],
      "cvssMetricV40":[{"source":"c","type":"Secondary","cvssData":{"vectorString":"CVSS:4.0/AV:N"}}],
      "ssvcV203":[{"source":"s"}]},
    "weaknesses":[{"description":[{"lang":"en","value":"CWE-79"},{"lang":"en","value":"NVD-CWE-noinfo"}]},
                  {"description":[{"lang":"en","value":"CWE-79"}]}],
    "references":[{"url":"https://a","tags":["Exploit","Patch"]},{"url":"https://b"}]}}]})");
  ASSERT_EQ(got.notes.size(), 1u);
  const auto& note = got.notes[0];
  EXPECT_EQ(note.id, "CVE-2024-1");
  EXPECT_EQ(note.modified, parse_time("2024-10-21T13:15:02Z"));
  EXPECT_EQ(note.published, parse_time("2024-01-02T03:04:05Z"));
  EXPECT_EQ(note.status, "Analyzed");
  EXPECT_EQ(note.description, "one");
  ASSERT_EQ(note.severity.size(), 4u);
  EXPECT_EQ(note.severity[0].type, "CVSS_V4");
  EXPECT_FALSE(note.severity[0].primary);
  EXPECT_EQ(note.severity[1].score, "CVSS:3.1/AV:N");
  EXPECT_TRUE(note.severity[1].primary);
  EXPECT_EQ(note.severity[2].source, "cna@example.org");
  EXPECT_EQ(note.severity[3].type, "CVSS_V2");
  EXPECT_EQ(note.cwes, std::vector<std::string>{"CWE-79"});
  ASSERT_EQ(note.references.size(), 2u);
  EXPECT_EQ(note.references[0].type, "FIX");
  EXPECT_EQ(note.references[1].type, "WEB");
  EXPECT_TRUE(got.advisories.empty() && got.covered.empty());
}

TEST(Nvd, ARejectedCveIsKeptWithItsStatus) {
  const auto got =
      read("nvd", R"({"vulnerabilities":[{"cve":{"id":"CVE-2024-1","vulnStatus":"Rejected"}}]})");
  EXPECT_EQ(got.notes.at(0).status, "Rejected");
  EXPECT_TRUE(got.skips.empty());
}

TEST(Nvd, AnEntryThatCannotBeReadIsASkip) {
  const auto got = read("nvd", R"({"vulnerabilities":[{},7,{"cve":{"id":3}},{"cve":{"id":"X-1"}},
      {"cve":{"id":"CVE-1","vulnStatus":[]}},{"cve":{"id":"CVE-2","published":"soon"}}]})");
  EXPECT_EQ(got.notes.size(), 1u);  // a date alone does not cost the note
  EXPECT_EQ(got.skips.size(), 6u);
}

TEST(Nvd, WhatIsNoPageIsAnError) {
  Collect out;
  for (const auto bytes : {"", "{}", "[]", R"({"vulnerabilities":{}})", "\x1f\x8b", "<html>"})
    EXPECT_FALSE(find_feed("nvd")->parse({"x", bytes}, out)) << bytes;
}

TEST(Nvd, PagesFollowUntilTheTotalWhichMayGrow) {
  const auto next = [](std::string_view first, std::string_view total, std::string_view count) {
    const auto urls = find_feed("nvd")->fetching.next(
        "https://h/cves/2.0?startIndex=0&resultsPerPage=3",
        fmt::format(R"({{"startIndex":{},"totalResults":{},"vulnerabilities":[{}]}})", first, total,
                    count));
    return urls.empty() ? std::string() : urls[0];
  };
  EXPECT_EQ(next("0", "7", "1,2,3"), "https://h/cves/2.0?startIndex=3&resultsPerPage=3");
  EXPECT_EQ(next("3", "8", "1,2,3"), "https://h/cves/2.0?startIndex=6&resultsPerPage=3");
  EXPECT_EQ(next("6", "8", "1,2"), "");
  EXPECT_EQ(next("6", "8", ""), "");
  EXPECT_EQ(next("-5", "8", "1"), "");
  EXPECT_EQ(next("0", "-9223372036854775808", "1"), "");
  EXPECT_EQ(next("\"0\"", "8", "1"), "");
  // A server that answers every page with the first one is not followed in a circle.
  EXPECT_TRUE(find_feed("nvd")
                  ->fetching
                  .next("https://h/cves/2.0?startIndex=3&resultsPerPage=3",
                        R"({"startIndex":0,"totalResults":9,"vulnerabilities":[1,2,3]})")
                  .empty());
  EXPECT_TRUE(find_feed("nvd")->fetching.next("https://h/x.json", R"({"totalResults":9})").empty());
}

TEST(NvdData, EveryPageAndFixtureIsRead) {
  NEED_TEST_DATA("feeds/nvd/nvd-2.0.tar.zst");
  const auto pages = sample("nvd", "nvd/nvd-2.0.tar.zst", "**/derived/*.json");
  ASSERT_TRUE(pages) << pages.error().what;
  EXPECT_EQ(pages->documents, 4u);
  EXPECT_EQ(pages->notes.size(), 7428u);
  EXPECT_EQ(pages->skips.size(), 0u);
  const auto real = sample("nvd", "nvd/nvd-2.0.tar.zst", "**/real/nvd-2.0-real.json");
  ASSERT_TRUE(real) << real.error().what;
  EXPECT_EQ(real->notes.size(), 152u);
  EXPECT_EQ(real->skips.size(), 0u);
  const auto years = sample("nvd", "nvd/nvd-2.0.tar.zst", "**/feed/cve/v2/*.json.gz");
  ASSERT_TRUE(years) << years.error().what;
  EXPECT_EQ(years->documents, 3u);
  EXPECT_GT(years->notes.size(), 0u);
  EXPECT_FALSE(sample("nvd", "nvd/nvd-2.0.tar.zst", "**/cvehistory/invalid_id/*.json"));
}

TEST(Kev, ReadsAnEntryAndTrimsBlanks) {
  const auto got = read("kev", R"({"dateReleased":"2025-08-25T17:04:19.9796Z","vulnerabilities":[{
    "cveID":"CVE-2025-1 ","vulnerabilityName":"Name \n","dateAdded":"2025-08-25",
    "shortDescription":"What.","requiredAction":" Do. ","dueDate":"2025-09-15",
    "knownRansomwareCampaignUse":"Known","notes":"see: x ; https://a ; https://b","cwes":["CWE-59"]}]})");
  ASSERT_EQ(got.notes.size(), 1u);
  const auto& note = got.notes[0];
  EXPECT_EQ(note.id, "CVE-2025-1");
  ASSERT_TRUE(note.exploited);
  EXPECT_EQ(note.exploited->added, parse_time("2025-08-25"));
  EXPECT_EQ(note.exploited->due, parse_time("2025-09-15"));
  EXPECT_TRUE(note.exploited->ransomware);
  EXPECT_EQ(note.exploited->name, "Name");
  EXPECT_EQ(note.exploited->action, "Do.");
  EXPECT_EQ(note.references.size(), 2u);
  EXPECT_EQ(note.cwes, std::vector<std::string>{"CWE-59"});
}

TEST(Kev, OlderCataloguesLackKeys) {
  const auto got =
      read("kev", R"({"vulnerabilities":[{"cveID":"CVE-1-1","dateAdded":"2021-11-03"}]})");
  ASSERT_EQ(got.notes.size(), 1u);
  EXPECT_FALSE(got.notes[0].exploited->ransomware);
  EXPECT_EQ(got.notes[0].exploited->due, 0);
  EXPECT_TRUE(got.skips.empty());
}

TEST(Kev, WhatCannotBeReadIsASkipOrAnError) {
  const auto got = read("kev", R"({"vulnerabilities":[{},{"cveID":7},{"cveID":"CVE-1","cwes":"x"},
      {"cveID":"CVE-2","dueDate":"never"}]})");
  EXPECT_EQ(got.notes.size(), 1u);
  EXPECT_EQ(got.skips.size(), 4u);
  Collect out;
  for (const auto bytes : {"", "{{", "[]", "{}", R"({"vulnerabilities":7})"})
    EXPECT_FALSE(find_feed("kev")->parse({"x", bytes}, out)) << bytes;
}

TEST(KevData, BothCataloguesAreReadAndTheBrokenOneIsAnError) {
  NEED_TEST_DATA("feeds/kev/cisa-kev.tar.zst");
  const auto catalogue = [](std::string_view folder) {
    return sample("kev", "kev/cisa-kev.tar.zst",
                  fmt::format("**/{}/known_exploited_vulnerabilities.json", folder));
  };
  const auto current = catalogue("current");
  ASSERT_TRUE(current) << current.error().what;
  EXPECT_EQ(current->notes.size(), 1404u);
  EXPECT_EQ(current->skips.size(), 0u);
  EXPECT_GT(
      std::ranges::count_if(current->notes, [](auto& note) { return note.exploited->ransomware; }),
      0);
  EXPECT_EQ(std::ranges::count_if(current->notes, [](auto& note) { return note.cwes.empty(); }),
            152);
  const auto older = catalogue("older");
  ASSERT_TRUE(older) << older.error().what;
  EXPECT_EQ(older->notes.size(), 834u);
  EXPECT_EQ(older->skips.size(), 0u);
  EXPECT_FALSE(catalogue("sad"));
}

TEST(Epss, HeadersChangedOverTheYears) {
  const auto note = [](std::string_view text) { return read("epss", text).notes.at(0); };
  const auto first = note("cve,epss\nCVE-2020-5902,0.65117\n");
  EXPECT_EQ(first.id, "CVE-2020-5902");
  EXPECT_DOUBLE_EQ(first.prediction->probability, 0.65117);
  EXPECT_LT(first.prediction->percentile, 0);
  EXPECT_EQ(first.prediction->date, 0);
  EXPECT_DOUBLE_EQ(note("cve,epss,percentile\nCVE-1,0.6,0.9981063485700858").prediction->percentile,
                   0.9981063485700858);
  const auto dated = parse_time("2022-02-04");
  EXPECT_EQ(note("#model_version:v2022.01.01,score_date:2022-02-04T00:00:00+0000\r\n"
                 "cve,epss,percentile\r\nCVE-1,0.0002,0.5\r\n")
                .prediction->date,
            dated);
  EXPECT_EQ(note("#model_version:v2026,score_date:2022-02-04T00:00:00Z\ncve,epss\nCVE-1,1e-05")
                .prediction->date,
            dated);
  EXPECT_EQ(note("#model_version:v2023.03.01\ncve,epss,percentile\nCVE-1,0,1").prediction->date, 0);
}

TEST(Epss, ARowThatCannotBeReadIsASkip) {
  const auto got = read("epss",
                        "cve,epss,percentile\nCVE-1\n,0.1,0.1\nCVE-2,x,0.1\nCVE-3,1.5,0.1\n"
                        "CVE-4,nan,0.1\nCVE-5,0.1,\nCVE-6,-0.1,0.1\n\nCVE-7,0.1,0.1\n");
  EXPECT_EQ(got.notes.size(), 1u);
  EXPECT_EQ(got.skips.size(), 7u);
  EXPECT_EQ(got.skips.at(0).record, "row 1");
}

TEST(Epss, WhatIsNoTableIsAnError) {
  Collect out;
  for (const auto bytes :
       {"", "#x", "#x\n", "invalid,header,format\nCVE-1,0.1,0.1\n", "<html>", "\x1f\x8b\x08"})
    EXPECT_FALSE(find_feed("epss")->parse({"x", bytes}, out)) << bytes;
}

TEST(EpssData, ADayAndEveryVariantAreRead) {
  NEED_TEST_DATA("feeds/epss/epss.tar.zst");
  const auto day = sample("epss", "epss/epss.tar.zst", "**/epss_scores-2026-08-22.csv.gz");
  ASSERT_TRUE(day) << day.error().what;
  EXPECT_EQ(day->notes.size(), 97257u);
  EXPECT_EQ(day->skips.size(), 0u);
  EXPECT_EQ(day->notes.at(0).prediction->date, parse_time("2026-08-22T12:00:22Z"));
  std::size_t files = 0;
  for (const auto pattern :
       {"**/real/vuls/*.csv.gz", "**/real/claircore/*.csv", "**/real/vulnerablecode/*.csv",
        "**/vunnel/example-1.csv", "**/vunnel/missing-date.csv"}) {
    const auto got = sample("epss", "epss/epss.tar.zst", pattern);
    ASSERT_TRUE(got) << pattern << ": " << got.error().what;
    files += got->documents;
    EXPECT_GT(got->notes.size(), 0u) << pattern;
    EXPECT_EQ(got->skips.size(), 0u) << pattern;
  }
  EXPECT_EQ(files, 8u);
  EXPECT_FALSE(sample("epss", "epss/epss.tar.zst", "**/vunnel/invalid-header.csv"));
}

}  // namespace
}  // namespace tenken::feeds
