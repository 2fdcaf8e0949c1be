// Alpine's security database: own small cases for each trap, then the real files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feeds/collect.h"
#include "support/test_data.h"

namespace tenken::feeds {
namespace {

const Feed& feed() {
  return *find_feed("alpine_secdb");
}

// One package p with one fix in 1-r0 for these ids.
Collect read_ids(std::string_view ids) {
  Collect out;
  const auto bytes = fmt::format(
      R"({{"distroversion":"v3.11","packages":[{{"pkg":{{"name":"p","secfixes":{{"1-r0":{}}}}}}}]}})",
      ids);
  EXPECT_TRUE(feed().parse({"main.json", bytes}, out));
  return out;
}

// "id (related, …)" for each advisory of one written id.
std::vector<std::string> names(std::string_view written) {
  std::vector<std::string> out;
  for (const auto& advisory : read_ids(fmt::format(R"(["{}"])", written)).advisories) {
    auto text = advisory.id;
    for (const auto& related : advisory.related) text += " +" + related;
    out.push_back(std::move(text));
  }
  return out;
}

TEST(AlpineSecdb, IdsAreWrittenByHand) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names("CVE-2019-14904"), Names{"CVE-2019-14904"});
  EXPECT_EQ(names("CVE-2016-6258 XSA-182"), Names{"CVE-2016-6258 +XSA-182"});
  EXPECT_EQ(names("CVE-2018-3620   XSA-273"), Names{"CVE-2018-3620 +XSA-273"});
  EXPECT_EQ(names("CVE-2018-3837 TALOS-2018-0519"), Names{"CVE-2018-3837 +TALOS-2018-0519"});
  EXPECT_EQ(names("CVE-2017-17434-1"), Names{"CVE-2017-17434"});
  EXPECT_EQ(names("CVE-2017-8073.patch"), Names{"CVE-2017-8073"});
  EXPECT_EQ(names("CVE_2019-2426"), Names{"CVE-2019-2426"});
  EXPECT_EQ(names("CVE 2018-16859"), Names{"CVE-2018-16859"});
  EXPECT_EQ(names("CVE-????"
                  "-?????  XSA-284"),
            Names{"XSA-284"});
  EXPECT_EQ(names("CVE-2017-16808 (AoE)"), Names{"CVE-2017-16808"});
  EXPECT_EQ(names("CVE-2018-16301 (was fixed in libpcap-2)"), Names{"CVE-2018-16301"});
  EXPECT_EQ(names("CVE-2017-5753 CVE-2017-5715 XSA-254 XPTI"),
            (Names{"CVE-2017-5715 +XSA-254", "CVE-2017-5753 +XSA-254"}));
  EXPECT_EQ(names("wnpa-sec-2017-18"), Names{"wnpa-sec-2017-18"});
  EXPECT_EQ(names("XSA-207"), Names{"XSA-207"});
}

TEST(AlpineSecdb, WhatIsNoIdIsASkip) {
  for (const auto id : {"", "unknown", "CVE", "CVE-2017", "CVE-2017-12x", "CVE-17-1234", "(AoE)",
                        "CVE-????"
                        "-?????",
                        "-1"}) {
    const auto got = read_ids(fmt::format(R"(["{}","CVE-2020-0001"])", id));
    EXPECT_EQ(got.advisories.size(), 1u) << id;
    ASSERT_EQ(got.skips.size(), 1u) << id;
    EXPECT_EQ(got.skips[0].record, "p 1-r0");
  }
  EXPECT_EQ(read_ids("null").skips.size(), 1u);
  EXPECT_EQ(read_ids("[7]").skips.size(), 1u);
}

