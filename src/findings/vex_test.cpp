#include "findings/vex.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/archive.h"
#include "support/sample_result.h"
#include "support/test_data.h"

namespace tenken::findings {
namespace {

VexDocument parsed(std::string_view text) {
  auto document = parse_vex(text, "vex.json");
  EXPECT_TRUE(document.has_value()) << document.error().what;
  return document ? *std::move(document) : VexDocument{};
}

// What one document does to the sample: "package id status: reason" of what it takes out.
struct Effect {
  std::string ignored;
  std::vector<std::string> warnings;
};
Effect effect(std::string_view text) {
  auto sample = test::sample_result();
  sample.ignored.clear();
  const auto result = apply_vex(std::move(sample), {parsed(text)}, Lang::en);
  Effect effect{.warnings = result.warnings};
  for (const Finding& finding : result.ignored)
    effect.ignored += result.inventory.packages[finding.package].name + " " + finding.id + " " +
                      finding.excluded->status + ": " + finding.excluded->reason + "\n";
  return effect;
}

std::string openvex(std::string_view statement) {
  return R"({"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2024-01-01T00:00:00Z",)"
         R"("statements":[)" +
         std::string(statement) + "]}";
}

TEST(Openvex, a_statement_takes_out_the_package_that_its_purl_names) {
  const auto [ignored, warnings] = effect(
      openvex(R"({"vulnerability":{"name":"DEBIAN-CVE-2024-0001"},"status":"not_affected",)"
              R"("justification":"component_not_present","impact_statement":"mod_proxy is off",)"
              R"("products":[{"@id":"pkg:deb/debian/apache2@2.4.51-1?distro=debian-11"}]})"));
  EXPECT_EQ(ignored,
            "apache2 CVE-2024-0001 not_affected: component_not_present: mod_proxy is off\n");
  EXPECT_TRUE(warnings.empty());
}

TEST(Openvex, an_id_is_the_same_in_either_case) {
  const auto [ignored, warnings] =
      effect(openvex(R"({"vulnerability":{"name":"cve-2024-0001"},"status":"not_affected",)"
                     R"("products":[{"@id":"pkg:deb/debian/apache2"}]})"));
  EXPECT_NE(ignored, "");
  EXPECT_TRUE(warnings.empty());
}

TEST(Openvex, another_version_qualifier_or_namespace_does_not_match) {
  for (const auto* purl :
       {"pkg:deb/debian/apache2@2.4.52-1", "pkg:deb/debian/apache2@2.4.51-1?arch=arm64",
        "pkg:deb/ubuntu/apache2@2.4.51-1", "pkg:rpm/debian/apache2@2.4.51-1"}) {
    const auto [ignored, warnings] = effect(openvex(
        R"({"vulnerability":{"name":"CVE-2024-0001"},"status":"not_affected","products":[{"@id":")" +
        std::string(purl) + R"("}]})"));
    EXPECT_EQ(ignored, "") << purl;
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0], "vex.json: 1 statement matches no finding");
  }
}

TEST(Openvex, the_newest_statement_decides_and_a_tie_keeps_the_finding) {
  const auto statement = [](std::string_view status, std::string_view time) {
    return R"({"vulnerability":{"name":"CVE-2024-0001"},"timestamp":")" + std::string(time) +
           R"(","status":")" + std::string(status) +
           R"(","products":[{"@id":"pkg:deb/debian/apache2"}]})";
  };
  const auto ignored = [&](std::string_view first, std::string_view second) {
    return effect(openvex(statement("not_affected", first) + "," + statement("affected", second)));
  };
  EXPECT_NE(ignored("2024-02-01T00:00:00Z", "2024-01-01T00:00:00Z").ignored, "");
  EXPECT_EQ(ignored("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z").ignored, "");
  const auto tie = ignored("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z");
  EXPECT_EQ(tie.ignored, "");
  ASSERT_EQ(tie.warnings.size(), 1u);
  EXPECT_EQ(tie.warnings[0], "vex.json: CVE-2024-0001 is stated to be affected; the finding stays");
}

TEST(Openvex, a_part_counts_only_within_the_target_or_one_of_its_packages) {
  const auto within = [](std::string_view product) {
    return effect(openvex(R"({"vulnerability":{"name":"CVE-2024-0001"},"status":"not_affected",)"
                          R"("products":[{"@id":")" +
                          std::string(product) +
                          R"(","subcomponents":[{"@id":"pkg:deb/debian/apache2-bin"}]}]})"))
        .ignored;
  };
  EXPECT_EQ(within("pkg:oci/other"), "");
  EXPECT_NE(within("/srv/root"), "");
  EXPECT_NE(within("pkg:deb/debian/apache2@2.4.51-1"), "");
}

