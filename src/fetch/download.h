// One document from upstream into the mirror: conditional on what is at hand, continued where it
// broke off, tried again where that may help.
//
// Thread rule: one Downloader per feed and thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "fetch/mirror.h"
#include "fetch/retry.h"
#include "fetch/transport.h"

namespace tenken::fetch {

struct DownloadRules {
  std::string base;  // of a mirror server, put before "<host>/<path>"; empty: the URL itself
  std::vector<std::string> headers;
  std::uint32_t pause_ms = 0;  // between two requests
  std::uint64_t limit_bytes = std::uint64_t{1} << 30;
  Timeouts timeouts;
  RetryPolicy retry;
};

struct Download {
  bool arrived = false;  // a part is complete and waits to be accepted; else nothing is new
  State state;
};

class Downloader {
 public:
  // progress may be null. All references must outlive the object.
  Downloader(Transport& transport, const Mirror& mirror, const Environment& environment,
             DownloadRules rules, Progress* progress);

  // Errors: not_found (404, 410), denied (401, 403), unavailable (may work later), limit, invalid
  // (another status, a web page in place of the document).
  Result<Download> download(const Entry& entry);

  std::uint64_t bytes() const { return bytes_; }  // received, of all downloads

 private:
  Request request_for(const Entry& entry, const std::optional<State>& have) const;

  Transport& transport_;
  const Mirror& mirror_;
  const Environment& environment_;
  DownloadRules rules_;
  Progress* progress_;
  std::uint64_t bytes_ = 0;
  bool asked_before_ = false;
};

}  // namespace tenken::fetch
