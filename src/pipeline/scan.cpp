#include "pipeline/scan.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "base/file.h"
#include "base/phrases.h"
#include "base/text.h"
#include "inventory/inspect.h"
#include "match/matcher.h"
#include "pipeline/database_location.h"
#include "pipeline/policies.h"
#include "sbom/purl.h"
#include "sbom/sbom.h"
#include "version/ecosystem.h"

namespace tenken::pipeline {
namespace {

constexpr std::size_t sbom_limit = std::size_t{512} << 20;
constexpr std::string_view update_command = "tenken db update";

Result<Inventory> read_sbom_file(const std::string& path) {
  const bool standard_input = path == "-";
  TRY(const auto bytes,
      standard_input ? read_stream(0, "standard input", sbom_limit) : read_file(path, sbom_limit));
  return sbom::read_sbom(bytes, standard_input ? "standard input" : path);
}

// Everything undecided, the same thing once with its number of occurrences.
class Unknowns {
 public:
  void add(Unknown one) {
    auto& counted = all_[{one.kind, one.subject, one.reason}];
    counted += one.count;
  }
  std::vector<Unknown> take() {
    std::vector<Unknown> out;
    for (auto& [key, count] : all_)
      out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
    return out;
  }

 private:
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> all_;
};

void add_inventory_unknowns(const Inventory& inventory, Lang lang, Unknowns& unknowns) {
  for (const auto& skip : inventory.skips) {
    auto subject = skip.record.empty() ? skip.file : fmt::format("{}: {}", skip.file, skip.record);
    if (subject.empty()) subject = inventory.name;
    unknowns.add({"inventory", printable(subject),
                  say(lang, Message::unknown_unreadable, in_language(lang, printable(subject)),
                      in_language(lang, printable(skip.reason))),
                  1});
  }
}

// The distribution is said once for all of its packages, not once for each.
bool add_distribution_unknown(const Inventory& inventory, Lang lang, Unknowns& unknowns) {
  if (inventory.target == Inventory::Target::sbom || !inventory.os.ecosystem.empty()) return false;
  const auto count = static_cast<std::size_t>(std::ranges::count_if(
      inventory.packages, [](const Package& p) { return p.ecosystem.empty() && !p.listed_only; }));
  if (count == 0) return false;
  const bool named = !inventory.os.id.empty();
  unknowns.add({"ecosystem", named ? printable(inventory.os.id) : inventory.name,
                named ? say(lang, Message::unknown_distribution, printable(inventory.os.id))
                      : say(lang, Message::unknown_no_distribution),
                count});
  return true;
}

void add_database_unknowns(const DatabaseState& database, Lang lang, Unknowns& unknowns) {
  if (database.starter)
    unknowns.add(
        {"database", database.path, say(lang, Message::unknown_starter, update_command), 1});
}

std::string with_release(const std::string& ecosystem, const std::string& release) {
  return release.empty() ? ecosystem : fmt::format("{}:{}", ecosystem, release);
}

// The rows behind the answer: of every (ecosystem, release) that a package names.
std::vector<UsedCoverage> used_coverage(const advisories::Database& database,
                                        const Inventory& inventory) {
  std::set<std::pair<std::string, std::string>> asked;
  for (const auto& package : inventory.packages) {
    if (!package.ecosystem.empty() && !package.listed_only)
      asked.emplace(package.ecosystem, version::normal_release(package.ecosystem, package.release));
  }
  std::vector<UsedCoverage> out;
  for (const auto& [ecosystem, release] : asked) {
    UsedCoverage used{.ecosystem = with_release(ecosystem, release), .partial = true};
    for (const auto* one : database.coverage(ecosystem, release)) {
      used.rows += one->rows;
      used.newest = std::max(used.newest, one->newest);
      used.partial = used.partial && one->partial;
    }
    out.push_back(std::move(used));
  }
  return out;
}

// The newest record of what was asked for; of the database where that states no dates.
Seconds newest_used(const DatabaseState& database) {
  Seconds newest = 0;
  for (const auto& one : database.used) newest = std::max(newest, one.newest);
  if (newest == 0) newest = database.newest_record;
  // Alpine dates no record: then the file's own age must do.
  return newest != 0 ? newest : database.built;
}

void warn_of_age(ScanResult& result, const ScanOptions& options) {
  const auto newest = newest_used(result.database);
  if (!options.maximum_age || newest == 0 || options.now - newest <= *options.maximum_age) return;
  result.warnings.push_back(say(options.lang, Message::unknown_database_old,
                                (options.now - newest) / 86400, update_command));
}

// Gives each finding's vulnerability its texts; what several findings share is read once.
class Describer {
 public:
  Describer(const advisories::Database& database, Depth depth)
      : database_(database), depth_(depth) {}

  Result<> run(ScanResult& result) {
    // The database numbers vulnerabilities in the order of their ids.
    std::vector<std::pair<std::uint32_t, const Finding*>> first;  // that names the vulnerability
    std::vector<bool> seen(database_.vulnerability_count());
    for (const auto& finding : result.findings) {
      if (seen[finding.vulnerability]) continue;
      seen[finding.vulnerability] = true;
      first.emplace_back(finding.vulnerability, &finding);
    }
    std::ranges::sort(first);
    result.vulnerabilities.reserve(first.size());
    for (const auto& [number, finding] : first) {
      TRY(auto one, describe(number, *finding));
      result.vulnerabilities.push_back(std::move(one));
    }
    for (auto& finding : result.findings) {
      const auto at = std::ranges::lower_bound(first, finding.vulnerability, {},
                                               &decltype(first)::value_type::first);
      finding.vulnerability = static_cast<std::uint32_t>(at - first.begin());
    }
    return {};
  }

