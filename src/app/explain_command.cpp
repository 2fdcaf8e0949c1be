#include <algorithm>

#include <fmt/format.h>

#include "advisories/database.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/text.h"
#include "match/matcher.h"
#include "pipeline/database_location.h"
#include "report/words.h"

namespace tenken::app {
namespace {

using advisories::Database;

// The records that stand for the vulnerability, by id, whatever of its names was asked for.
Result<std::vector<std::string>> names_of(const Database& database, const std::string& id) {
  std::vector<std::string> names{id};
  TRY(const auto record, database.find_record(id));
  if (record) {
    TRY(const auto entry, database.record(*record));
    for (const auto number : entry.vulnerabilities) {
      TRY(const auto vulnerability, database.vulnerability(number));
      names.emplace_back(vulnerability.id);
    }
  }
  return names;
}

struct Explained {
  std::size_t affected = 0;
  std::size_t others = 0;
  std::size_t unknown = 0;
};

// English output names a status as the formats do.
std::string status_word(FindingStatus status) {
  return spoken() == Lang::en ? std::string(name(status)) : say(spoken(), report::word(status));
}

void print_evidence(const Evidence& one) {
  print(fmt::format("    {} [{}] {}: {}\n      {}\n", printable(one.advisory), one.feed,
                    printable(one.ecosystem), said_of(one.range), printable(one.reason)));
  if (!one.compared.empty())
    print(fmt::format("      {} ({})\n", printable(one.compared), one.scheme));
}

class Explanation {
 public:
  Explanation(const Database& database, const ExplainArguments& arguments,
              std::vector<std::string> names)
      : database_(database), arguments_(arguments), names_(std::move(names)) {}

  Result<Explained> run(const Inventory& inventory) {
    match::Matcher matcher(database_, {.now = arguments_.scan.now,
                                       .running_kernel = inventory.running_kernel,
                                       .esm_attached = inventory.esm_attached,
                                       .explain = true,
                                       .lang = arguments_.scan.lang});
    for (const auto& package : inventory.packages) {
      if (!arguments_.package.empty() && package.name != arguments_.package &&
          package.source_name != arguments_.package)
        continue;
      TRY(auto matches, matcher.match(package));
      TRY_VOID(explain(package, matches));
      for (auto& one : matches.unknown) note(std::move(one));
    }
    return counts_;
  }

  const std::vector<Unknown>& unknown() const { return unknown_; }

 private:
  // The same thing once, with its number of packages.
  void note(Unknown fresh) {
    for (auto& one : unknown_) {
      if (one.kind != fresh.kind || one.subject != fresh.subject || one.reason != fresh.reason)
        continue;
      one.count += fresh.count;
      return;
    }
    unknown_.push_back(std::move(fresh));
  }

  Result<bool> concerns(const Evidence& evidence) {
    if (named(evidence.advisory)) return true;
    TRY(const auto number, database_.find_record(evidence.advisory));
    if (!number) return false;
    // Feeds may use one id for records of their own: the first that is about it is enough.
    TRY(const auto entry, database_.record(*number));
    for (const auto vulnerability : entry.vulnerabilities) {
      TRY(const auto one, database_.vulnerability(vulnerability));
      if (named(one.id)) return true;
      if (std::ranges::any_of(one.aliases, [&](std::string_view alias) { return named(alias); }))
        return true;
    }
    return false;
  }

  bool named(std::string_view id) const { return std::ranges::find(names_, id) != names_.end(); }

  void head(const Package& package, std::string_view verdict) {
    std::string source;
    if (!package.source_name.empty() && package.source_name != package.name) {
      // A source of the same version states none of its own.
      const auto& version =
          package.source_version.empty() ? package.version : package.source_version;
      source = said(" (source {} {})", package.source_name, version);
    }
    print(fmt::format("{} {}{}: {}\n", printable(package.name), printable(package.version),
                      printable(source), verdict));
  }

  Result<> explain(const Package& package, const match::PackageMatches& matches) {
    for (const auto& finding : matches.findings) {
      TRY(const auto known, database_.vulnerability(finding.vulnerability));
      const bool asked =
          named(finding.id) ||
          std::ranges::any_of(known.aliases, [&](const auto& a) { return named(a); }) ||
          std::ranges::any_of(finding.advisories, [&](const auto& a) { return named(a); });
      if (!asked) continue;
      ++counts_.affected;
      const auto fix = finding.fixed_version.empty() ? say(spoken(), Message::cell_no_fix)
                                                     : say(spoken(), Message::cell_fixed_in,
                                                           printable(finding.fixed_version));
      head(package, fmt::format("{}, {}, {}", finding.id, status_word(finding.status), fix));
      for (const auto& one : finding.evidence) print_evidence(one);
    }
    std::vector<const Evidence*> rest;
    for (const auto& one : matches.others) {
      TRY(const bool ours, concerns(one));
      if (ours) rest.push_back(&one);
    }
    if (rest.empty()) return {};
    head(package, said("rows that do not hold"));
    for (const auto* one : rest) {
      counts_.unknown += one->verdict == "unknown" ? 1 : 0;
      counts_.others += one->verdict == "unknown" ? 0 : 1;
      print_evidence(*one);
    }
    return {};
  }

  const Database& database_;
  const ExplainArguments& arguments_;
  std::vector<std::string> names_;
  Explained counts_;
  std::vector<Unknown> unknown_;
};

// Nothing was found: say what that is worth.
void print_silence(const ExplainArguments& arguments, const Inventory& inventory, bool known) {
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
  const auto database = Database::open(path);
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
  auto names = names_of(*database, arguments.id);
  if (!names) return database_failed(names.error(), path);
  const auto vulnerability = database->find_vulnerability(arguments.id);
  if (!vulnerability) return database_failed(vulnerability.error(), path);
  const bool known = vulnerability->has_value() || names->size() > 1;
  Explanation explanation(*database, arguments, *std::move(names));
  const auto explained = explanation.run(*inventory);
  if (!explained) return database_failed(explained.error(), path);
  if (explained->affected + explained->others + explained->unknown == 0)
    print_silence(arguments, *inventory, known);
  print_unknown(explanation.unknown());
  return exit_ok;
}

}  // namespace tenken::app
