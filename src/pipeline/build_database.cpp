#include "pipeline/build_database.h"

#include <algorithm>

#include <fmt/format.h>

#include "advisories/builder.h"
#include "advisories/database.h"
#include "base/archive.h"
#include "base/file.h"
#include "base/text.h"
#include "feeds/feed.h"
#include "fetch/mirror.h"
#include "pipeline/feed_tree.h"

namespace tenken::pipeline {
namespace {

using advisories::Builder;
using advisories::Origin;

constexpr std::size_t document_limit = std::size_t{512} << 20;

// "…/osv/Rocky Linux/all.zip" -> "Rocky Linux".
std::string home_of(std::string_view archive_path) {
  const auto slash = archive_path.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto parent = archive_path.substr(0, slash);
  return std::string(parent.substr(parent.rfind('/') + 1));
}

// Hands what a parser finds to the builder, under the file's origin.
class BuilderSink final : public feeds::Sink {
 public:
  BuilderSink(Builder& builder, Origin origin, bool partial, bool starter)
      : builder_(builder), origin_(origin), partial_(partial), starter_(starter) {}

  void advisory(Advisory&& advisory) override {
    // The starter's records are of no publisher whose coverage could be known: a part of each
    // release that they name.
    for (const auto& affected : advisory.affected) {
      if (starter_) covers(affected.ecosystem, affected.release);
    }
    builder_.add(origin_, std::move(advisory));
  }
  void note(VulnerabilityNote&& note) override { builder_.add(origin_, std::move(note)); }
  void skip(Skip skip) override {
    if (skip.file.empty()) skip.file = origin_.path;
    builder_.add(origin_, std::move(skip));
  }
  void covers(std::string_view ecosystem, std::string_view release) override {
    builder_.add_coverage(origin_.feed, ecosystem, release, partial_);
  }

 private:
  Builder& builder_;
  Origin origin_;
  bool partial_;
  bool starter_;
};

class Build {
 public:
  explicit Build(const BuildOptions& options) : options_(options) {}

  Result<BuildReport> run() {
    std::vector<FeedTree> trees;
    std::uint64_t total = 0;
    for (const auto& directory : options_.from) {
      TRY(auto tree, find_feeds(directory));
      for (const auto& file : tree.files) total += file.size;
      trees.push_back(std::move(tree));
    }
    for (const auto& [feed, home] : options_.missing) builder_.add_damage(feed, home);
    if (options_.progress != nullptr) options_.progress->begin("", total);
    for (const auto& tree : trees) read_tree(tree);
    if (options_.progress != nullptr) options_.progress->end();
    TRY(auto built, builder_.finish());
    if (built.meta.records == 0) return nothing_built(built.meta);
    report_.output_bytes = built.bytes.size();
    TRY_VOID(write_file_atomic(options_.out, built.bytes));
    report_.meta = std::move(built.meta);
    report_.path = options_.out;
    TRY(const auto written, advisories::Database::open(options_.out));
    report_.generation = written.generation();
    return std::move(report_);
  }

 private:
  Error nothing_built(const advisories::Meta& meta) const {
    const auto from = fmt::format("{}", fmt::join(options_.from, " "));
    std::string fault;
    if (!report_.faults.empty()) {
      fault = report_.faults.front();
    } else if (!meta.skips.empty()) {
      const auto& skip = meta.skips.front();
      fault = fmt::format("{}: {}", skip.example.file, skip.reason);
    }
    if (fault.empty())
      return invalid(
          fmt::format("no advisory could be read from {}; give a directory of OSV files (all.zip "
                      "or .json), or a mirror tree",
                      from));
    return invalid(
        fmt::format("no advisory could be read from {}; first fault: {}; give a directory of OSV "
                    "files (all.zip or .json), or a mirror tree",
                    from, fault));
  }

