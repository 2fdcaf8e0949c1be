#include <fmt/format.h>

#include "advisories/database.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/text.h"
#include "pipeline/database_location.h"
#include "pipeline/explain.h"
#include "report/words.h"

namespace tenken::app {
namespace {

// English output names a status as the formats do.
std::string status_word(FindingStatus status) {
  return spoken() == Lang::en ? std::string(name(status)) : say(spoken(), report::word(status));
}

std::string severity_word(SeverityLevel level) {
  return spoken() == Lang::en ? std::string(name(level)) : say(spoken(), report::word(level));
}

void print_evidence(const Evidence& one) {
  print(fmt::format("    {} [{}] {}: {}\n      {}\n", printable(one.advisory), one.feed,
                    printable(one.ecosystem), said_of(one.range), printable(one.reason)));
  if (!one.compared.empty())
    print(fmt::format("      {} ({})\n", printable(one.compared), one.scheme));
}

void print_head(const Package& package, std::string_view verdict) {
  std::string source;
  if (!package.source_name.empty() && package.source_name != package.name) {
    // A source of the same version states none of its own.
    const auto& version = package.source_version.empty() ? package.version : package.source_version;
    source = said(" (source {} {})", package.source_name, version);
  }
  print(fmt::format("{} {}{}: {}\n", printable(package.name), printable(package.version),
                    printable(source), verdict));
}

// "high (AlmaLinux), 7.5 (nvd@nist.gov)", and every source's score where they differ widely.
void print_severity(const Finding& finding, const Vulnerability& known) {
  std::string line = fmt::format("    {}", severity_word(finding.severity));
  if (!finding.severity_source.empty())
    line += fmt::format(" ({})", printable(finding.severity_source));
  if (finding.score != no_score)
    line += fmt::format(", {:.1f} ({}{})", finding.score / 10.0,
                        finding.score_estimated ? said("estimated: ") : "",
                        printable(score_source(finding, known)));
  print(line + "\n");
  if (!scores_disagree(known)) return;
  std::vector<std::string> scores;
  for (const auto& one : known.cvss)
    scores.push_back(fmt::format("{:.1f} {} ({})", one.tenths / 10.0, cvss_version(one.vector),
                                 printable(one.source)));
  print(said("    the sources' scores differ widely: {}\n",
             fmt::format("{}", fmt::join(scores, ", "))));
}

Result<> print_package(const advisories::Database& database, const Package& package,
                       const pipeline::PackageExplanation& explanation) {
  for (const auto& finding : explanation.findings) {
    TRY(const auto known, database.title(finding.vulnerability));
    const auto fix = finding.fixed_version.empty()
                         ? say(spoken(), Message::cell_no_fix)
                         : say(spoken(), Message::cell_fixed_in, printable(finding.fixed_version));
    print_head(package, fmt::format("{}, {}, {}", finding.id, status_word(finding.status), fix));
    print_severity(finding, known);
    for (const auto& one : finding.evidence) print_evidence(one);
  }
  if (explanation.others.empty()) return {};
  print_head(package, said("rows that do not hold"));
  for (const auto& one : explanation.others) print_evidence(one);
  return {};
}

// Nothing was found: say what that is worth.
void print_silence(const ExplainArguments& arguments, const Inventory& inventory, bool known,
                   bool named) {
  if (!named) {
    print(said("{}: no package and no source is called {}\n", printable(inventory.name),
               printable(arguments.package)));
    if (known) return;
  }
  print(known ? said("{}: no advisory of this database about it names a package of {}\n",
                     printable(arguments.id), printable(inventory.name))
              : said("{}: no record of this database has that id\n", printable(arguments.id)));
}

void print_unknown(const std::vector<Unknown>& unknown) {
  if (!unknown.empty()) print(said("not decided, so silence about these is no all-clear\n"));
  for (const auto& one : unknown)
    print(fmt::format("  {} {} ({}): {}\n", report::kind_word(spoken(), one.kind), one.subject,
                      one.count, printable(one.reason)));
}

}  // namespace

int explain_command(const ExplainArguments& arguments) {
  const auto path = pipeline::database_path(arguments.scan.database);
  const auto database = advisories::Database::open(path);
  if (!database) return database_failed(database.error(), path);
  const auto inventory = pipeline::take_inventory(arguments.scan);
  if (!inventory) {
    complain(printable(inventory.error().what));
    return exit_target;
  }
  if (inventory->databases_read == 0) {
    complain(said("{}: no package database that is known", printable(inventory->name)));
    return exit_target;
  }
  std::vector<Package> packages = inventory->packages;
  if (!arguments.package.empty())
    std::erase_if(packages, [&](const Package& package) {
      return package.name != arguments.package && package.source_name != arguments.package;
    });
  const auto explained = pipeline::explain(*database, arguments.id, packages,
                                           {.now = arguments.scan.now,
                                            .running_kernel = inventory->running_kernel,
                                            .esm_attached = inventory->esm_attached,
                                            .lang = arguments.scan.lang});
  if (!explained) return database_failed(explained.error(), path);
  for (const auto& one : explained->packages) {
    const auto printed = print_package(*database, packages[one.package], one);
    if (!printed) return database_failed(printed.error(), path);
  }
  if (explained->packages.empty())
    print_silence(arguments, *inventory, explained->known,
                  arguments.package.empty() || !packages.empty());
  print_unknown(explained->unknown);
  return exit_ok;
}

}  // namespace tenken::app
