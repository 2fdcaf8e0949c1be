#include "store/finding_conditions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "store/findings.h"
#include "store/text_conditions.h"

namespace tenken::store {
namespace {

using findings::Comparison;
using findings::Criteria;
using findings::NumberField;
using findings::NumberRange;
using findings::TextField;
using findings::TextTest;
using Tests = std::span<const TextTest>;

// Which of a few known values pass: no need to ask the store.
template <std::size_t N>
std::vector<std::size_t> passing(const std::array<std::string_view, N>& values, Tests tests) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < N; ++i) {
    const bool passed =
        values[i].empty() ? findings::passes_absent(tests) : findings::passes(tests, values[i]);
    if (passed) out.push_back(i);
  }
  return out;
}

constexpr std::array<std::string_view, 3> status_names{"ACTIVE", "SUPPRESSED", "CLOSED"};
constexpr std::array<std::string_view, 3> fix_names{"NO", "PARTIAL", "YES"};
constexpr std::array<std::string_view, 2> exploit_names{"NO", "YES"};
constexpr std::array<std::string_view, 1> type_names{"PACKAGE_VULNERABILITY"};
constexpr std::array<std::string_view, 6> severity_names{"UNTRIAGED", "INFORMATIONAL", "LOW",
                                                         "MEDIUM",    "HIGH",          "CRITICAL"};

std::vector<std::int64_t> numbers(const std::vector<std::size_t>& places, std::int64_t first) {
  std::vector<std::int64_t> out;
  for (const auto place : places) out.push_back(static_cast<std::int64_t>(place) + first);
  return out;
}

std::vector<ScoreBand> merged(const std::vector<std::size_t>& severities) {
  std::vector<ScoreBand> out;
  for (const auto index : severities) {
    const auto band = findings::band_of(severity_names[index]);
    CHECK(band.has_value());
    if (!out.empty() && out.back().last + 1 == band->first)
      out.back().last = band->last;
    else
      out.push_back(*band);
  }
  return out;
}

std::vector<ScoreBand> both(const std::vector<ScoreBand>& a, const std::vector<ScoreBand>& b) {
  std::vector<ScoreBand> out;
  for (const auto& one : a) {
    for (const auto& other : b) {
      const ScoreBand common{std::max(one.first, other.first), std::min(one.last, other.last)};
      if (common.first <= common.last) out.push_back(common);
    }
  }
  std::ranges::sort(out, {}, &ScoreBand::first);
  return out;
}

// Doubles to integers, towards the inside of the range; far ends are cut off.
std::int64_t at_least(std::optional<double> value, double factor) {
  if (!value) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::ceil(std::clamp(*value * factor - 1e-9, -9e15, 9e15)));
}
std::int64_t at_most(std::optional<double> value, double factor) {
  if (!value) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::floor(std::clamp(*value * factor + 1e-9, -9e15, 9e15)));
}

std::vector<ScoreBand> score_ranges(const std::vector<NumberRange>& ranges) {
  std::vector<ScoreBand> sorted;
  for (const auto& range : ranges) {
    const ScoreBand band{std::max<std::int64_t>(at_least(range.first, 10), 0),
                         std::min<std::int64_t>(at_most(range.last, 10), 100)};
    if (band.first <= band.last) sorted.push_back(band);
  }
  std::ranges::sort(sorted, {}, &ScoreBand::first);
  std::vector<ScoreBand> out;
  for (const auto& band : sorted) {
    if (!out.empty() && band.first <= out.back().last + 1)
      out.back().last = std::max(out.back().last, band.last);
    else
      out.push_back(band);
  }
  return out;
}

std::string_view time_column(NumberField field) {
  return field == NumberField::first_observed  ? "episode"
         : field == NumberField::last_observed ? "last_observed_at"
                                               : "updated_at";
}

