#include "fetch/fetch_feed.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/archive.h"
#include "base/file.h"
#include "base/text.h"
#include "fetch/delta.h"
#include "fetch/directory.h"
#include "fetch/http.h"
#include "fetch/mirror.h"
#include "fetch/url.h"

namespace tenken::fetch {
namespace {

constexpr std::size_t dead_after = 3;  // documents in a row that upstream did not answer for
constexpr std::string_view record_suffix = ".json";

// Upstreams that serve clients with a key faster. The key goes to this host alone.
struct ApiKey {
  std::string_view host;
  const char* variable;
  std::string_view header;
  std::uint32_t pause_divisor;
};
// NVD: 5 requests in 30 seconds without a key, 50 with one (nvd.nist.gov, "API Key").
constexpr std::array<ApiKey, 1> api_keys{
    {{"https://services.nvd.nist.gov/", "NVD_API_KEY", "apiKey", 10}}};

DownloadRules rules_of(const feeds::Feed& feed, const FetchOptions& options) {
  DownloadRules rules{.pause_ms = feed.fetching.pause_ms,
                      .limit_bytes = feed.fetching.limit_bytes,
                      .timeouts = options.timeouts,
                      .retry = options.retry};
  // Upstreams that ask for pauses answer 403 to those who do not keep them.
  rules.retry.forbidden_is_rate_limit = feed.fetching.pause_ms > 0;
  if (!options.mirror.empty()) {
    if (is_web_url(options.mirror)) rules.base = options.mirror;
    rules.pause_ms = 0;  // our own server
    return rules;
  }
  for (const auto& key : api_keys) {
    const char* value = std::getenv(key.variable);
    const bool ours = std::ranges::all_of(
        feed.fetching.start, [&](std::string_view url) { return url.starts_with(key.host); });
    if (value == nullptr || *value == '\0' || !ours) continue;
    rules.headers.push_back(fmt::format("{}: {}", key.header, value));
    rules.pause_ms /= key.pause_divisor;
  }
  return rules;
}

// Next to an archive: its index of records and the records themselves.
std::string record_url(const feeds::Fetching& fetching, std::string_view archive,
                       std::string_view id) {
  const auto at = fetching.delta_record.find("{}");
  CHECK(at != fetching.delta_record.npos);
  return sibling_url(archive,
                     fmt::format("{}{}{}", fetching.delta_record.substr(0, at), percent_encode(id),
                                 fetching.delta_record.substr(at + 2)));
}

// The name of the directory that a URL's document lies in.
std::string directory_name(std::string_view url) {
  const auto end = url.rfind('/');
  const auto begin = url.rfind('/', end - 1);
  return percent_decode(url.substr(begin + 1, end - begin - 1));
}

class FeedRun {
 public:
  FeedRun(const feeds::Feed& feed, const FetchOptions& options, const Environment& environment,
          Progress* progress, Transport& transport)
      : feed_(feed),
        options_(options),
        environment_(environment),
        mirror_(options.root),
        downloader_(transport, mirror_, environment, rules_of(feed, options), progress) {
    report_.feed = feed.id;
  }

  FetchReport run();

 private:
  enum class Outcome { fetched, unchanged, failed };
  struct Job {
    std::string url;
    bool named_by_document = false;
  };

  Result<Entry> entry_of(std::string_view url) const;
  void enqueue(std::string_view url, bool named_by_document);
  void enqueue_named_in(const Job& job);
  bool is_wanted(std::string_view url) const;
  void fail(const Job& job, Error error);
  Outcome fetch(const Job& job);
  Outcome settle(const Entry& entry, const Download& download);
  void sync_archive(const Job& job);
  bool fetch_records(const Job& job, const Entry& archive, const IndexDelta& delta);
  void accept_index(const Entry& index, const Download& download);
  void fail_unknown_ecosystems();