TEST(Openvex, fixed_needs_a_version) {
  const auto document = parsed(openvex(
      R"({"vulnerability":"CVE-2024-0001","status":"fixed","products":["pkg:deb/debian/apache2"]})"));
  EXPECT_TRUE(document.statements.empty());
  ASSERT_EQ(document.skips.size(), 1u);
  EXPECT_EQ(document.skips[0].reason, "fixed, but no version is named");
}

TEST(Openvex, what_cannot_be_used_is_counted) {
  const auto [ignored, warnings] = effect(openvex(
      R"({"status":"fixed"},{"vulnerability":{"name":"CVE-1"},"status":"maybe"},)"
      R"({"vulnerability":{"name":"CVE-1"},"status":"fixed"},7,)"
      R"({"vulnerability":{"name":"CVE-1"},"status":"fixed","products":[{"@id":"our app"}]})"));
  EXPECT_EQ(ignored, "");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            "vex.json: 5 statements could not be read, first: statement 1: no vulnerability");
}

std::string cyclonedx(std::string_view analysis, std::string_view affects) {
  return R"({"bomFormat":"CycloneDX","specVersion":"1.4","components":[{"name":"a",)"
         R"("components":[{"bom-ref":"r1","name":"apache2","purl":"pkg:deb/debian/apache2@2.4.51-1"}]}],)"
         R"("vulnerabilities":[{"id":"CVE-2024-0001","analysis":)" +
         std::string(analysis) + R"(,"affects":[)" + std::string(affects) + "]}]}";
}

TEST(CyclonedxVexInput, references_lead_to_components_here_or_by_bom_link) {
  const auto* analysis =
      R"({"state":"not_affected","justification":"code_not_reachable","detail":"proxy off"})";
  const auto* expected = "apache2 CVE-2024-0001 not_affected: code_not_reachable: proxy off\n";
  EXPECT_EQ(effect(cyclonedx(analysis, R"({"ref":"r1"})")).ignored, expected);
  EXPECT_EQ(effect(cyclonedx(analysis, R"({"ref":"urn:cdx:f/1#pkg:deb/debian/apache2@2.4.51-1"})"))
                .ignored,
            expected);
  const auto elsewhere = effect(cyclonedx(analysis, R"({"ref":"urn:cdx:f/1#component-7"})"));
  EXPECT_EQ(elsewhere.ignored, "");
  EXPECT_EQ(elsewhere.warnings.size(), 1u);
}

TEST(CyclonedxVexInput, states_that_do_not_clear_leave_the_finding) {
  EXPECT_EQ(effect(cyclonedx(R"({"state":"resolved"})", R"({"ref":"r1"})")).ignored,
            "apache2 CVE-2024-0001 fixed: fixed\n");
  for (const auto* state : {R"({"state":"exploitable"})", R"({"state":"in_triage"})", "{}"})
    EXPECT_EQ(effect(cyclonedx(state, R"({"ref":"r1"})")).ignored, "") << state;
}

TEST(CyclonedxVexInput, versions_narrow_a_statement) {
  const auto ignored = [](std::string_view versions) {
    return effect(cyclonedx(R"({"state":"not_affected"})",
                            R"({"ref":"r1","versions":[)" + std::string(versions) + "]}"))
        .ignored;
  };
  EXPECT_NE(ignored(R"({"version":"2.4.51-1","status":"unaffected"})"), "");
  EXPECT_EQ(ignored(R"({"version":"2.4.52-1","status":"unaffected"})"), "");
  EXPECT_EQ(ignored(R"({"version":"2.4.51-1","status":"affected"})"), "");
  EXPECT_EQ(ignored(R"({"range":"vers:deb/<3","status":"unaffected"})"), "");
}

std::string csaf(std::string_view purl, std::string_view tree_rest,
                 std::string_view vulnerability) {
  return R"({"document":{"csaf_version":"2.0","tracking":{"current_release_date":"2024-01-01T00:00:00Z"}},)"
         R"("product_tree":{"branches":[{"branches":[{"product":{"product_id":"P1","name":"apache",)"
         R"("product_identification_helper":{"purl":")" +
         std::string(purl) + R"("}}}]}])" + std::string(tree_rest) +
         R"(},"vulnerabilities":[{"cve":"CVE-2024-0001",)" + std::string(vulnerability) + "}]}";
}