void add_times(SqlText& sql, std::string_view finding, const findings::NumberCondition& condition) {
  std::vector<std::string> any;
  for (const auto& range : condition.ranges)
    any.push_back(fmt::format("{}.{} BETWEEN {} AND {}", finding, time_column(condition.field),
                              sql.bind(at_least(range.first, 1)),
                              sql.bind(at_most(range.last, 1))));
  sql.add(" AND ").add(any_of(any));
}

std::string epss_holds(SqlText& sql, std::string_view column,
                       const findings::NumberCondition& condition) {
  std::vector<std::string> any;
  for (const auto& range : condition.ranges)
    any.push_back(fmt::format("{} BETWEEN {} AND {}", column,
                              sql.bind(std::max(range.first.value_or(0), 0.0)),
                              sql.bind(range.last.value_or(1e300))));
  return any_of(any);
}

// Ids between blanks: " CVE-2024-1 GHSA-x ".
std::string related_holds(SqlText& sql, Tests tests) {
  return combined(tests, [&](const TextTest& test) {
    const bool whole = test.comparison != Comparison::prefix;
    auto pattern = prefix_pattern("% " + test.value + (whole ? " " : ""));
    pattern.erase(0, 1);  // the first % is ours
    return fmt::format("v.aliases {}LIKE {} ESCAPE '\\'",
                       test.comparison == Comparison::not_equals ? "NOT " : "", sql.bind(pattern));
  });
}

std::string exploit_holds(Tests tests) {
  const auto passed = passing(exploit_names, tests);
  if (passed.size() == 2) return {};
  if (passed.empty()) return "1 = 0";
  return passed.front() == 1 ? "v.exploited_at > 0" : "v.exploited_at = 0";
}

std::string vulnerability_holds(SqlText& sql, const Criteria& criteria,
                                VulnerabilityIndex index = VulnerabilityIndex::any) {
  std::vector<std::string> all;
  for (const auto& [field, tests] : criteria.texts) {
    if (field == TextField::vulnerability_source)
      all.push_back(column_holds(
          sql, index == VulnerabilityIndex::any ? "v.source" : "v.source || ''", tests));
    if (field == TextField::related_vulnerability) all.push_back(related_holds(sql, tests));
    if (field == TextField::exploit_available) all.push_back(exploit_holds(tests));
  }
  for (const auto& condition : criteria.numbers) {
    if (condition.field == NumberField::epss)
      all.push_back(
          epss_holds(sql, index == VulnerabilityIndex::key ? "v.epss + 0" : "v.epss", condition));
  }
  std::erase(all, "");
  return fmt::format("{}", fmt::join(all, " AND "));
}

// The row of a finding of which only the key is at hand.
std::string row_of(std::string_view finding) {
  return fmt::format(
      "g.resource_id = {0}.resource_id AND g.vulnerability_id = {0}.vulnerability_id "
      "AND g.episode = {0}.episode",
      finding);
}

// The packages of a finding are those that it names, also after they are gone.
constexpr std::string_view is_named =
    "',' || g.packages || ',' LIKE '%,' || CAST(p.package_version_id AS TEXT) || ',%'";

// As the title is written: "CVE-2024-1 - a, b and 2 more", names sorted, each once.
std::string title_of(std::string_view finding) {
  return fmt::format(
      "({0}.vulnerability_id || COALESCE((SELECT CASE n WHEN 1 THEN ' - ' || a "
      "WHEN 2 THEN ' - ' || a || ', ' || b "
      "ELSE ' - ' || a || ', ' || b || ' and ' || CAST(n - 2 AS TEXT) || ' more' END "
      "FROM (SELECT COUNT(*) AS n, MIN(name) AS a, MAX(CASE WHEN place = 2 THEN name END) AS b "
      "FROM (SELECT name, ROW_NUMBER() OVER (ORDER BY name) AS place "
      "FROM (SELECT DISTINCT p.name AS name FROM finding g CROSS JOIN match m "
      "CROSS JOIN package_version p WHERE {1} AND m.vulnerability_id = {0}.vulnerability_id "
      "AND p.package_version_id = m.package_version_id AND {2}) named) placed) counted), ''))",
      finding, row_of(finding), is_named);
}