  const feeds::Feed& feed_;
  const FetchOptions& options_;
  const Environment& environment_;
  Mirror mirror_;
  Downloader downloader_;
  FetchReport report_;
  std::deque<Job> queue_;
  std::set<std::string, std::less<>> seen_;
  std::size_t unanswered_ = 0;
};

FetchReport FeedRun::run() {
  const auto lock = mirror_.lock(feed_.id);
  if (!lock) {
    report_.failures.push_back({.url = options_.root, .error = lock.error()});
    return std::move(report_);
  }
  for (const auto url : feed_.fetching.start) enqueue(url, false);
  while (!queue_.empty()) {
    const auto job = std::move(queue_.front());
    queue_.pop_front();
    if (unanswered_ >= dead_after) {
      fail(job, unavailable("not tried: upstream did not answer for others before"));
      continue;
    }
    const auto path = split_once(job.url, '?').first;
    if (!feed_.fetching.delta_index.empty() && is_archive_name(path))
      sync_archive(job);
    else
      fetch(job);
    enqueue_named_in(job);
  }
  fail_unknown_ecosystems();
  report_.bytes = downloader_.bytes();
  return std::move(report_);
}

// Labelled for people: "osv 7/38 PyPI/all.zip".
Result<Entry> FeedRun::entry_of(std::string_view url) const {
  TRY(auto entry, mirror_.entry(url));
  entry.label =
      fmt::format("{} {}/{} {}", feed_.id, seen_.size() - queue_.size(), seen_.size(), entry.label);
  return entry;
}

void FeedRun::enqueue(std::string_view url, bool named_by_document) {
  if (!seen_.emplace(url).second) return;
  Job job{.url = std::string(url), .named_by_document = named_by_document};
  if (seen_.size() > options_.max_documents) {
    if (seen_.size() == options_.max_documents + 1)
      fail(job, limit_exceeded(fmt::format("more than {} documents", options_.max_documents)));
    return;
  }
  queue_.push_back(std::move(job));
}

bool FeedRun::is_wanted(std::string_view url) const {
  if (options_.ecosystems.empty() || feed_.fetching.delta_index.empty()) return true;
  if (!is_archive_name(url)) return true;
  return std::ranges::find(options_.ecosystems, directory_name(url)) != options_.ecosystems.end();
}

// The old copy of an index that could not be fetched still names what may be fetched.
void FeedRun::enqueue_named_in(const Job& job) {
  if (feed_.fetching.next == nullptr) return;
  const auto entry = mirror_.entry(job.url);
  if (!entry) return;  // reported when it was to be fetched
  const auto file = MappedFile::open(entry->document);
  if (!file) return;  // likewise
  const auto from = parse_url(job.url);
  for (const auto& url : feed_.fetching.next(job.url, file->bytes())) {
    if (!is_wanted(url)) continue;
    // A document may send us on along its own host only: not to a neighbour of ours.
    const auto to = parse_url(url);
    if (!to || to->host != from->host || to->scheme != from->scheme) {
      fail({.url = url, .named_by_document = true},
           to ? invalid("named by a document of another host") : to.error());
      continue;
    }
    enqueue(url, true);
  }
}

void FeedRun::fail(const Job& job, Error error) {
  const bool warning = job.named_by_document && error.code == Errc::not_found;
  report_.failures.push_back(
      {.url = printable(job.url), .error = std::move(error), .warning = warning});
}

FeedRun::Outcome FeedRun::fetch(const Job& job) {
  const auto entry = entry_of(job.url);
  const auto download = entry ? downloader_.download(*entry) : Result<Download>(entry.error());
  const bool answered = download || download.error().code != Errc::unavailable;
  unanswered_ = answered ? 0 : unanswered_ + 1;
  if (!download) {
    fail(job, download.error());
    return Outcome::failed;
  }
  return settle(*entry, *download);
}

FeedRun::Outcome FeedRun::settle(const Entry& entry, const Download& download) {
  auto changed = download.arrived ? mirror_.accept(entry, download.state) : Result<bool>(false);
  if (changed && !download.arrived) {
    const auto touched = mirror_.touch(entry, download.state, environment_.now());
    if (!touched) changed = touched.error();
  }
  if (!changed) {
    fail({.url = entry.url}, std::move(changed).error());
    return Outcome::failed;
  }
  ++(*changed ? report_.fetched : report_.unchanged);
  return *changed ? Outcome::fetched : Outcome::unchanged;
}

void FeedRun::sync_archive(const Job& job) {
  const auto archive = entry_of(job.url);
  const auto index = entry_of(sibling_url(job.url, feed_.fetching.delta_index));
  if (!archive || !index) return fail(job, archive ? index.error() : archive.error());
  const auto at_hand = mirror_.state_of(*archive);
  // The index at hand never tells of more than archive and records hold. It is asked for before
  // the archive, so that what changes in between is asked for again the next time.
  const bool comparable = at_hand && mirror_.state_of(*index);
  const auto download = downloader_.download(*index);
  if (download && !download->arrived && at_hand) {
    settle(*archive, {.arrived = false, .state = *at_hand});
    return;
  }
  // Without an index (some mirrors have none) the archive is fetched as any other document.
  const bool arrived = download && download->arrived;
  const auto old_index = MappedFile::open(index->document);
  const auto fresh_index = MappedFile::open(index->part);
  IndexDelta delta;
  if (arrived && fresh_index) {
    delta = compare_indexes(old_index ? old_index->bytes() : "", fresh_index->bytes());
    if (comparable && old_index && fetch_records(job, *archive, delta)) {
      settle(*archive, {.arrived = false, .state = *at_hand});
      return accept_index(*index, *download);
    }
  }
  const auto outcome = fetch(job);
  if (!arrived) return;
  // An archive made before the newest record of the index does not hold that record: then the
  // records beside it stay and the old index is compared again the next time.
  const auto state = mirror_.state_of(*archive);
  const auto made = state ? parse_http_date(state->last_modified) : std::nullopt;
  if (outcome != Outcome::fetched || !made || !delta.newest || *made < *delta.newest)
    return mirror_.discard_part(*index);
  if (auto removed = mirror_.remove_siblings(*archive, record_suffix); !removed)
    return fail(job, std::move(removed).error());
  accept_index(*index, *download);
}

// False: the archive is to be fetched whole.
bool FeedRun::fetch_records(const Job& job, const Entry& archive, const IndexDelta& delta) {
  if (delta.removed > 0 || delta.unreadable > 0) return false;
  const auto beside = mirror_.count_siblings(archive, record_suffix);
  if (delta.changed.size() + beside > options_.max_delta) return false;
  for (const auto id : delta.changed) {
    const auto entry = entry_of(record_url(feed_.fetching, job.url, id));
    if (!entry) return false;
    const auto download = downloader_.download(*entry);
    if (!download || settle(*entry, *download) == Outcome::failed) return false;
  }
  return true;
}

void FeedRun::accept_index(const Entry& index, const Download& download) {
  if (auto accepted = mirror_.accept(index, download.state); !accepted)
    fail({.url = index.url}, std::move(accepted).error());
}

void FeedRun::fail_unknown_ecosystems() {
  if (feed_.fetching.delta_index.empty()) return;
  for (const auto& wanted : options_.ecosystems) {
    const bool named = std::ranges::any_of(seen_, [&](const auto& url) {
      return is_archive_name(url) && directory_name(url) == wanted;
    });
    if (!named) fail({.url = wanted}, not_found("no index at hand names this ecosystem"));
  }
}

Result<std::unique_ptr<Transport>> transport_for(const FetchOptions& options) {
  if (options.mirror.empty() || is_web_url(options.mirror)) return http_client(options.user_agent);
  return directory_reader(options.mirror);
}

}  // namespace

std::size_t FetchReport::failed() const {
  return static_cast<std::size_t>(
      std::ranges::count(failures, false, [](const auto& failure) { return failure.warning; }));
}

FetchReport fetch_feed(const feeds::Feed& feed, const FetchOptions& options,
                       const Environment& environment, Progress* progress, Transport& transport) {
  const auto started = std::chrono::steady_clock::now();
  auto report = FeedRun(feed, options, environment, progress, transport).run();
  const auto took = std::chrono::steady_clock::now() - started;
  report.seconds = std::chrono::duration<double>(took).count();
  if (progress != nullptr) progress->end();
  return report;
}

FetchReport fetch_feed(const feeds::Feed& feed, const FetchOptions& options,
                       const Environment& environment, Progress* progress) {
  const auto transport = transport_for(options);
  if (!transport) {
    FetchReport report{.feed = std::string(feed.id)};
    report.failures.push_back({.url = report.feed, .error = transport.error()});
    return report;
  }
  return fetch_feed(feed, options, environment, progress, **transport);
}

bool is_web_url(std::string_view base) {
  return base.starts_with("http://") || base.starts_with("https://");
}

Result<MirrorOverride> parse_mirror_override(std::string_view text) {
  const auto [feed, base] = split_once(text, '=');
  if (!base || base->empty() || feed.empty())
    return invalid(fmt::format("\"{}\": expected FEED=URL or FEED=DIRECTORY", printable(text)));
  if (feeds::find_feed(feed) == nullptr)
    return not_found(fmt::format("no feed \"{}\"", printable(feed)));
  return MirrorOverride{.feed = std::string(feed), .base = std::string(*base)};
}

}  // namespace tenken::fetch
