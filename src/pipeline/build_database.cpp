#include "pipeline/build_database.h"

#include <algorithm>
#include <optional>
#include <set>

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

// Knows whether anything could be used of what a parser was given.
class UseSink : public feeds::Sink {
 public:
  void advisory(Advisory&&) override { used_ = true; }
  void note(VulnerabilityNote&&) override { used_ = true; }
  void skip(Skip) override { skipped_ = true; }
  void covers(std::string_view, std::string_view) override { used_ = true; }
  // A document without records is of use too.
  bool is_usable() const { return used_ || !skipped_; }

 private:
  bool used_ = false;
  bool skipped_ = false;
};

// Hands what a parser finds to the builder, under the file's origin.
class BuilderSink final : public UseSink {
 public:
  BuilderSink(Builder& builder, Origin origin, bool partial, bool starter)
      : builder_(builder), origin_(origin), partial_(partial), starter_(starter) {}

  void advisory(Advisory&& advisory) override {
    UseSink::advisory({});
    // The starter's records are of no publisher whose coverage could be known: a part of each
    // release that they name.
    for (const auto& affected : advisory.affected) {
      if (starter_) covers(affected.ecosystem, affected.release);
    }
    builder_.add(origin_, std::move(advisory));
  }
  void note(VulnerabilityNote&& note) override {
    UseSink::note({});
    builder_.add(origin_, std::move(note));
  }
  void skip(Skip skip) override {
    UseSink::skip({});
    if (skip.file.empty()) skip.file = origin_.path;
    builder_.add(origin_, std::move(skip));
  }
  void covers(std::string_view ecosystem, std::string_view release) override {
    UseSink::covers(ecosystem, release);
    builder_.add_coverage(origin_.feed, ecosystem, release, partial_);
  }

 private:
  Builder& builder_;
  Origin origin_;
  bool partial_;
  bool starter_;
};

