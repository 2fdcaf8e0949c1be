// The security team's lists and the tracker: own small cases for each trap, then the real files.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feeds/collect.h"
#include "feeds/debian_releases.h"
#include "support/test_data.h"

namespace tenken::feeds {
namespace {

Collect read(std::string_view feed, std::string_view bytes) {
  Collect out;
  EXPECT_TRUE(find_feed(feed)->parse({"x", bytes}, out));
  return out;
}

std::string fixed_version(const AffectedPackage& package) {
  for (const auto& range : package.ranges) {
    for (const auto& event : range.events) {
      if (event.kind == RangeEvent::Kind::fixed) return event.version;
    }
  }
  return {};
}

TEST(DebianReleases, OldOnesHaveTwoNumbers) {
  EXPECT_EQ(debian_release("woody"), "3.0");
  EXPECT_EQ(debian_release("sarge"), "3.1");
  EXPECT_EQ(debian_release("squeeze"), "6.0");
  EXPECT_EQ(debian_release("wheezy"), "7");
  EXPECT_EQ(debian_release("trixie"), "13");
  EXPECT_EQ(debian_release("sid"), "sid");
  EXPECT_EQ(debian_release("hamm-and-eggs"), "");
}

TEST(DebianLists, ReadsAnEntry) {
  const auto got = read("debian_lists",
                        "[29 Mar 2023] DSA-9-1 pear - security update\n"
                        "\t{CVE-2023-0001 CVE-2023-0002}\n"
                        "\t[bullseye] - pear 2:1.2-3+deb11u6\n"
                        "\t[buster] - pear 1.1-1\n"
                        "\tNOTE: first\n"
                        "\tNOTE: second\n");
  ASSERT_EQ(got.advisories.size(), 1u);
  const auto& a = got.advisories[0];
  EXPECT_EQ(a.id, "DSA-9-1");
  EXPECT_EQ(a.summary, "pear - security update");
  EXPECT_EQ(a.details, "first\nsecond");
  EXPECT_EQ(a.published, parse_time("2023-03-29"));
  EXPECT_EQ(a.upstream, (std::vector<std::string>{"CVE-2023-0001", "CVE-2023-0002"}));
  ASSERT_EQ(a.affected.size(), 2u);
  EXPECT_EQ(a.affected[0].ecosystem, "Debian");
  EXPECT_EQ(a.affected[0].release, "11");
  EXPECT_EQ(a.affected[0].name, "pear");
  EXPECT_EQ(fixed_version(a.affected[0]), "2:1.2-3+deb11u6");
  EXPECT_TRUE(got.skips.empty());
  EXPECT_TRUE(got.covered.contains({"Debian", "10"}));
}

TEST(DebianLists, DatesAreWrittenInTwoWays) {
  const auto published = [](std::string_view date) {
    return read("debian_lists", fmt::format("[{}] DTSA-1-1 x\n", date)).advisories.at(0).published;
  };
  EXPECT_EQ(published("August 26th, 2005"), parse_time("2005-08-26"));
  EXPECT_EQ(published("April 1st, 2006"), parse_time("2006-04-01"));
  EXPECT_EQ(published("01 Apr 2006"), parse_time("2006-04-01"));
  for (const auto date :
       {"", "x", "1 2 3", "31 Feb 2006", "01 Foo 2006", "01 Apr 06", "Apr 1 2 3"}) {
    const auto got = read("debian_lists", fmt::format("[{}] DTSA-1-1 x\n", date));
    EXPECT_EQ(got.advisories.at(0).published, 0) << date;
    EXPECT_EQ(got.skips.size(), 1u) << date;
  }
}

TEST(DebianLists, CandidateIdsAndTrailingBlanksAreRead) {
  const auto got = read("debian_lists",
                        "[01 Jan 2005] DSA-1 x\n        {CAN-2005-2626  CVE-2005-0001 }\n"
                        "    \t[woody] - x  1-1 \n");
  ASSERT_EQ(got.advisories.size(), 1u);
  EXPECT_EQ(got.advisories[0].upstream,
            (std::vector<std::string>{"CVE-2005-2626", "CVE-2005-0001"}));
  EXPECT_EQ(fixed_version(got.advisories[0].affected.at(0)), "1-1");
  EXPECT_TRUE(got.skips.empty());
}

TEST(DebianLists, ARegressionUpdateNamesNoVulnerability) {
  const auto got =
      read("debian_lists", "[01 Jan 2023] DSA-1-2 x - regression update\n\t[sid] - x 2\n");
  ASSERT_EQ(got.advisories.size(), 1u);
  EXPECT_TRUE(got.advisories[0].upstream.empty());
  EXPECT_EQ(got.advisories[0].affected.size(), 1u);
}

TEST(DebianLists, WordsInPlaceOfAVersionAreStatements) {
  const auto package = [](std::string_view rest) {
    const auto got =
        read("debian_lists", fmt::format("[01 Jan 2023] DSA-1 x\n\t[etch] - x {}\n", rest));
    EXPECT_TRUE(got.skips.empty());
    return got.advisories.at(0).affected.at(0);
  };
  const auto safe = package("<not-affected> (Vulnerable code; not present)");
  EXPECT_EQ(safe.status, VendorStatus::not_affected);
  EXPECT_EQ(safe.status_note, "Vulnerable code; not present");
  EXPECT_TRUE(safe.ranges.empty());
  const auto open = package("<unfixed> (high)");
  EXPECT_EQ(open.status, VendorStatus::affected);
  EXPECT_EQ(open.vendor_severity, "high");
  EXPECT_EQ(open.ranges.size(), 1u);
  EXPECT_EQ(fixed_version(open), "");
  EXPECT_EQ(package("<end-of-life>").status, VendorStatus::end_of_life);
  EXPECT_EQ(package("<postponed>").status, VendorStatus::fix_deferred);
  EXPECT_EQ(package("<ignored>").status, VendorStatus::will_not_fix);
  EXPECT_EQ(package("<undetermined>").status, VendorStatus::under_investigation);
  EXPECT_EQ(package("1.2 (bug #1; medium)").vendor_severity, "medium");
}

TEST(DebianLists, ALineThatCannotBeReadIsASkip) {
  for (const auto line :
       {"\t[nosuch] - x 1", "\t[etch] x 1", "\t[etch] - x", "\t[etch]", "\t[",
        "\t[etch] - x <whatever>", "\t[etch] - x 1 2", "\t{CVE-2023-1", "\t- x 1", "\tTODO: x"}) {
    const auto got =
        read("debian_lists", fmt::format("[01 Jan 2023] DSA-1 x\n{}\n\t[sid] - y 1\n", line));
    EXPECT_EQ(got.advisories.at(0).affected.size(), 1u) << line;
    ASSERT_EQ(got.skips.size(), 1u) << line;
    EXPECT_EQ(got.skips[0].record, "line 2 DSA-1") << line;
  }
  const auto got = read("debian_lists", "\t[sid] - y 1\n[x] NOT-1 y\n[01 Jan 2023] DSA-1 x\n");
  EXPECT_EQ(got.advisories.size(), 1u);
  EXPECT_EQ(got.skips.size(), 2u);
}

TEST(DebianLists, WhatIsNoListIsAnError) {
  Collect out;
  for (const auto bytes : {"", "<html>", "\n\n", "{}"})
    EXPECT_FALSE(find_feed("debian_lists")->parse({"x", bytes}, out)) << bytes;
}

TEST(DebianListsData, AgreeWithTheOsvRecords) {
  NEED_TEST_DATA("feeds/debian/debian-tracker-lists.tar.zst");
  const auto root = test::data_path("feeds");
  const auto osv = read_members(*find_feed("osv"), root, "osv/Debian/all.zip", "*.json");
  ASSERT_TRUE(osv);
  using Row = std::tuple<std::string, std::string, std::string>;
  const auto rows = [](const Advisory& advisory) {
    std::vector<Row> out;
    for (const auto& package : advisory.affected) {
      if (package.status == VendorStatus::not_affected) continue;  // which OSV leaves out
      out.emplace_back(package.name, package.release, fixed_version(package));
    }
    std::ranges::sort(out);
    return out;
  };
  std::map<std::string, const Advisory*> published;
  for (const auto& advisory : osv->advisories) published[advisory.id] = &advisory;

  std::size_t advisories = 0;
  for (const auto list : {"DSA", "DLA", "DTSA"}) {
    const auto got =
        read_members(*find_feed("debian_lists"), root, "debian/debian-tracker-lists.tar.zst",
                     fmt::format("**/data/{}/list", list));
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->documents, 1u);
    EXPECT_EQ(got->skips.size(), 0u);
    advisories += got->advisories.size();
    for (const auto& advisory : got->advisories) {
      ASSERT_TRUE(published.contains(advisory.id)) << advisory.id;
      const auto& record = *published[advisory.id];
      EXPECT_EQ(rows(advisory), rows(record)) << advisory.id;
      EXPECT_EQ(advisory.upstream, record.upstream) << advisory.id;
      EXPECT_EQ(advisory.published, record.published) << advisory.id;
      EXPECT_EQ(advisory.summary, record.summary) << advisory.id;
    }
  }
  EXPECT_EQ(advisories, 9148u);
  EXPECT_EQ(published.size(), 9148u);
}

// What the tracker says of package x, CVE-1, bullseye.
AffectedPackage tracked(std::string_view state) {
  const auto got =
      read("debian_tracker",
           fmt::format(R"({{"x":{{"CVE-1":{{"releases":{{"bullseye":{{{}}}}}}}}}}})", state));
  EXPECT_TRUE(got.skips.empty());
  return got.advisories.at(0).affected.at(0);
}

TEST(DebianTracker, AStateBecomesAStatus) {
  const auto fixed = tracked(R"("status":"resolved","fixed_version":"1-2","urgency":"high**")");
  EXPECT_EQ(fixed.status, VendorStatus::affected);
  EXPECT_EQ(fixed.release, "11");
  EXPECT_EQ(fixed_version(fixed), "1-2");
  EXPECT_EQ(fixed.vendor_severity, "high");
  const auto safe =
      tracked(R"("status":"resolved","fixed_version":"0","urgency":"not yet assigned")");
  EXPECT_EQ(safe.status, VendorStatus::not_affected);
  EXPECT_TRUE(safe.ranges.empty());
  EXPECT_EQ(safe.vendor_severity, "");
  const auto open = tracked(R"("status":"open","urgency":"unimportant")");
  EXPECT_EQ(open.status, VendorStatus::affected);
  EXPECT_EQ(open.vendor_severity, "unimportant");
  EXPECT_EQ(open.ranges.size(), 1u);
  const auto deferred = tracked(R"("status":"open","nodsa":"Minor issue","nodsa_reason":"")");
  EXPECT_EQ(deferred.status, VendorStatus::fix_deferred);
  EXPECT_EQ(deferred.status_note, "Minor issue");
  const auto postponed =
      tracked(R"("status":"open","nodsa":"Minor issue","nodsa_reason":"postponed")");
  EXPECT_EQ(postponed.status, VendorStatus::fix_deferred);
  EXPECT_EQ(postponed.status_note, "postponed; Minor issue");
  EXPECT_EQ(tracked(R"("status":"open","nodsa":"x","nodsa_reason":"ignored")").status,
            VendorStatus::will_not_fix);
  EXPECT_EQ(tracked(R"("status":"open","urgency":"end-of-life")").status,
            VendorStatus::end_of_life);
  EXPECT_EQ(tracked(R"("status":"undetermined")").status, VendorStatus::under_investigation);
}

TEST(DebianTracker, OneAdvisoryHoldsAllPackagesOfAVulnerability) {
  const auto got = read("debian_tracker", R"({
    "x": {"CVE-2": {"releases": {"sid": {"status": "open"}}},
          "CVE-1": {"description": "text", "debianbug": 7, "scope": "local",
                    "releases": {"sid": {"status": "open"}, "buster": {"status": "open"}}}},
    "y": {"CVE-1": {"releases": {"sid": {"status": "resolved", "fixed_version": "3"}}}}})");
  ASSERT_EQ(got.advisories.size(), 2u);
  EXPECT_EQ(got.advisories[0].id, "CVE-1");
  EXPECT_EQ(got.advisories[0].details, "text");
  EXPECT_EQ(got.advisories[0].affected.size(), 3u);
  EXPECT_EQ(got.covered.size(), 2u);
}