 private:
  Result<Vulnerability> describe(std::uint32_t number, const Finding& finding) {
    TRY(auto one, depth_ == Depth::list ? database_.title(number) : database_.describe(number));
    if (one.summary.empty() && one.details.empty()) {
      TRY(one.summary, summary_of(finding.advisories));
    }
    return one;
  }

  // The words of the first advisory that has some, for a vulnerability that nothing else describes.
  Result<std::string> summary_of(const std::vector<std::string>& advisory_ids) {
    for (const auto& id : advisory_ids) {
      const auto [known, fresh] = summaries_.try_emplace(id);
      if (fresh) {
        TRY(known->second, read_summary(id));
      }
      if (!known->second.empty()) return known->second;
    }
    return std::string();
  }

  Result<std::string> read_summary(const std::string& id) const {
    TRY(const auto number, database_.find_record(id));
    if (!number) return std::string();
    TRY(const auto record, database_.record(*number));
    return std::string(record.summary);
  }

  const advisories::Database& database_;
  Depth depth_;
  std::unordered_map<std::string, std::string> summaries_;
};

// A list shows none; ignore rules and VEX statements may name packages by them.
bool wants_purls(const ScanOptions& options) {
  return options.depth == Depth::everything || !options.ignore_file.empty() ||
         !options.vex_files.empty();
}

void fill_purls(Inventory& inventory) {
  for (auto& package : inventory.packages) {
    if (!package.purl.empty()) continue;
    if (const auto purl = sbom::purl_from_package(package, inventory.os))
      package.purl = sbom::to_string(*purl);
  }
}

}  // namespace

DatabaseState describe_database(const advisories::Database& database) {
  const auto& meta = database.meta();
  DatabaseState out;
  out.path = database.path();
  out.generation = database.generation();
  out.newest_record = meta.newest_record;
  out.starter = meta.starter;
  std::error_code error;
  const auto written = std::filesystem::last_write_time(database.path(), error);
  if (!error) {
    const auto system = std::chrono::file_clock::to_sys(written);
    out.built = std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
  }
  for (const auto& feed : meta.feeds)
    out.feeds.push_back(
        {feed.id, feed.newest == 0 ? "" : format_time(feed.newest), feed.records, feed.skipped});
  return out;
}

Result<Inventory> take_inventory(const ScanOptions& options) {
  if (!options.sbom.empty()) {
    TRY(auto inventory, read_sbom_file(options.sbom));
    inventory.databases_read = 1;
    if (wants_purls(options)) fill_purls(inventory);
    return inventory;
  }
  TRY(auto inventory, options.copy             ? inventory::inspect_copy(*options.copy)
                      : options.rootfs.empty() ? inventory::inspect_host()
                                               : inventory::inspect_root(options.rootfs));
  if (wants_purls(options)) fill_purls(inventory);
  return inventory;
}

Result<ScanResult> evaluate(Inventory inventory, const advisories::Database& database,
                            const ScanOptions& options) {
  ScanResult result;
  result.database = describe_database(database);
  result.database.used = used_coverage(database, inventory);
  Unknowns unknowns;
  add_database_unknowns(result.database, options.lang, unknowns);
  add_inventory_unknowns(inventory, options.lang, unknowns);
  const bool distribution_said = add_distribution_unknown(inventory, options.lang, unknowns);
  match::Matcher matcher(database, {.now = options.now,
                                    .running_kernel = inventory.running_kernel,
                                    .esm_attached = inventory.esm_attached,
                                    .evidence = options.depth == Depth::everything,
                                    .explain = false,
                                    .lang = options.lang});
  // Memory that is not written to costs nothing; growing costs each page again.
  result.findings.reserve(inventory.packages.size() * 16);
  for (std::size_t i = 0; i < inventory.packages.size(); ++i) {
    const auto& package = inventory.packages[i];
    if (package.listed_only) continue;
    ++result.counted_packages;
    if (distribution_said && package.ecosystem.empty()) continue;
    TRY(auto matches, matcher.match(package));
    for (auto& one : matches.unknown) unknowns.add(std::move(one));
    for (auto& one : matches.findings) {
      one.package = i;
      result.findings.push_back(std::move(one));
    }
  }
  if (result.counted_packages == 0 && inventory.skips.empty())
    unknowns.add({"inventory", inventory.name, say(options.lang, Message::unknown_no_packages), 1});
  result.inventory = std::move(inventory);
  result.unknown = unknowns.take();
  TRY_VOID(Describer(database, options.depth).run(result));
  database.release_pages();
  warn_of_age(result, options);
  return result;
}

std::expected<ScanResult, ScanFailure> scan(const ScanOptions& options) {
  using Stage = ScanFailure::Stage;
  const auto fail = [](Stage stage, Error error) {
    return std::unexpected(ScanFailure{stage, std::move(error)});
  };
  auto policies = read_policies(options);
  if (!policies) return fail(Stage::usage, std::move(policies).error());
  auto database = advisories::Database::open(database_path(options.database));
  if (!database) return fail(Stage::database, std::move(database).error());
  auto inventory = take_inventory(options);
  if (!inventory) return fail(Stage::target, std::move(inventory).error());
  if (inventory->databases_read == 0) {
    const auto why = inventory->skips.empty() ? std::string("no package database")
                                              : inventory->skips.back().reason;
    return fail(Stage::target, invalid(fmt::format("{}: {}", inventory->name, why)));
  }
  auto result = evaluate(*std::move(inventory), *database, options);
  if (!result) return fail(Stage::database, std::move(result).error());
  return apply_policies(*std::move(result), *policies, options);
}

}  // namespace tenken::pipeline