bool lies_in(std::string_view path, std::string_view directory) {
  return path == directory ||
         (path.starts_with(directory) && path.substr(directory.size()).starts_with('/'));
}

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
    for (auto& tree : trees) read_tree(tree, kept_of(tree));
    if (options_.progress != nullptr) options_.progress->end();
    TRY(auto built, builder_.finish());
    if (built.meta.records == 0) return nothing_built(built.meta);
    report_.output_bytes = built.bytes.size();
    TRY_VOID(write_file_atomic(options_.out, built.bytes));
    report_.meta = std::move(built.meta);
    report_.path = options_.out;
    TRY(const auto written, advisories::Database::open(options_.out));
    report_.generation = written.generation();
    for (const auto& tree : trees) keep_good_files(tree, kept_of(tree));
    forget_old_trees(trees);
    return std::move(report_);
  }

 private:
  Error nothing_built(const advisories::Meta& meta) const {
    const auto from = fmt::format("{}", fmt::join(options_.from, " "));
    std::string fault;
    if (!report_.faults.empty()) {
      fault = report_.faults.front().text();
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

  KeptFiles kept_of(const FeedTree& tree) const {
    return {options_.kept.empty() ? "" : kept_directory(options_.kept, tree.root), options_.keep};
  }

  void read_tree(FeedTree& tree, const KeptFiles& kept) {
    if (tree.starter) builder_.set_starter();
    add_hidden(tree, kept);
    for (const auto& file : tree.files) {
      read_or_replace(tree, file, kept);
      if (options_.progress != nullptr) options_.progress->advance(file.size);
    }
    report_.not_read.insert(report_.not_read.end(), tree.unreadable.begin(), tree.unreadable.end());
    for (const auto& path : tree.unclaimed)
      report_.not_read.push_back({path, "no feed that is read here lies at this place"});
  }

  // Files of which there is a copy, and which cannot even be listed.
  static void add_hidden(FeedTree& tree, const KeptFiles& kept) {
    if (tree.unreadable.empty() || kept.directory().empty()) return;
    const auto copies = find_feeds(kept.directory());
    if (!copies) return;
    for (const auto& copy : copies->files) {
      const auto closed = std::ranges::find_if(
          tree.unreadable, [&](const NotRead& one) { return lies_in(copy.path, one.path); });
      if (closed == tree.unreadable.end()) continue;
      tree.files.push_back(copy);
      tree.files.back().closed = closed->reason;
      tree.files.back().partial = copy.partial || tree.is_partial(copy.path);
    }
    sort_files(tree);
  }

  void read_or_replace(const FeedTree& tree, const FeedFile& file, const KeptFiles& kept) {
    const auto full = tree.root + "/" + file.path;
    const auto copy = kept.copy_of(file.path);
    const bool is_suspect = !file.closed.empty() || (copy && !kept.is_kept(full, file.path));
    auto usable = is_suspect ? look_at(file, full, copy.value_or("")) : Result<>();
    std::set<std::string> useless;
    if (!usable && copy && read_file_of(tree, file, *copy, kept, useless)) {
      note_fault(file, std::move(usable).error().what, true);
      return;
    }
    // What lies in a closed place is not read, whether there is a copy of it or not.
    if (usable || file.closed.empty()) {
      note_fetched(tree, file);
      useless.clear();
      const auto read = read_file_of(tree, file, full, kept, useless);
      if (usable) usable = read;
      if (read && is_suspect) take_from_copy(tree, file, *copy, kept, useless);
    }
    if (usable) return;
    add_damage(file);
    note_fault(file, std::move(usable).error().what, false);
  }

  // Members that the archive's copy has and that are of no use now: as they were there. They are
  // kept by themselves from here on, for the archive becomes the next copy.
  void take_from_copy(const FeedTree& tree, const FeedFile& file, const std::string& copy,
                      const KeptFiles& kept, const std::set<std::string>& useless) {
    if (useless.empty() || file.member.empty()) return;
    const auto read =
        for_each_document(file, copy, [&](const std::string& path, std::string_view bytes) {
          if (!useless.contains(path) || !use_member(tree, file, path, bytes)) return;
          const auto place = KeptFiles::path_of_member(file.path, path);
          if (!kept.keep_bytes(bytes, place)) faulty_.insert(file.path);
        });
    if (!read) faulty_.insert(file.path);
  }

  bool use_member(const FeedTree& tree, const FeedFile& file, const std::string& path,
                  std::string_view bytes) {
    UseSink sink;
    if (!file.feed->parse({path, bytes}, sink) || !sink.is_usable()) return false;
    parse(tree, file, path, bytes);
    report_.faults.push_back({std::string(file.feed->id), path, "the file cannot be read", true});
    members_.insert(KeptFiles::path_of_member(file.path, path));
    return true;
  }

  void note_fault(const FeedFile& file, std::string reason, bool older_used) {
    builder_.add(
        Origin{.feed = file.feed->id, .id_space = {}, .path = file.path, .home_ecosystem = {}},
        Skip{.file = file.path, .record = {}, .reason = "the file cannot be read"});
    report_.faults.push_back({std::string(file.feed->id), file.path, std::move(reason), older_used,
                              older_used && file.closed.empty()});
    faulty_.insert(file.path);
  }

  // Whether a changed file can take the place of its copy: all of it can be unpacked, and it holds
  // a document that can be read where the copy holds one.
  Result<> look_at(const FeedFile& file, const std::string& full, const std::string& copy) const {
    if (!file.closed.empty()) return Error{Errc::denied, file.closed};
    TRY(const auto documents, count_documents(file, full));
    if (documents > 0) return {};
    const auto before = count_documents(file, copy);
    if (before && *before == 0) return {};
    return invalid("no document in it can be read");
  }

  // Those that can be read: of an archive at most one is looked at whole.
  static Result<std::size_t> count_documents(const FeedFile& file, const std::string& full) {
    std::size_t documents = 0;
    std::optional<Error> fault;
    TRY_VOID(for_each_document(file, full, [&](std::string_view path, std::string_view bytes) {
      if (documents > 0) return;
      UseSink sink;
      auto parsed = file.feed->parse({path, bytes}, sink);
      if (parsed && sink.is_usable()) ++documents;
      if (!parsed && !fault) fault = std::move(parsed).error();
    }));
    if (documents == 0 && fault) return *std::move(fault);
    return documents;
  }

  // Members of an archive of which nothing could be used are read as they were kept; `useless` are
  // those that were not.
  Result<> read_file_of(const FeedTree& tree, const FeedFile& file, const std::string& full,
                        const KeptFiles& kept, std::set<std::string>& useless) {
    TRY_VOID(for_each_document(file, full, [&](const std::string& path, std::string_view bytes) {
      if (!parse(tree, file, path, bytes)) useless.insert(path);
    }));
    if (file.member.empty()) return {};
    std::erase_if(useless, [&](const std::string& path) {
      const auto copy = kept.copy_of(KeptFiles::path_of_member(file.path, path));
      const auto bytes = copy ? read_file(*copy, document_limit) : Result<std::string>("");
      return copy && bytes && use_member(tree, file, path, *bytes);
    });
    return {};
  }

  // Calls visit(path, bytes) with what lies at `full`, under the names that the file's place gives.
  template <typename Visit>
  static Result<> for_each_document(const FeedFile& file, const std::string& full, Visit visit) {
    if (file.member.empty()) {
      TRY(const auto raw, read_file(full, document_limit));
      TRY(const auto bytes, decompress(raw, document_limit));
      visit(file.path, bytes);
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
          visit(fmt::format("{}/{}", file.path, name), bytes);
          return {};
        });
  }

  // Once the generation that was made of them is written.
  void keep_good_files(const FeedTree& tree, const KeptFiles& kept) {
    if (kept.directory().empty()) return;
    std::set<std::string> paths;
    for (const auto& file : tree.files) {
      const auto full = tree.root + "/" + file.path;
      const bool is_new = paths.insert(file.path).second;
      if (!is_new || faulty_.contains(file.path) || kept.is_kept(full, file.path)) continue;
      if (auto done = kept.keep(full, file.path); !done)
        report_.faults.push_back(
            {std::string(file.feed->id), file.path, std::move(done).error().what, false});
    }
    paths.insert(members_.begin(), members_.end());
    if (auto done = kept.keep_only(paths); !done)
      report_.faults.push_back({"", kept.directory(), std::move(done).error().what, false});
  }

  void forget_old_trees(const std::vector<FeedTree>& trees) {
    if (options_.kept.empty()) return;
    std::set<std::string> used;
    for (const auto& tree : trees) used.insert(kept_of(tree).directory());
    if (auto done = keep_trees(options_.kept, used); !done)
      report_.faults.push_back({"", options_.kept, std::move(done).error().what, false});
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

  // Whether it was of use.
  bool parse(const FeedTree& tree, const FeedFile& file, const std::string& path,
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
      report_.faults.push_back({std::string(file.feed->id), path, error.what, false});
      if (file.member.empty()) faulty_.insert(file.path);
      builder_.add(origin, Skip{.file = path, .record = {}, .reason = std::move(error.what)});
      return false;
    }
    return sink.is_usable();
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
  std::set<std::string> faulty_;   // files that are not to be kept
  std::set<std::string> members_;  // copies of single members that were read
};

}  // namespace

std::string FeedFault::text() const {
  return older_used ? fmt::format("{}: {}; its last copy that could be read is used",
                                  printable(path), reason)
                    : fmt::format("{}: {}", printable(path), reason);
}

Result<BuildReport> build_database(const BuildOptions& options) {
  return Build(options).run();
}

}  // namespace tenken::pipeline
