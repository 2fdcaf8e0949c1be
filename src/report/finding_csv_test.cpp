#include "report/finding_csv.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"

namespace tenken::report {
namespace {

constexpr std::string_view columns_in_order =
    "AWS Account Id,Severity,Fix Available,Finding Type,Title,Description,Finding ARN,First Seen,"
    "Last Seen,Last Updated,Resource ID,Container Image Tags,Region,Platform,Resource Tags,"
    "Affected Packages,Package Installed Version,Fixed in Version,Package Remediation,File Path,"
    "Network Paths,Age (Days),Remediation,Inspector Score,Inspector Score Vector,Status,"
    "Vulnerability Id,Vendor,Vendor Severity,Vendor Advisory,Vendor Advisory Published,"
    "NVD CVSS3 Score,NVD CVSS3 Vector,NVD CVSS2 Score,NVD CVSS2 Vector,Vendor CVSS3 Score,"
    "Vendor CVSS3 Vector,Vendor CVSS2 Score,Vendor CVSS2 Vector,Resource Type,Ami,"
    "Resource Public Ipv4,Resource Private Ipv4,Resource Ipv6,Resource Vpc,Port Range,"
    "Exploit Available,Last Exploited At,Lambda Layers,Lambda Package Type,Lambda Last Updated At,"
    "Reference Urls\r\n";

// A reader of its own: the cells of one line.
std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      out.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else if (c != '\r' && c != '\n') {
      out.back() += c;
    }
  }
  return out;
}

std::map<std::string, std::string> line_of(std::string_view finding, Seconds now = 1'700'000'000) {
  json::Parser parser;
  const auto value = parser.parse(finding);
  EXPECT_TRUE(value) << value.error().what;
  const auto names = cells(finding_csv_head());
  const auto values = cells(finding_csv_line(*value, now));
  EXPECT_EQ(names.size(), values.size());
  std::map<std::string, std::string> out;
  for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) out[names[i]] = values[i];
  return out;
}

TEST(FindingCsv, HeadHas52ColumnsInTheOrderOfTheReport) {
  EXPECT_EQ(finding_csv_head(), columns_in_order);
  EXPECT_EQ(cells(finding_csv_head()).size(), 52U);
}

TEST(FindingCsv, ColumnsComeFromTheDocument) {
  auto line = line_of(R"({"awsAccountId":"111122223333","severity":"HIGH","fixAvailable":"YES",
    "title":"CVE-2024-1 - openssl, openssl-libs","firstObservedAt":1699800000,
    "inspectorScore":7.5,"exploitAvailable":"NO",
    "resources":[{"id":"i-1","type":"AWS_EC2_INSTANCE","region":"eu-west-1",
      "tags":{"env":"prod","team":"a"},
      "details":{"awsEc2Instance":{"platform":"ALMALINUX_9","imageId":"ami-1",
        "ipV4Addresses":["10.0.0.1","203.0.113.9"]}}}],
    "packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2024-1","source":"REDHAT_CVE",
      "vendorCreatedAt":1699000000,
      "cvss":[{"baseScore":9.8,"scoringVector":"CVSS:3.1/AV:N","source":"NVD","version":"3.1"},
              {"baseScore":7.5,"scoringVector":"CVSS:3.1/AV:L","source":"REDHAT","version":"3.1"}],
      "referenceUrls":["https://a.example","https://b.example"],
      "vulnerablePackages":[
        {"name":"openssl","version":"3.0.1","epoch":1,"release":"2.el9","fixedInVersion":"1:3.0.7-1"},
        {"name":"openssl-libs","version":"3.0.1","epoch":0}]}})");
  EXPECT_EQ(line["AWS Account Id"], "111122223333");
  EXPECT_EQ(line["Title"], "CVE-2024-1 - openssl, openssl-libs");
  EXPECT_EQ(line["First Seen"], "2023-11-12T14:40:00Z");
  EXPECT_EQ(line["Age (Days)"], "2");
  EXPECT_EQ(line["Resource Tags"], "env:prod, team:a");
  EXPECT_EQ(line["Affected Packages"], "openssl, openssl-libs");
  EXPECT_EQ(line["Package Installed Version"], "1:3.0.1-2.el9, 3.0.1");
  EXPECT_EQ(line["Fixed in Version"], "1:3.0.7-1");
  EXPECT_EQ(line["Inspector Score"], "7.5");
  EXPECT_EQ(line["NVD CVSS3 Score"], "9.8");
  EXPECT_EQ(line["Vendor CVSS3 Vector"], "CVSS:3.1/AV:L");
  EXPECT_EQ(line["NVD CVSS2 Score"], "");
  EXPECT_EQ(line["Resource Public Ipv4"], "203.0.113.9");
  EXPECT_EQ(line["Resource Private Ipv4"], "10.0.0.1");
  EXPECT_EQ(line["Reference Urls"], "https://a.example, https://b.example");
}

TEST(FindingCsv, ACellIsNeverAFormulaNorALine) {
  auto line = line_of(R"j({"title":"=cmd|'/c calc'!A1","description":"say \"hi\",\nthen\u001b go",
    "resources":[{"id":"@SUM(A1)","tags":{"-1":"+2"}}]})j");
  EXPECT_EQ(line["Title"], "'=cmd|'/c calc'!A1");
  EXPECT_EQ(line["Description"], "say \"hi\", then\\x1b go");
  EXPECT_EQ(line["Resource ID"], "'@SUM(A1)");
  EXPECT_EQ(line["Resource Tags"], "'-1:+2");
}

TEST(FindingCsv, PortRangeAndPathOfAReachablePort) {
  auto line = line_of(R"({"networkReachabilityDetails":{"openPortRange":{"begin":22,"end":22},
    "networkPath":{"steps":[{"componentId":"igw-1"},{"componentId":"i-1"}]}}})");
  EXPECT_EQ(line["Port Range"], "22");
  EXPECT_EQ(line["Network Paths"], "igw-1, i-1");
}

}  // namespace
}  // namespace tenken::report