TEST(DebianTracker, WhatCannotBeReadIsASkip) {
  for (const auto state : {R"({"status":"new"})", R"({"status":"resolved"})", "{}", "7"}) {
    const auto got =
        read("debian_tracker",
             fmt::format(
                 R"({{"x":{{"CVE-1":{{"releases":{{"sid":{},"buster":{{"status":"open"}}}}}}}}}})",
                 state));
    EXPECT_EQ(got.advisories.at(0).affected.size(), 1u) << state;
    ASSERT_EQ(got.skips.size(), 1u) << state;
    EXPECT_EQ(got.skips[0].record, "x CVE-1 sid");
  }
  const auto got = read("debian_tracker", R"({"x":{"CVE-1":{"releases":{"new":{"status":"open"}}},
      "CVE-2":{"releases":{"new":{"status":"open"}}},"CVE-3":{}},"y":[]})");
  EXPECT_EQ(got.skips.size(), 3u);  // the unknown release once, CVE-3, y
}

TEST(DebianTracker, WhatIsNoTrackerDocumentIsAnError) {
  Collect out;
  for (const auto bytes : {"", "invalid", "[]", "{}", R"({"x":{}})", R"({"x":[]})"})
    EXPECT_FALSE(find_feed("debian_tracker")->parse({"x", bytes}, out)) << bytes;
}

