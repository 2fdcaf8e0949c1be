#include "api/api_fixture.h"

namespace tenken::api {
namespace {

class ScanSbomTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    use_advisories({{"CVE-2024-1", osv_advisory("CVE-2024-1", "flask", "3.0")}});
  }
  static std::string request(std::string_view format) {
    return fmt::format(
        R"({{{}"sbom":{{"bomFormat":"CycloneDX","specVersion":"1.5","components":)"
        R"([{{"bom-ref":"mine","type":"library","name":"flask","version":"1.0",)"
        R"("purl":"pkg:pypi/flask@1.0"}},{{"type":"library","name":"jinja2",)"
        R"("version":"3.0","purl":"pkg:pypi/jinja2@3.0"}}]}}}})",
        format.empty() ? std::string() : fmt::format(R"("outputFormat":"{}",)", format));
  }
};

TEST_F(ScanSbomTest, CycloneDxHasWhatPluginsRead) {
  become(own_account, access::Role::viewer);
  const auto text = answer("ScanSbom", request(""));
  json::Parser parser;
  const auto document = parser.parse(text);
  ASSERT_TRUE(document) << text;
  const auto sbom = (*document)["sbom"];
  EXPECT_EQ(sbom["bomFormat"].string(), "CycloneDX");
  EXPECT_EQ(sbom["specVersion"].string(), "1.5");
  EXPECT_EQ(sbom["components"].size(), 2U);
  EXPECT_EQ(sbom["vulnerabilities"].size(), 1U);
  for (const auto* part :
       {R"({"name":"amazon:inspector:sbom_scanner:critical_vulnerabilities","value":"1"})",
        R"("id":"CVE-2024-1")", R"("affects":[{"ref":"mine"}])", R"("bom-ref":"comp-2")",
        R"({"name":"amazon:inspector:sbom_scanner:fixed_version:mine","value":"3.0"})",
        R"("method":"CVSSv31")", R"("score":9.8,"severity":"critical")"})
    EXPECT_TRUE(text.contains(part)) << part << "\n" << text;
}

TEST_F(ScanSbomTest, WhatIsPartialIsAnsweredAsSuch) {
  EXPECT_FALSE(answer("ScanSbom", request("")).contains("compositions"));
  for (const auto* format : {"", "INSPECTOR"}) {
    auto partial = request(format);
    partial.insert(partial.size() - 2, R"(,"compositions":[{"aggregate":"unknown"}])");
    const auto text = answer("ScanSbom", partial);
    EXPECT_TRUE(text.contains("the document says itself that it is not complete")) << text;
    EXPECT_EQ(text.contains(R"("compositions":[{"aggregate":"incomplete"}])"), *format == '\0')
        << text;
  }
}

TEST_F(ScanSbomTest, ScoreOfAGitHubAdvisoryIsGitHubs) {
  use_advisories({{"GHSA-aaaa-bbbb-cccc", osv_advisory("GHSA-aaaa-bbbb-cccc", "flask", "3.0")}});
  const auto text = answer("ScanSbom", request(""));
  EXPECT_TRUE(text.contains(R"({"source":{"name":"GITHUB"},"score":9.8)")) << text;
}

TEST_F(ScanSbomTest, InspectorIsAPlainList) {
  for (const auto* format : {"INSPECTOR", "INSPECTOR_ALT"}) {
    const auto text = answer("ScanSbom", request(format));
    json::Parser parser;
    const auto document = parser.parse(text);
    ASSERT_TRUE(document) << text;
    const auto sbom = (*document)["sbom"];
    EXPECT_EQ(sbom["vulnerability_count"]["critical"].integer(), 1);
    EXPECT_EQ(sbom["vulnerabilities"].size(), 1U);
    EXPECT_TRUE(text.contains(R"("installed_version":"pkg:pypi/flask@1.0","fixed_version":"3.0")"))
        << text;
  }
}

TEST_F(ScanSbomTest, InspectorNamesEachComponentThatWasSkipped) {
  const auto text = answer(
      "ScanSbom",
      R"({"outputFormat":"INSPECTOR","sbom":{"bomFormat":"CycloneDX","specVersion":"1.5",)"
      R"("components":[{"type":"library","name":"a","version":"1","purl":"pkg:generic/a@1"},)"
      R"({"type":"library","name":"b","version":"2","purl":"pkg:generic/b@2"}]}})");
  for (const auto* part :
       {R"("messages":[{"name":"a","purl":"pkg:generic/a@1","info":"Component skipped: )",
        R"({"name":"b","purl":"pkg:generic/b@2","info":"Component skipped: )"})
    EXPECT_TRUE(text.contains(part)) << part << "\n" << text;
}

TEST_F(ScanSbomTest, WhatIsNoSbomIsRefusedAsSuch) {
  const auto out = call("ScanSbom", R"({"sbom":{"hello":"world"}})");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().reason, Reason::unsupported_sbom_type);
  EXPECT_EQ(name(out.error().code), "ValidationException");
}

}  // namespace
}  // namespace tenken::api
