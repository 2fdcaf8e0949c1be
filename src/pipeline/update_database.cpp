#include "pipeline/update_database.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "fetch/mirror.h"
#include "pipeline/database_location.h"
#include "pipeline/kept_files.h"

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

// Without a feed: of all of them. A base may hold "=" too.
Result<fetch::MirrorOverride> read_mirror(const std::string& text) {
  const bool of_all = text.starts_with('/') || fetch::is_web_url(text);
  auto mirror =
      of_all ? fetch::MirrorOverride{.feed = {}, .base = text} : fetch::parse_mirror_override(text);
  std::error_code error;
  // One feed's that is not there is that feed's fault, and hides no other.
  if (of_all && !fetch::is_web_url(mirror->base) &&
      !std::filesystem::is_directory(mirror->base, error))
    mirror = not_found(fmt::format("{}: no such directory", mirror->base));
  return std::move(mirror).within("--mirror");
}

Result<std::vector<fetch::MirrorOverride>> read_mirrors(const std::vector<std::string>& texts) {
  std::vector<fetch::MirrorOverride> out;
  for (const auto& text : texts) {
    TRY(auto mirror, read_mirror(text));
    out.push_back(std::move(mirror));
  }
  return out;
}

std::string mirror_of(const feeds::Feed& feed, const std::vector<fetch::MirrorOverride>& mirrors) {
  std::string base;
  for (const auto& one : mirrors) {
    if (one.feed == feed.id) return one.base;
    if (one.feed.empty()) base = one.base;
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

// Whether a directory on the way is a link: what lies behind it is not of this tree.
bool lies_behind_link(const std::string& tree, const std::filesystem::path& path) {
  std::filesystem::path place = tree;
  const auto way = path.parent_path();
  for (const auto& part : way) {
    std::error_code error;
    place /= part;
    if (std::filesystem::is_symlink(place, error)) return true;
  }
  return false;
}

// Without its state the next fetch asks for the whole again, whatever upstream says of changes.
Result<> put_back(const std::string& tree, const std::string& kept, const std::string& path) {
  namespace fs = std::filesystem;
  const auto state = fmt::format(".fetch/{}.state", path);
  if (lies_behind_link(tree, path) || lies_behind_link(tree, state))
    return Error{Errc::denied, "a link is not followed"};
  const auto copy = fmt::format("{}/{}", kept, path);
  const auto part = tree + "/.fetch/put-back";
  std::error_code error;
  fs::create_directories(tree + "/.fetch", error);
  fs::remove(part, error);
  fs::create_hard_link(copy, part, error);
  if (error) fs::copy_file(copy, part, error);
  if (!error) fs::remove(fmt::format("{}/{}", tree, state), error);
  if (!error) fs::rename(part, fmt::format("{}/{}", tree, path), error);
  if (error) return unavailable(error.message());
  // Two links to one file are not renamed: the new one stays.
  fs::remove(part, error);
  return {};
}

// What arrived and cannot be read has not arrived: the older document is put back.
void put_back_older(const std::string& tree, const std::string& kept, BuildReport& built) {
  std::vector<FeedFault> failed;
  for (const auto& fault : built.faults) {
    if (!fault.content_replaced) continue;
    if (const auto done = put_back(tree, kept, fault.path); !done)
      failed.push_back({fault.feed, fault.path,
                        fmt::format("the older document cannot be put back: {}", done.error().what),
                        false});
  }
  built.faults.insert(built.faults.end(), failed.begin(), failed.end());
}

std::string kept_in(const std::string& directory) {
  return directory + "/kept";
}

bool nothing_new(const std::string& directory, const std::vector<fetch::FetchReport>& reports) {
  return std::filesystem::exists(database_path(directory)) &&
         std::ranges::all_of(reports, [](const fetch::FetchReport& one) {
           return one.fetched == 0 && one.failed() == 0;
         });
}

// Is there while documents may have arrived that no generation was built of. Their states are
// committed one by one: a fetch that comes later calls them unchanged.
std::string unbuilt_mark(const std::string& directory) {
  return directory + "/feeds.unbuilt";
}

}  // namespace

Result<BuildReport> build_generation(const std::string& directory, BuildOptions options) {
  TRY_VOID(make_directories(directory));
  options.out = fmt::format("{}/building.{}", directory, ::getpid());
  options.kept = kept_in(directory);
  TRY(auto report, build_database(options));
  TRY(report.path, publish(directory, options.out, report.generation));
  return report;
}

Result<UpdateReport> update_database(const UpdateOptions& options) {
  TRY(const auto wanted, chosen(options.feeds));
  TRY(const auto mirrors, read_mirrors(options.mirrors));
  const auto tree = options.directory + "/feeds";
  TRY_VOID(make_directories(tree));
  const auto mark = unbuilt_mark(options.directory);
  std::error_code ignored;  // a mark that stays costs a build
  const bool unbuilt = std::filesystem::exists(mark, ignored);
  if (!unbuilt) TRY_VOID(write_file_atomic(mark, ""));
  UpdateReport report;
  const fetch::Environment environment;
  for (const auto* feed : wanted) {
    fetch::FetchOptions fetching;
    fetching.root = tree;
    fetching.ecosystems = options.ecosystems;
    fetching.mirror = mirror_of(*feed, mirrors);
    report.fetched.push_back(fetch::fetch_feed(*feed, fetching, environment, options.progress));
  }
  if (options.only_if_changed && !unbuilt && nothing_new(options.directory, report.fetched)) {
    std::filesystem::remove(mark, ignored);
    return report;
  }
  BuildOptions building{
      .from = {tree}, .out = {}, .keep = Keep::links, .progress = options.progress};
  building.missing = missing_documents(tree, report.fetched);
  auto built = build_generation(options.directory, std::move(building));
  if (built) {
    put_back_older(tree, kept_directory(kept_in(options.directory), tree), *built);
    std::filesystem::remove(mark, ignored);
    report.built = *std::move(built);
  } else {
    report.build_error = std::move(built).error().what;
  }
  return report;
}

}  // namespace tenken::pipeline