// A title begins with the vulnerability, which holds no blank: so it decides most of it alone.
std::string title_holds(SqlText& sql, std::string_view finding, Tests tests) {
  const auto vulnerability = fmt::format("{}.vulnerability_id", finding);
  return combined(tests, [&](const TextTest& test) {
    const auto blank = test.value.find(' ');
    if (test.comparison == Comparison::prefix && blank == std::string::npos)
      return holds(sql, vulnerability, test);
    auto whole = holds(sql, title_of(finding), test);
    if (test.comparison == Comparison::not_equals) return whole;
    return fmt::format("({} = {} AND {})", vulnerability, sql.bind(test.value.substr(0, blank)),
                       whole);
  });
}

std::string package_version_holds(SqlText& sql, const findings::PackageTest& test) {
  std::string out;
  const auto also = [&](std::string_view column, const std::optional<TextTest>& one) {
    if (one) out += " AND " + holds(sql, column, *one);
  };
  also("p.name", test.name);
  also("p.upstream_version", test.version);
  also("p.upstream_release", test.release);
  also("p.arch", test.architecture);
  // Packages of an operating system alone have one.
  if (test.epoch)
    out += fmt::format(" AND p.kind IN ('deb', 'rpm', 'apk') AND p.epoch BETWEEN {} AND {}",
                       sql.bind(at_least(test.epoch->first, 1)),
                       sql.bind(at_most(test.epoch->last, 1)));
  return out;
}

bool names_packages(const findings::PackageTest& test) {
  return test.impossible || (test.name && test.name->comparison != Comparison::not_equals);
}

// The versions of a name are few, and looked for once; those of no certain name are looked for by
// the vulnerability.
std::string package_holds(SqlText& sql, std::string_view finding,
                          const findings::PackageTest& test) {
  if (test.impossible) return "1 = 0";
  const bool named = names_packages(test);
  std::string out = "EXISTS (";
  if (named)
    out += fmt::format(
        "WITH named AS MATERIALIZED (SELECT p.package_version_id FROM package_version p "
        "WHERE 1 = 1{}) ",
        package_version_holds(sql, test));
  out += "SELECT 1 FROM finding g CROSS JOIN ";
  out += named ? "named p" : "match m CROSS JOIN package_version p";
  if (test.file_path)
    out += fmt::format(
        " LEFT JOIN resource_package rp ON rp.resource_id = {}.resource_id "
        "AND rp.package_version_id = p.package_version_id",
        finding);
  out += fmt::format(" WHERE {} AND {}", row_of(finding), is_named);
  if (!named)
    out += fmt::format(
        " AND m.vulnerability_id = {}.vulnerability_id "
        "AND p.package_version_id = m.package_version_id{}",
        finding, package_version_holds(sql, test));
  if (test.file_path) out += " AND " + holds(sql, "COALESCE(rp.location, '')", *test.file_path);
  return out + ")";
}

void add_scores(SqlText& sql, std::string_view finding, const ColumnConditions& columns) {
  if (columns.scores.size() < 2) return;
  std::vector<std::string> any;
  for (const auto& band : columns.scores)
    any.push_back(fmt::format("{}.score BETWEEN {} AND {}", finding, sql.bind(band.first),
                              sql.bind(band.last)));
  sql.add(" AND ").add(any_of(any));
}

std::string key_is(SqlText& sql, std::string_view finding, const FindingKey& key) {
  return fmt::format("({0}.resource_id = {1} AND {0}.vulnerability_id = {2} AND {0}.episode = {3})",
                     finding, sql.bind(key.resource.value), sql.bind(key.vulnerability),
                     sql.bind(key.episode));
}

