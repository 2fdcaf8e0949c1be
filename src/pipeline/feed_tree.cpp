#include "pipeline/feed_tree.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace tenken::pipeline {
namespace {

constexpr std::size_t file_limit = 1'000'000;
constexpr std::string_view manifest_name = "MANIFEST.json";

struct File {
  std::string path;
  std::uint64_t size = 0;
};

struct Listing {
  std::vector<File> files;
  std::vector<NotRead> unreadable;
};

// Regular files below the directory; links are not followed, hidden directories not entered.
Result<Listing> list_files(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(directory, error))
    return not_found(fmt::format("{}: no such directory of feeds", directory));
  Listing out;
  fs::recursive_directory_iterator it(directory, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const auto path = it->path().lexically_relative(directory).generic_string();
    if (it->is_symlink(error)) {
      out.unreadable.push_back({path, "a link is not followed"});
    } else if (it->is_directory(error)) {
      const bool hidden = it->path().filename().string().starts_with('.');
      const bool closed = ::access(it->path().c_str(), R_OK | X_OK) != 0;
      if (closed) out.unreadable.push_back({path, "the directory may not be read"});
      if (hidden || closed) it.disable_recursion_pending();
    } else if (it->is_regular_file(error)) {
      if (out.files.size() == file_limit)
        return limit_exceeded(fmt::format("{}: more than {} files", directory, file_limit));
      out.files.push_back({path, it->file_size(error)});
    }
  }
  if (error) return from_errno(error.value(), directory);
  std::ranges::sort(out.files, {}, &File::path);
  std::ranges::sort(out.unreadable, {}, &NotRead::path);
  return out;
}

// Files that only tell where documents are.
bool is_index(std::string_view path) {
  const auto name =
      path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  return path == manifest_name || name == "modified_id.csv" || name == "ecosystems.txt" ||
         name == "index.html";
}

struct Manifest {
  bool starter = false;
  std::set<std::string, std::less<>> samples;
};

Result<Manifest> read_manifest(const std::string& directory) {
  const auto path = directory + "/" + std::string(manifest_name);
  auto bytes = read_file(path, std::size_t{64} << 20);
  std::error_code error;
  const bool is_link = std::filesystem::is_symlink(path, error);
  if (!bytes && bytes.error().code == Errc::not_found && !is_link) return Manifest();
  if (!bytes) return std::move(bytes).error();
  json::Parser parser;
  TRY(const auto root, parser.parse(*bytes).within(path));
  Manifest out;
  out.starter = root["starter"].boolean().value_or(false);
  root["files"].for_each([&](json::Value file) {
    const auto kind = ascii_lower(file["kind"].string());
    for (const auto* word : {"sample", "derived", "synthetic"}) {
      if (kind.find(word) != std::string::npos) out.samples.emplace(file["path"].string());
    }
  });
  return out;
}

// A place for every file that some feed names; one file may hold documents of several places.
std::vector<FeedFile> claims(const std::vector<File>& files) {
  std::vector<FeedFile> out;
  for (const auto* feed : feeds::feeds()) {
    for (const auto& place : feed->places) {
      std::vector<FeedFile> found;
      for (const auto& file : files) {
        if (!feeds::path_matches(place.file, file.path)) continue;
        found.push_back(
            {feed, file.path, std::string(place.member), place.newest_only, false, file.size});
      }
      if (place.newest_only && place.member.empty() && found.size() > 1)
        found.erase(found.begin(), found.end() - 1);
      out.insert(out.end(), found.begin(), found.end());
    }
  }
  return out;
}

std::vector<FeedFile> any_osv(const std::vector<File>& files) {
  std::vector<FeedFile> out;
  const auto* osv = feeds::find_feed("osv");
  CHECK(osv != nullptr);
  for (const auto& file : files) {
    if (file.path == manifest_name) continue;
    const bool archive = file.path == "all.zip" || file.path.ends_with("/all.zip");
    if (archive || file.path.ends_with(".json"))
      out.push_back({osv, file.path, archive ? "*.json" : "", false, false, file.size});
  }
  return out;
}

}  // namespace

Result<FeedTree> find_feeds(const std::string& directory) {
  TRY(auto listing, list_files(directory));
  const auto& files = listing.files;
  const auto read = read_manifest(directory);
  if (!read) listing.unreadable.push_back({std::string(manifest_name), read.error().what});
  auto manifest = read ? *read : Manifest();
  FeedTree tree{.root = directory,
                .starter = manifest.starter,
                .manifest_unread = !read,
                .samples = std::move(manifest.samples),
                .files = claims(files),
                .unreadable = std::move(listing.unreadable),
                .unclaimed = {}};
  if (tree.files.empty()) tree.files = any_osv(files);
  std::set<std::string_view> claimed;
  for (auto& file : tree.files) {
    file.partial = file.partial || tree.is_partial(file.path);
    claimed.insert(file.path);
  }
  for (const auto& file : files) {
    if (!claimed.contains(file.path) && !is_index(file.path)) tree.unclaimed.push_back(file.path);
  }
  sort_files(tree);
  return tree;
}

void sort_files(FeedTree& tree) {
  std::ranges::sort(tree.files, {},
                    [](const FeedFile& f) { return std::tie(f.feed->id, f.path, f.member); });
}

}  // namespace tenken::pipeline
