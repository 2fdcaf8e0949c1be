#include "pipeline/update_database.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "fetch/mirror.h"
#include "pipeline/database_location.h"

namespace tenken::pipeline {
namespace {

Result<std::vector<const feeds::Feed*>> chosen(const std::vector<std::string>& ids) {
  std::vector<const feeds::Feed*> out;
  for (const auto* feed : feeds::feeds()) {
    if (ids.empty() || std::ranges::find(ids, feed->id) != ids.end()) out.push_back(feed);
  }
  for (const auto& id : ids) {
    if (feeds::find_feed(id) == nullptr) {
      std::string known;
      for (const auto* feed : feeds::feeds())
        known.append(known.empty() ? "" : " ").append(feed->id);
      return invalid(fmt::format("no feed \"{}\"; there are: {}", id, known));
    }
  }
  return out;
}

Result<std::string> mirror_for(const feeds::Feed& feed, const std::vector<std::string>& mirrors) {
  std::string base;
  for (const auto& text : mirrors) {
    const auto before = split_once(text, '=').first;
    const bool names_feed =
        before.size() < text.size() && before.find_first_of("/:.") == std::string_view::npos;
    if (names_feed && feeds::find_feed(before) == nullptr)
      return invalid(fmt::format("--mirror {}: no feed \"{}\"", text, before));
    // What stands before "=" must be a feed to be one: a base may hold "=" too.
    if (feeds::find_feed(split_once(text, '=').first) == nullptr) {
      base = text;
      continue;
    }
    TRY(const auto one, fetch::parse_mirror_override(text));
    if (one.feed == feed.id) return one.base;
  }
  return base;
}

// What failed to arrive and has no older copy; an older copy is old, not missing.
std::vector<std::pair<std::string, std::string>> missing_documents(
    const std::string& tree, const std::vector<fetch::FetchReport>& reports) {
  std::vector<std::pair<std::string, std::string>> out;
  const fetch::Mirror mirror(tree);
  for (const auto& report : reports) {
    for (const auto& failure : report.failures) {
      const auto entry = mirror.entry(failure.url);
      if (failure.warning || (entry && std::filesystem::exists(entry->document))) continue;
      const auto folder =
          entry ? std::filesystem::path(entry->document).parent_path().filename().string() : "";
      out.emplace_back(report.feed, report.feed == "osv" ? folder : "");
    }
  }
  return out;
}

// What arrived and cannot be read has not arrived: the older document is put back. Without its
// state the next fetch asks for the whole again, whatever upstream says of changes.
Result<> put_back(const std::string& directory, const std::vector<FeedFault>& faults) {
  namespace fs = std::filesystem;
  for (const auto& fault : faults) {
    if (!fault.older_used) continue;
    const auto document = fmt::format("{}/feeds/{}", directory, fault.path);
    const auto copy = fmt::format("{}/kept/0/{}", directory, fault.path);
    std::error_code error;
    fs::remove(fmt::format("{}/feeds/.fetch/{}.state", directory, fault.path), error);
    if (!error) fs::remove(document, error);
    if (!error) fs::create_hard_link(copy, document, error);
    if (error) fs::copy_file(copy, document, error);
    if (error) return unavailable(fmt::format("{}: {}", document, error.message()));
  }
  return {};
}

bool nothing_new(const std::string& directory, const std::vector<fetch::FetchReport>& reports) {
  return std::filesystem::exists(database_path(directory)) &&
         std::ranges::all_of(reports, [](const fetch::FetchReport& one) {
           return one.fetched == 0 && one.failed() == 0;
         });
}

}  // namespace

Result<BuildReport> build_generation(const std::string& directory, BuildOptions options) {
  TRY_VOID(make_directories(directory));
  options.out = fmt::format("{}/building.{}", directory, ::getpid());
  options.kept = directory + "/kept";
  TRY(auto report, build_database(options));
  TRY(report.path, publish(directory, options.out, report.generation));
  return report;
}

Result<UpdateReport> update_database(const UpdateOptions& options) {
  TRY(const auto wanted, chosen(options.feeds));
  const auto tree = options.directory + "/feeds";
  TRY_VOID(make_directories(tree));
  UpdateReport report;
  const fetch::Environment environment;
  for (const auto* feed : wanted) {
    fetch::FetchOptions fetching;
    fetching.root = tree;
    fetching.ecosystems = options.ecosystems;
    TRY(fetching.mirror, mirror_for(*feed, options.mirrors));
    report.fetched.push_back(fetch::fetch_feed(*feed, fetching, environment, options.progress));
  }
  if (options.only_if_changed && nothing_new(options.directory, report.fetched)) return report;
  BuildOptions building{
      .from = {tree}, .out = {}, .keep = Keep::links, .progress = options.progress};
  building.missing = missing_documents(tree, report.fetched);
  auto built = build_generation(options.directory, std::move(building));
  if (built) {
    TRY_VOID(put_back(options.directory, built->faults));
    report.built = *std::move(built);
  } else {
    report.build_error = std::move(built).error().what;
  }
  return report;
}

}  // namespace tenken::pipeline