TEST(DebianTrackerData, EveryStateIsRead) {
  NEED_TEST_DATA("feeds/debian/debian-tracker-json-derived.tar.zst");
  const auto got = read_members(*find_feed("debian_tracker"), test::data_path("feeds"),
                                "debian/debian-tracker-json-derived.tar.zst", "**/data/json");
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->advisories.size(), 13205u);
  std::size_t rows = 0;
  for (const auto& advisory : got->advisories) rows += advisory.affected.size();
  EXPECT_EQ(rows, 23513u);
  EXPECT_EQ(got->skips.size(), 0u);
  EXPECT_EQ(got->covered.size(), 5u);
}

TEST(DebianTrackerData, SamplesAreReadAndTheInvalidOneIsAnError) {
  NEED_TEST_DATA("feeds/debian/debian-samples.tar.zst");
  const auto sample = [](std::string_view member) {
    return read_members(*find_feed("debian_tracker"), test::data_path("feeds"),
                        "debian/debian-samples.tar.zst", member);
  };
  const auto good = sample("**/tracker-api/advisory.json");
  ASSERT_TRUE(good) << good.error().what;
  EXPECT_EQ(good->advisories.size(), 4u);
  EXPECT_EQ(good->skips.size(), 0u);
  EXPECT_FALSE(sample("**/tracker-api/invalid.json"));
}

}  // namespace
}  // namespace tenken::feeds
