// fetch_feed: everything a feed publishes, brought into the local mirror tree. Start documents
// first, then those that they name; for an archive with an index of its records only the records
// that changed, where these are few.
//
// What fails is reported and hides nothing else: the old copy of a document stays, and the rest of
// the feed is fetched.
//
// Thread rule: feeds may be fetched by many threads at once, each call with its own Progress.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "feeds/feed.h"
#include "fetch/download.h"
#include "fetch/retry.h"
#include "fetch/transport.h"

namespace tenken::fetch {

struct FetchOptions {
  std::string root;  // of the mirror tree; made where it does not exist
  // Instead of upstream: the base URL of a server or a directory, both with "<host>/<path>" below.
  std::string mirror;
  // Of a feed with one archive per ecosystem (OSV): only these. Empty: all.
  std::vector<std::string> ecosystems;
  std::size_t max_documents = 20'000;
  std::size_t max_delta = 500;  // records beside an archive before it is fetched whole
  Timeouts timeouts;
  RetryPolicy retry;
  std::string user_agent = "tenken";
};

struct FetchFailure {
  // Upstream's, without mirror and secrets; safe to show. The feed's id where nothing can be asked.
  std::string url;
  Error error;
  bool warning = false;  // an index names what is not there; nothing of ours is out of date
};

struct FetchReport {
  std::string feed;
  std::size_t fetched = 0;    // documents and records whose bytes are new
  std::size_t unchanged = 0;  // that upstream confirmed, or sent again with the same bytes
  std::uint64_t bytes = 0;    // received
  double seconds = 0;
  std::vector<FetchFailure> failures;

  std::size_t failed() const;  // failures that are no warnings
};

// progress may be null.
FetchReport fetch_feed(const feeds::Feed& feed, const FetchOptions& options,
                       const Environment& environment, Progress* progress);
// The same over a transport of the caller, to which `mirror` says nothing but its base URL.
FetchReport fetch_feed(const feeds::Feed& feed, const FetchOptions& options,
                       const Environment& environment, Progress* progress, Transport& transport);

// Else a base is a directory.
bool is_web_url(std::string_view base);

// "osv=https://mirror.example/feeds" of --mirror. Errors: invalid (no base), not_found (no such
// feed).
struct MirrorOverride {
  std::string feed;
  std::string base;
};
Result<MirrorOverride> parse_mirror_override(std::string_view text);

}  // namespace tenken::fetch
