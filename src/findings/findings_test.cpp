#include <gtest/gtest.h>

#include "findings/filter.h"
#include "findings/ignore.h"
#include "findings/score.h"
#include "support/sample_result.h"

namespace tenken::findings {
namespace {

constexpr Seconds now = 1'729'512'000;  // 2024-10-21T12:00:00Z

// "package id status" of each finding, one per line.
std::string rows(const ScanResult& result, const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings)
    text += result.inventory.packages[finding.package].name + " " + finding.id + " " +
            (finding.excluded ? finding.excluded->status : "") + "\n";
  return text;
}

TEST(Score, sources_disagree_that_are_two_points_or_two_bands_apart) {
  const auto disagree = [](std::vector<std::pair<std::string, int>> cvss) {
    Vulnerability one;
    for (const auto& [source, tenths] : cvss)
      one.cvss.push_back({.source = source, .tenths = static_cast<std::int16_t>(tenths)});
    return scores_disagree(one);
  };
  EXPECT_FALSE(disagree({}));
  EXPECT_FALSE(disagree({{"a", 98}, {"a", 50}})) << "versions of one source";
  EXPECT_FALSE(disagree({{"a", 98}, {"b", 79}}));
  EXPECT_TRUE(disagree({{"a", 98}, {"b", 78}}));
  EXPECT_TRUE(disagree({{"a", 0}, {"b", 40}}));
  EXPECT_TRUE(disagree({{"a", 71}, {"b", 90}, {"c", 60}}));
}

TEST(Score, bands_are_inspector_s) {
  for (const auto& [tenths, word] :
       std::initializer_list<std::pair<int, std::string_view>>{{-1, "UNTRIAGED"},
                                                               {0, "INFORMATIONAL"},
                                                               {1, "LOW"},
                                                               {39, "LOW"},
                                                               {40, "MEDIUM"},
                                                               {69, "MEDIUM"},
                                                               {70, "HIGH"},
                                                               {89, "HIGH"},
                                                               {90, "CRITICAL"},
                                                               {100, "CRITICAL"}})
    EXPECT_EQ(inspector_severity(tenths), word);
  EXPECT_EQ(band_of("HIGH")->first, 70);
  EXPECT_FALSE(band_of("SEVERE").has_value());
}

TEST(Filter, unknown_severity_is_always_shown_and_the_rest_is_counted) {
  const auto result = filtered(test::sample_result(), {.minimum = SeverityLevel::high});
  EXPECT_EQ(rows(result, result.findings),
            "apache2 CVE-2024-0001 \napache2-bin CVE-2024-0001 \n"
            "=cmd CVE-2024-0003 \n=cmd CVE-2024-0004 \n");
  EXPECT_EQ(result.hidden, 2u);
  EXPECT_EQ(result.unknown.size(), 1u);
  ASSERT_EQ(result.vulnerabilities.size(), 4u) << "that of an ignored finding is one";
  for (const auto* findings : {&result.findings, &result.ignored})
    for (const Finding& finding : *findings)
      EXPECT_EQ(result.vulnerabilities[finding.vulnerability].id, finding.id);
}

TEST(Filter, fixed_only_leaves_out_what_has_no_fix) {
  const auto result = filtered(test::sample_result(), {.fixed_only = true});
  EXPECT_EQ(result.findings.size(), 4u);
  EXPECT_EQ(result.hidden, 2u);
}

TEST(Filter, a_threshold_ignores_kernels_that_do_not_run_and_unknown_severity) {
  const auto result = test::sample_result();
  EXPECT_EQ(count_failing(result, SeverityLevel::critical), 2u);
  EXPECT_EQ(count_failing(result, SeverityLevel::high), 2u);
  EXPECT_EQ(count_failing(result, SeverityLevel::low), 4u);
  EXPECT_EQ(count_failing(result, SeverityLevel::none), 4u);
  EXPECT_EQ(count_failing(result, *parse_threshold("any")), 5u);
  EXPECT_EQ(parse_threshold("severe"), std::nullopt);
}

std::vector<IgnoreRule> parsed(std::string_view text) {
  auto rules = parse_ignore_file(text, "ignore.yaml");
  EXPECT_TRUE(rules.has_value()) << rules.error().what;
  return rules ? *std::move(rules) : std::vector<IgnoreRule>{};
}

TEST(Ignore, rules_take_out_what_they_name_and_keep_the_reason) {
  const auto rules = parsed(R"(ignore:
  - id: cve-2024-0001
    package: apache2-*
    reason: "behind a proxy: not reachable"
    expires: 2024-10-21
  - {id: DSA-1000-1, package: "pkg:deb/debian/=cmd", reason: accepted}
)");
  auto result = test::sample_result();
  result.ignored.clear();
  result = apply_ignores(std::move(result), rules, now, Lang::en);
  EXPECT_EQ(rows(result, result.ignored),
            "apache2-bin CVE-2024-0001 accepted\n=cmd CVE-2024-0004 accepted\n"
            "=cmd CVE-2024-0003 accepted\n");
  EXPECT_EQ(result.ignored[0].excluded->by, "ignore.yaml:2");
  EXPECT_EQ(result.ignored[0].excluded->reason, "behind a proxy: not reachable");
  EXPECT_EQ(result.findings.size(), 3u);
  EXPECT_TRUE(result.warnings.empty()) << result.warnings[0];
}

TEST(Ignore, an_expired_rule_does_not_apply_and_is_warned_of) {
  const auto rules = parsed("- id: CVE-2024-0001\n  reason: r\n  expires: 2024-10-20\n");
  const auto result = apply_ignores(test::sample_result(), rules, now, Lang::en);
  EXPECT_EQ(result.findings.size(), 6u);
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_EQ(result.warnings[0],
            "ignore.yaml:1: the rule for CVE-2024-0001 expired on 2024-10-20 and does not apply");
}

TEST(Ignore, a_rule_without_effect_is_warned_of) {
  const auto rules = parsed("- {id: CVE-1999-0001, reason: r}\n- {id: CVE-2024-0005, reason: r}\n");
  const auto result = apply_ignores(test::sample_result(), rules, now, Lang::ja);
  ASSERT_EQ(result.warnings.size(), 1u) << "CVE-2024-0005 is ignored already";
  EXPECT_EQ(result.warnings[0],
            "ignore.yaml:1: CVE-1999-0001 の除外規則に該当する検出はありません");
}

TEST(Ignore, empty_files_have_no_rules) {
  for (const auto* text : {"", "# nothing yet\n", "ignore:\n", "ignore: []\n", "[]", "{}"})
    EXPECT_TRUE(parsed(text).empty()) << text;
}

TEST(Ignore, what_cannot_be_understood_is_an_error_with_its_line) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"- id: a\n  reasons: r\n", "ignore.yaml: line 2: unknown key \"reasons\""},
      {"- id: a\n  reason: ''\n", "ignore.yaml: line 1: the rule has no reason"},
      {"\n- reason: r\n", "ignore.yaml: line 2: the rule has no id"},
      {"- {id: a, id: b, reason: r}\n", "ignore.yaml: line 1: id stands twice"},
      {"- {id: [a], reason: r}\n", "ignore.yaml: line 1: id wants a text"},
      {"- CVE-2024-0001\n", "ignore.yaml: line 1: a rule with id and reason is expected"},
      {"- {id: a, reason: r, expires: tomorrow}\n",
       "ignore.yaml: line 1: expires is no date of the form 2025-06-30: \"tomorrow\""},
      {"ignored: []\n", "ignore.yaml: line 1: unknown key \"ignored\""},
      {"ignore: []\nmore: 1\n", "ignore.yaml: line 2: \"ignore\" is the only key of the file"},
      {"text", "ignore.yaml: line 1: a list of rules is expected"},
      {"- &a {id: a, reason: r}\n", "ignore.yaml: line 1: an anchor is not accepted"},
      {"- !!binary a\n", "ignore.yaml: line 1: a tag is not accepted"},
      {"[]\n---\n[]\n", "ignore.yaml: line 2: more than one document is not accepted"},
  };
  for (const auto& [text, error] : cases) {
    const auto rules = parse_ignore_file(text, "ignore.yaml");
    ASSERT_FALSE(rules.has_value()) << text;
    EXPECT_EQ(rules.error().what, error);
  }
}

TEST(Ignore, hostile_yaml_ends_in_an_error) {
  EXPECT_FALSE(parse_ignore_file(std::string(17, '['), "x").has_value());
  EXPECT_FALSE(parse_ignore_file(std::string(100'000, '['), "x").has_value());
  EXPECT_FALSE(parse_ignore_file("- id: a\xFF", "x").has_value());
  EXPECT_FALSE(parse_ignore_file("a: b: c", "x").has_value());
  EXPECT_FALSE(parse_ignore_file(", {a: b}\n- c\n", "x").has_value());
  EXPECT_EQ(parse_ignore_file(std::string((1 << 20) + 1, '#'), "x").error().code, Errc::limit);
}

}  // namespace
}  // namespace tenken::findings