  void read_tree(const FeedTree& tree) {
    if (tree.starter) builder_.set_starter();
    for (const auto& file : tree.files) {
      if (auto read = read_file_of(tree, file); !read) {
        add_damage(file);
        report_.faults.push_back(std::move(read).within(file.path).error().what);
        builder_.add(
            Origin{.feed = file.feed->id, .id_space = {}, .path = file.path, .home_ecosystem = {}},
            Skip{.file = file.path, .record = {}, .reason = "the file cannot be read"});
      }
      if (options_.progress != nullptr) options_.progress->advance(file.size);
    }
    report_.not_read.insert(report_.not_read.end(), tree.unreadable.begin(), tree.unreadable.end());
    for (const auto& path : tree.unclaimed)
      report_.not_read.push_back({path, "no feed that is read here lies at this place"});
  }

  Result<> read_file_of(const FeedTree& tree, const FeedFile& file) {
    const auto full = tree.root + "/" + file.path;
    note_fetched(tree, file);
    if (file.member.empty()) {
      TRY(const auto raw, read_file(full, document_limit));
      TRY(const auto bytes, decompress(raw, document_limit));
      parse(tree, file, file.path, bytes);
      return {};
    }
    std::string newest;
    if (file.newest_only) {
      TRY(newest, newest_member(full, file.member));
    }
    const ArchiveLimits limits{.member_bytes = document_limit};
    return for_each_member(
        full, limits,
        [&](std::string_view name) {
          return newest.empty() ? feeds::path_matches(file.member, name) : name == newest;
        },
        [&](std::string_view name, std::string_view bytes) -> Result<> {
          parse(tree, file, fmt::format("{}/{}", file.path, name), bytes);
          return {};
        });
  }

  static Result<std::string> newest_member(const std::string& archive, std::string_view pattern) {
    std::string newest;
    TRY_VOID(for_each_member(
        archive, {},
        [&](std::string_view name) {
          if (feeds::path_matches(pattern, name) && name > newest) newest = name;
          return false;
        },
        [](std::string_view, std::string_view) -> Result<> { return {}; }));
    if (newest.empty()) return not_found(fmt::format("{}: no member {}", archive, pattern));
    return newest;
  }

  // OSV's archives each hold one ecosystem; any other feed is one whole.
  void add_damage(const FeedFile& file) {
    builder_.add_damage(file.feed->id, file.feed->id == "osv" ? home_of(file.path) : "");
  }

  void parse(const FeedTree& tree, const FeedFile& file, const std::string& path,
             std::string_view bytes) {
    report_.input_bytes += bytes.size();
    builder_.add_document(file.feed->id, bytes);
    const auto home = home_of(file.path);
    const auto id_space = id_space_of(*file.feed, path);
    const Origin origin{
        .feed = file.feed->id, .id_space = id_space, .path = path, .home_ecosystem = home};
    BuilderSink sink(builder_, origin, file.partial, tree.starter);
    if (auto parsed = file.feed->parse({path, bytes}, sink); !parsed) {
      add_damage(file);
      auto error = std::move(parsed).error();
      report_.faults.push_back(fmt::format("{}: {}", printable(path), error.what));
      builder_.add(origin, Skip{.file = path, .record = {}, .reason = std::move(error.what)});
    }
  }

  static std::string id_space_of(const feeds::Feed& feed, const std::string& path) {
    if (feed.ids_per_document) return fmt::format("{} {}", feed.id, path);
    return std::string(feed.shares_ids_with.empty() ? feed.id : feed.shares_ids_with);
  }

  // A mirror tree remembers when each document was fetched.
  void note_fetched(const FeedTree& tree, const FeedFile& file) {
    const auto state = read_file(fmt::format("{}/.fetch/{}.state", tree.root, file.path), 1 << 16);
    if (!state) return;
    if (const auto read = fetch::read_state(*state))
      builder_.set_fetched(file.feed->id, read->fetched_at);
  }

  const BuildOptions& options_;
  Builder builder_;
  BuildReport report_;
};

}  // namespace

Result<BuildReport> build_database(const BuildOptions& options) {
  return Build(options).run();
}

}  // namespace tenken::pipeline
