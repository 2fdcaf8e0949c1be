// One line per finding, RFC 4180: CRLF line ends, quotes where needed, UTF-8. What was ignored or
// could not be decided has no line here: the JSON and the table have it.
#include <fmt/format.h>

#include "report/csv_line.h"
#include "report/format.h"
#include "report/pieces.h"

namespace tenken::report {
namespace csv_ {
namespace {

constexpr std::string_view head =
    "target,ecosystem,release,package,version,arch,source,id,severity,status,fixed_version,"
    "cvss_score,cvss_vector,kev,epss,advisories,aliases,title,purl,location\r\n";

Result<> write(const ScanResult& result, const RenderOptions&, const Output& out) {
  TRY_VOID(out(head));
  for (const Finding& finding : result.findings) {
    const Package& package = report::package(result, finding);
    const Vulnerability& known = vulnerability(result, finding);
    CsvLine line;
    line.cell(result.inventory.name).cell(package.ecosystem).cell(package.release);
    line.cell(package.name).cell(package.version).cell(package.arch).cell(package.source_name);
    line.cell(finding.id).cell(name(finding.severity)).cell(name(finding.status));
    line.cell(finding.fixed_version);
    const auto* cvss = chosen_cvss(finding, known);
    line.cell(cvss != nullptr ? fmt::format("{:.1f}", cvss->tenths / 10.0) : "");
    line.cell(cvss != nullptr ? cvss->vector : "").cell(known.exploited ? "yes" : "");
    line.cell(known.prediction ? fmt::format("{}", known.prediction->probability) : "");
    line.cell(fmt::format("{}", fmt::join(finding.advisories, " ")));
    line.cell(fmt::format("{}", fmt::join(known.aliases, " ")));
    line.cell(title(known)).cell(package.purl).cell(package.location);
    TRY_VOID(out(line.end()));
  }
  return {};
}

}  // namespace
}  // namespace csv_

extern constinit const Format csv{
    .id = "csv", .media_type = "text/csv; charset=utf-8; header=present", .write = csv_::write};

}  // namespace tenken::report