void add_arns(SqlText& sql, std::string_view finding, const ArnAnswer& arns) {
  if (!arns.all) {
    std::vector<std::string> any;
    for (const auto& key : arns.wanted) any.push_back(key_is(sql, finding, key));
    for (const auto& range : arns.wanted_ranges)
      any.push_back(fmt::format("{}.resource_id BETWEEN {} AND {}", finding,
                                sql.bind(range.first.value), sql.bind(range.last.value)));
    sql.add(" AND ").add(any.empty() ? "1 = 0" : any_of(any));
  }
  for (const auto& key : arns.unwanted) sql.add(" AND NOT ").add(key_is(sql, finding, key));
}

void add_column_texts(SqlText& sql, std::string_view finding, const Criteria& criteria,
                      const ColumnConditions& columns) {
  for (const auto& [field, tests] : criteria.texts) {
    if (field == TextField::vulnerability_id)
      sql.add(" AND ").add(column_holds(sql, fmt::format("{}.vulnerability_id", finding), tests));
    if (field == TextField::title) sql.add(" AND ").add(title_holds(sql, finding, tests));
    if (field == TextField::vendor_severity)
      sql.add(" AND ").add(column_holds(sql, fmt::format("{}.vendor_severity", finding), tests));
  }
  if (columns.fixes.size() < fix_names.size())
    sql.add(fmt::format(" AND {}.fix IN ({})", finding, fmt::join(columns.fixes, ", ")));
}

}  // namespace

std::vector<std::string> accounts_meant(const std::vector<std::string>& accounts,
                                        const Criteria& criteria) {
  std::vector<std::string> out;
  for (const auto& account : accounts) {
    const bool meant = std::ranges::all_of(criteria.texts, [&](const auto& one) {
      return one.field != TextField::account || findings::passes(one.tests, account);
    });
    if (meant) out.push_back(account);
  }
  return out;
}

ColumnConditions column_conditions(const Criteria& criteria) {
  ColumnConditions out{.impossible = criteria.impossible,
                       .statuses = {1, 2, 3},
                       .fixes = {0, 1, 2},
                       .scores = {{-1, 100}}};
  for (const auto& [field, tests] : criteria.texts) {
    if (field == TextField::finding_type && passing(type_names, tests).empty())
      out.impossible = true;
    if (field == TextField::fix_available) out.fixes = numbers(passing(fix_names, tests), 0);
    if (field == TextField::status) out.statuses = numbers(passing(status_names, tests), 1);
    if (field == TextField::severity)
      out.scores = both(out.scores, merged(passing(severity_names, tests)));
  }
  for (const auto& condition : criteria.numbers) {
    if (condition.field == NumberField::score)
      out.scores = both(out.scores, score_ranges(condition.ranges));
  }
  out.impossible =
      out.impossible || out.statuses.empty() || out.fixes.empty() || out.scores.empty();
  return out;
}

void add_conditions(SqlText& sql, std::string_view finding, const Criteria& criteria,
                    const ColumnConditions& columns, const ArnAnswer& arns) {
  add_arns(sql, finding, arns);
  add_scores(sql, finding, columns);
  add_column_texts(sql, finding, criteria, columns);
  for (const auto& condition : criteria.numbers) {
    if (condition.field != NumberField::score && condition.field != NumberField::epss)
      add_times(sql, finding, condition);
  }
  add_resource_conditions(sql, finding, criteria);
  if (const auto text = vulnerability_holds(sql, criteria); !text.empty())
    sql.add(
        fmt::format(" AND EXISTS (SELECT 1 FROM vulnerability v WHERE v.vulnerability_id = "
                    "{}.vulnerability_id AND {})",
                    finding, text));
  std::vector<std::string> packages;
  for (const auto& test : criteria.packages) packages.push_back(package_holds(sql, finding, test));
  if (!packages.empty()) sql.add(" AND ").add(any_of(packages));
}

std::vector<std::string_view> columns_read(const Criteria& criteria,
                                           const ColumnConditions& columns) {
  std::vector<std::string_view> out;
  if (columns.scores.size() > 1) out.emplace_back("score");
  if (columns.fixes.size() < fix_names.size()) out.emplace_back("fix");
  if (criteria.find(TextField::vendor_severity) != nullptr) out.emplace_back("vendor_severity");
  for (const auto& condition : criteria.numbers) {
    if (condition.field == NumberField::last_observed || condition.field == NumberField::updated)
      out.push_back(time_column(condition.field));
  }
  return out;
}