TEST(Csaf, product_status_flags_and_threats_say_what_and_why) {
  EXPECT_EQ(
      effect(csaf("pkg:deb/debian/apache2@2.4.51-1", "",
                  R"("product_status":{"known_not_affected":["P1"]},)"
                  R"("flags":[{"label":"component_not_present","product_ids":["P1"]}],)"
                  R"("threats":[{"category":"impact","details":"removed","product_ids":["P1"]}])"))
          .ignored,
      "apache2 CVE-2024-0001 not_affected: component_not_present: removed\n");
  EXPECT_EQ(
      effect(csaf("pkg:deb/debian/apache2@2.4.51-1", "", R"("product_status":{"fixed":["P1"]})"))
          .ignored,
      "apache2 CVE-2024-0001 fixed: fixed\n");
  EXPECT_EQ(effect(csaf("pkg:deb/debian/apache2@2.4.51-1", "",
                        R"("product_status":{"known_affected":["P1"]})"))
                .ignored,
            "");
}

TEST(Csaf, a_component_of_another_platform_is_not_cleared_here) {
  const auto* relation =
      R"(,"full_product_names":[{"product_id":"OS","name":"Some OS 8"}],"relationships":[{)"
      R"("product_reference":"P1","relates_to_product_reference":"OS",)"
      R"("full_product_name":{"product_id":"P1-on-OS","name":"apache on Some OS 8"}}])";
  EXPECT_EQ(effect(csaf("pkg:deb/debian/apache2", relation,
                        R"("product_status":{"known_not_affected":["P1-on-OS"]})"))
                .ignored,
            "");
  EXPECT_EQ(effect(csaf("pkg:deb/debian/apache2@2.4.51-1", relation,
                        R"("product_status":{"fixed":["P1-on-OS"]})"))
                .ignored,
            "apache2 CVE-2024-0001 fixed: fixed\n")
      << "a build that has the fix has it everywhere";
}

TEST(Csaf, a_circle_of_relationships_ends) {
  const auto* circle =
      R"(,"relationships":[{"product_reference":"B","relates_to_product_reference":"B",)"
      R"("full_product_name":{"product_id":"A","name":"a"}},{"product_reference":"A",)"
      R"("relates_to_product_reference":"A","full_product_name":{"product_id":"B","name":"b"}}])";
  EXPECT_EQ(parsed(csaf("", circle, R"("product_status":{"fixed":["A"]})")).skips.size(), 1u);
}

TEST(Vex, other_documents_are_refused) {
  for (const auto* text : {"{}", "[]", "", R"({"bomFormat":"CycloneDX"})", "{\"document\":1}"})
    EXPECT_EQ(parse_vex(text, "x").error().code, Errc::invalid) << text;
}

// Every document of an archive either parses or is refused; none of them is lost.
void read_archive(const std::string& path, std::size_t least) {
  std::size_t documents = 0, statements = 0, skips = 0;
  const auto read = [&](std::string_view, std::string_view bytes) -> Result<> {
    const auto document = parse_vex(bytes, "x");
    if (!document) return {};
    ++documents;
    statements += document->statements.size();
    skips += document->skips.size();
    return {};
  };
  const auto json = [](std::string_view name) { return name.ends_with(".json"); };
  const auto walked = for_each_member(path, {}, json, read);
  ASSERT_TRUE(walked.has_value()) << walked.error().what;
  EXPECT_GE(documents, least);
  EXPECT_GT(statements + skips, 0u);
  testing::Test::RecordProperty("documents", static_cast<int>(documents));
  testing::Test::RecordProperty("statements", static_cast<int>(statements));
  testing::Test::RecordProperty("skips", static_cast<int>(skips));
}

TEST(Vex, published_csaf_documents_are_read) {
  NEED_TEST_DATA("feeds/csaf/csaf-conformance.tar.zst");
  read_archive(test::data_path("feeds/csaf/csaf-conformance.tar.zst"), 100);
}

TEST(Vex, published_red_hat_documents_are_read) {
  NEED_TEST_DATA("feeds/redhat/redhat-csaf-vex-samples.tar.zst");
  read_archive(test::data_path("feeds/redhat/redhat-csaf-vex-samples.tar.zst"), 5);
}

}  // namespace
}  // namespace tenken::findings
