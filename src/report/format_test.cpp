#include "report/format.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/json.h"
#include "support/sample_result.h"

namespace tenken::report {
namespace {

constexpr Seconds now = 1'729'512'000;  // 2024-10-21T12:00:00Z

std::string sample(std::string_view format, RenderOptions options = {}) {
  options.now = now;
  options.tool_version = "0.1.0";
  return render(*find_format(format), test::sample_result(), options);
}

TEST(Formats, each_is_known_by_the_name_of_the_command_line) {
  for (const Format* format : formats()) EXPECT_EQ(find_format(format->id), format);
  EXPECT_NE(find_format("table"), nullptr);
  EXPECT_EQ(find_format("xml"), nullptr);
}

TEST(Formats, the_same_result_gives_the_same_bytes) {
  for (const Format* format : formats()) EXPECT_EQ(sample(format->id), sample(format->id));
}

TEST(Formats, an_output_that_fails_ends_the_writing) {
  for (const Format* format : formats()) {
    const auto written = format->write(test::sample_result(), {}, [](std::string_view) -> Result<> {
      return unavailable("disk full");
    });
    EXPECT_FALSE(written.has_value()) << format->id;
  }
}

TEST(Formats, an_empty_result_can_be_written) {
  for (const Format* format : formats())
    EXPECT_FALSE(render(*format, ScanResult{}, {}).empty()) << format->id;
}

TEST(Table, groups_packages_of_one_source_and_counts_what_runs) {
  EXPECT_EQ(sample("table"), R"(Target    /srv/root
System    Debian GNU/Linux 11 (bullseye)
Database  built 2024-10-21, newest record 2024-10-19 (2 days ago)
Packages  3 examined

  ID             SEVERITY  FIXED IN  NOTES               TITLE
apache2, apache2-bin 2.4.51-1
  CVE-2024-0001  critical  2.4.56-1  KEV EPSS 93%        Request smuggling in \x1b[31mmod_proxy
  CVE-2024-0002  low       no fix    will not fix        First sentence

=cmd 1.0
  CVE-2024-0003  unknown   1.1                           First sentence
  CVE-2024-0004  high      1.1       kernel not running  First sentence

Severity  critical 2  high 0  medium 0  low 2  none 0  unknown 1
Total     5 findings in 3 packages, 3 with a fix, 2 known to be exploited, 1 in kernels that do not run, 1 ignored

Ignored
  CVE-2024-0005  =cmd 1.0  by ignore.yaml:3: not reachable

Not decided
  release  Debian:13 ×2: the database does not cover Debian:13
)");
}

TEST(Table, speaks_japanese_and_marks_what_is_not) {
  EXPECT_EQ(sample("table", {.lang = Lang::ja, .width = 80}),
            R"(対象          /srv/root
OS            Debian GNU/Linux 11 (bullseye)
データベース  2024-10-21 作成、最新の記録は 2024-10-19（2 日前）
パッケージ    3 件を調査

  ID             深刻度  修正版    備考            概要
apache2, apache2-bin 2.4.51-1
  CVE-2024-0001  緊急    2.4.56-1  KEV EPSS 93%    [en] Request smuggling in \x…
  CVE-2024-0002  注意    修正なし  修正予定なし    [en] First sentence

=cmd 1.0
  CVE-2024-0003  不明    1.1                       [en] First sentence
  CVE-2024-0004  重要    1.1       未稼働カーネル  [en] First sentence

深刻度  緊急 2  重要 0  警告 0  注意 2  なし 0  不明 1
合計    3 個のパッケージに 5 件の検出、修正版あり 3 件、悪用確認済み 2 件、未稼働カーネル 1 件、除外 1 件

除外したもの
  CVE-2024-0005  =cmd 1.0  ignore.yaml:3 による: not reachable

判定できなかったもの
  リリース  Debian:13 ×2: the database does not cover Debian:13
)");
}

TEST(Table, a_narrow_terminal_gets_titles_on_their_own_line) {
  const auto text = sample("table", {.width = 60});
  EXPECT_NE(text.find("2.4.56-1  KEV EPSS 93%\n      Request smuggling in"), std::string::npos);
}

TEST(Table, a_long_version_keeps_the_columns_in_line) {
  auto result = test::sample_result();
  result.findings.front().fixed_version = "2.4.37-43.module_el8.5.0+2597+c4b14997.alma";
  const auto text = render(*find_format("table"), result, {.now = now});
  const auto column = [&](std::string_view cell) {
    const auto at = text.find(cell);
    EXPECT_NE(at, std::string::npos) << cell;
    return at - (text.rfind('\n', at) + 1);
  };
  EXPECT_EQ(column("Request smuggling"), column("TITLE")) << text;
  EXPECT_EQ(column("First sentence"), column("TITLE")) << text;
  EXPECT_EQ(column("KEV EPSS"), column("NOTES")) << text;
}

TEST(Table, colour_only_where_asked) {
  EXPECT_EQ(sample("table").find('\x1b'), std::string::npos);
  EXPECT_NE(sample("table", {.colour = true}).find("\x1b[1;31mcritical\x1b[0m"), std::string::npos);
}

TEST(Table, nothing_found_is_not_said_of_what_was_not_decided) {
  ScanResult result;
  const auto text = [&] { return render(*find_format("table"), result, {}); };
  EXPECT_NE(text().find("Nothing found.\n"), std::string::npos);
  result.unknown.push_back({"inventory", "var/lib/rpm/Packages", "format not known", 1});
  EXPECT_NE(text().find("Nothing found among what could be decided"), std::string::npos);
  EXPECT_NE(text().find("inventory  var/lib/rpm/Packages: format not known"), std::string::npos);
}

TEST(Json, findings_name_the_package_and_refer_to_the_vulnerability) {
  json::Parser parser;
  const auto text = sample("json");
  const auto root = parser.parse(text);
  ASSERT_TRUE(root.has_value()) << root.error().what;
  std::string rows;
  (*root)["findings"].for_each([&](json::Value finding) {
    rows += std::string(finding["package"]["name"].string()) + " " +
            std::string(finding["id"].string()) + " " +
            std::string(finding["fixed_version"].string()) + "\n";
    EXPECT_TRUE((*root)["vulnerabilities"][finding["id"].string()].is_object());
    EXPECT_EQ(finding["evidence"].size(), 1u);
  });
  EXPECT_EQ(rows,
            "apache2 CVE-2024-0001 2.4.56-1\napache2 CVE-2024-0002 \n"
            "apache2-bin CVE-2024-0001 2.4.56-1\napache2-bin CVE-2024-0002 \n"
            "=cmd CVE-2024-0003 1.1\n=cmd CVE-2024-0004 1.1\n");
  EXPECT_EQ((*root)["ignored"].size(), 1u);
  EXPECT_EQ((*root)["packages"].integer(), 3);
}

TEST(Json, compact_is_one_line) {
  const auto text = sample("json", {.indent = 0});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(Csv, has_one_line_per_finding_and_no_formulas) {
  const auto text = sample("csv");
  EXPECT_EQ(std::ranges::count(text, '\n'), 7);
  EXPECT_NE(text.find("\r\n/srv/root,Debian,11,'=cmd,1.0,amd64,"), std::string::npos);
  EXPECT_NE(text.find(",9.8,CVSS:3.1/AV:N"), std::string::npos);
  auto result = test::sample_result();
  result.inventory.name = "a \"b\", c\n\x1b";
  EXPECT_NE(render(*find_format("csv"), result, {}).find("\"a \"\"b\"\", c\\x0a\\x1b\",Debian"),
            std::string::npos);
}

TEST(Sarif, results_point_to_their_rules_and_ignored_ones_are_suppressed) {
  json::Parser parser;
  const auto root = parser.parse(sample("sarif"));
  ASSERT_TRUE(root.has_value()) << root.error().what;
  std::vector<std::string> rules;
  std::string rows;
  (*root)["runs"].for_each([&](json::Value run) {
    run["tool"]["driver"]["rules"].for_each(
        [&](json::Value rule) { rules.emplace_back(rule["id"].string()); });
    run["results"].for_each([&](json::Value row) {
      ASSERT_EQ(rules.at(static_cast<std::size_t>(*row["ruleIndex"].integer())),
                row["ruleId"].string());
      rows += std::string(row["level"].string()) + " " +
              std::to_string(row["suppressions"].size()) + "\n";
    });
  });
  EXPECT_EQ(rows, "error 0\nnote 0\nerror 0\nnote 0\nwarning 0\nerror 0\nerror 1\n");
}

TEST(Sarif, what_is_unknown_is_a_notification_of_the_run) {
  EXPECT_NE(
      sample("sarif", {.indent = 0})
          .find(R"("message":{"text":"Debian:13 (2): the database does not cover Debian:13"})"),
      std::string::npos);
}

TEST(CyclonedxVex, entries_gather_packages_that_share_state_and_severity) {
  json::Parser parser;
  const auto root = parser.parse(sample("cyclonedx-vex"));
  ASSERT_TRUE(root.has_value()) << root.error().what;
  std::string rows;
  (*root)["vulnerabilities"].for_each([&](json::Value entry) {
    rows += std::string(entry["id"].string()) + " " +
            std::string(entry["analysis"]["state"].string()) + " " +
            std::to_string(entry["affects"].size()) + "\n";
  });
  EXPECT_EQ(rows,
            "CVE-2024-0001 in_triage 2\nCVE-2024-0002 in_triage 2\n"
            "CVE-2024-0003 in_triage 1\nCVE-2024-0004 not_affected 1\n"
            "CVE-2024-0005 in_triage 1\n");
  EXPECT_EQ((*root)["components"].size(), 3u);
}

TEST(CyclonedxVex, packages_that_share_a_purl_keep_references_apart) {
  auto result = test::sample_result();
  for (auto& package : result.inventory.packages) package.purl = "pkg:npm/a@1";
  const auto text = render(*find_format("cyclonedx-vex"), result, {.indent = 0});
  EXPECT_NE(text.find(R"("bom-ref":"pkg:npm/a@1#package-0")"), std::string::npos);
  EXPECT_NE(text.find(R"("bom-ref":"pkg:npm/a@1#package-1")"), std::string::npos);
}

}  // namespace
}  // namespace tenken::report