namespace {

// The vulnerabilities that a title may begin with, and the names that may follow. Nothing where the
// tests leave every one.
std::string titled_vulnerability_holds(SqlText& sql, Tests tests) {
  std::vector<std::string> any;
  for (const auto& test : tests) {
    if (test.comparison == Comparison::not_equals) continue;
    const auto blank = test.value.find(' ');
    if (blank == std::string::npos) {
      any.push_back(holds(sql, "v.vulnerability_id", test));
      continue;
    }
    auto one = fmt::format("v.vulnerability_id = {}", sql.bind(test.value.substr(0, blank)));
    if (const auto rest = std::string_view(test.value).substr(blank); rest.starts_with(" - ")) {
      const auto name = rest.substr(3);
      one += fmt::format(
          " AND EXISTS (SELECT 1 FROM match m JOIN package_version p "
          "ON p.package_version_id = m.package_version_id "
          "WHERE m.vulnerability_id = v.vulnerability_id AND p.name LIKE {} ESCAPE '\\')",
          sql.bind(prefix_pattern(name.substr(0, name.find_first_of(" ,")))));
    }
    any.push_back(fmt::format("({})", one));
  }
  return any.empty() ? std::string() : any_of(any);
}

}  // namespace

bool packages_choose(const Criteria& criteria) {
  return !criteria.packages.empty() && std::ranges::all_of(criteria.packages, names_packages);
}

void add_package_matches(SqlText& sql, const Criteria& criteria) {
  bool first = true;
  for (const auto& test : criteria.packages) {
    sql.add(
        fmt::format("{}SELECT m.vulnerability_id FROM package_version p CROSS JOIN match m "
                    "WHERE m.package_version_id = p.package_version_id{}{}",
                    first ? "" : " UNION ALL ", test.impossible ? " AND 1 = 0" : "",
                    test.impossible ? std::string() : package_version_holds(sql, test)));
    first = false;
  }
}

bool vulnerabilities_choose(const Criteria& criteria) {
  return chooses(criteria, TextField::vulnerability_id) || chooses(criteria, TextField::title) ||
         criteria.find(TextField::vulnerability_source) != nullptr ||
         criteria.find(TextField::related_vulnerability) != nullptr ||
         criteria.find(TextField::exploit_available) != nullptr ||
         std::ranges::find(criteria.numbers, NumberField::epss,
                           &findings::NumberCondition::field) != criteria.numbers.end();
}

void add_vulnerability_conditions(SqlText& sql, const Criteria& criteria, VulnerabilityIndex index,
                                  bool by_packages) {
  if (const auto text = vulnerability_holds(sql, criteria, index); !text.empty())
    sql.add(" AND ").add(text);
  for (const auto& [field, tests] : criteria.texts) {
    std::string text;
    if (field == TextField::vulnerability_id) text = column_holds(sql, "v.vulnerability_id", tests);
    if (field == TextField::title) text = titled_vulnerability_holds(sql, tests);
    if (!text.empty()) sql.add(" AND ").add(text);
  }
  if (!by_packages) return;
  sql.add(fmt::format(" AND v.vulnerability_id{} IN (",
                      index == VulnerabilityIndex::any ? "" : " || ''"));
  add_package_matches(sql, criteria);
  sql.add(")");
}

bool names_vulnerabilities(const Criteria& criteria) {
  return names(criteria, TextField::vulnerability_id);
}
void add_named_vulnerabilities(SqlText& sql, const Criteria& criteria) {
  if (!names_vulnerabilities(criteria)) return;
  const auto& tests = criteria.find(TextField::vulnerability_id)->tests;
  sql.add(" AND ").add(column_holds(sql, "f.vulnerability_id", tests));
}

}  // namespace tenken::store