TEST(AlpineSecdb, AFixIsARangeAndVersionZeroMeansNotAffected) {
  Collect got;
  ASSERT_TRUE(feed().parse({"x", R"({"distroversion":"v3.11","packages":[
    {"pkg":{"name":"p","secfixes":{"1-r0":["CVE-2020-0001"],"0":["CVE-2020-0002"]}}},
    {"pkg":{"name":"q","secfixes":{"2-r0":["CVE-2020-0001"]}}}]})"},
                           got));
  ASSERT_EQ(got.advisories.size(), 2u);
  const auto& first = got.advisories[0];
  EXPECT_EQ(first.id, "CVE-2020-0001");
  ASSERT_EQ(first.affected.size(), 2u);
  EXPECT_EQ(first.affected[1].name, "q");
  EXPECT_EQ(first.affected[1].ecosystem, "Alpine");
  EXPECT_EQ(first.affected[1].release, "v3.11");
  EXPECT_EQ(first.affected[1].ranges.at(0).events.at(1).version, "2-r0");
  EXPECT_EQ(got.advisories[1].affected.at(0).status, VendorStatus::not_affected);
  EXPECT_TRUE(got.advisories[1].affected.at(0).ranges.empty());
}

TEST(AlpineSecdb, ARepositoryWithoutFixesIsCovered) {
  for (const auto packages : {"null", "[]", "{}"}) {
    Collect got;
    const auto bytes = fmt::format(R"({{"distroversion":"v3.3","packages":{}}})", packages);
    EXPECT_TRUE(feed().parse({"x", bytes}, got)) << packages;
    EXPECT_TRUE(got.covered.contains({"Alpine", "v3.3"}));
    EXPECT_TRUE(got.skips.empty());
  }
}

TEST(AlpineSecdb, WhatIsNoSecdbDocumentIsAnError) {
  Collect out;
  for (const auto bytes :
       {"", "<html>", "[]", "{}", R"({"packages":[]})", R"({"distroversion":"v3.3","packages":7})",
        R"({"distroversion":"v3.3","packages":{"a":1}})"})
    EXPECT_FALSE(feed().parse({"x", bytes}, out)) << bytes;
}

TEST(AlpineSecdb, TheListingNamesTheDocuments) {
  const auto urls = feed().fetching.next("https://h/", R"(<a href="../">../</a>
    <a href="edge/">edge/</a> <a href="v3.2/">v3.2/</a> <a href="v3.16/">v3.16/</a>
    <a href="last-update">x</a> <a href="v3.1x/">x</a> <a href="https://h/v3.3/">x</a> <a href="v3)");
  EXPECT_EQ(urls,
            (std::vector<std::string>{"https://h/edge/main.json", "https://h/edge/community.json",
                                      "https://h/v3.2/main.json", "https://h/v3.16/main.json",
                                      "https://h/v3.16/community.json"}));
  EXPECT_TRUE(feed().fetching.next("https://h/v3.2/main.json", "href=\"v3.3/\"").empty());
}

TEST(AlpineSecdbData, EveryFixIsReadOrCounted) {
  NEED_TEST_DATA("feeds/alpine/alpine-secdb-2020.tar.zst");
  const auto got = read_members(feed(), test::data_path("feeds"),
                                "alpine/alpine-secdb-2020.tar.zst", "**/v*/*.json");
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->documents, 18u);
  std::size_t rows = 0;
  for (const auto& advisory : got->advisories) rows += advisory.affected.size();
  // 12,028 written ids, of which one names three vulnerabilities and one names two.
  EXPECT_EQ(rows, 12028u + 3u);
  EXPECT_EQ(got->covered.size(), 9u);
  ASSERT_EQ(got->skips.size(), 1u);  // a list of ids that is null
  EXPECT_EQ(got->skips[0].record, "heimdal 7.4.0-r0");
}

TEST(AlpineSecdbData, SamplesAreRead) {
  NEED_TEST_DATA("feeds/alpine/alpine-samples.tar.zst");
  for (const auto pattern : {"**/vuls/secdb/*/*.json", "**/vuln-list-update/alpine/*.json",
                             "**/claircore/fetch/*/*.json"}) {
    const auto got =
        read_members(feed(), test::data_path("feeds"), "alpine/alpine-samples.tar.zst", pattern);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_GT(got->documents, 0u) << pattern;
    EXPECT_GT(got->advisories.size(), 0u) << pattern;
  }
}

}  // namespace
}  // namespace tenken::feeds
