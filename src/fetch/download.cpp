#include "fetch/download.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/archive.h"
#include "base/file.h"
#include "base/text.h"
#include "fetch/url.h"

namespace tenken::fetch {
namespace {

bool is_success(int status) {
  return status == 200 || status == 206 || status == 304;
}

Errc code_of_status(const RetryPolicy& policy, int status) {
  if (is_transient(policy, {.status = status})) return Errc::unavailable;
  if (status == 404 || status == 410) return Errc::not_found;
  if (status == 401 || status == 403 || status == 407) return Errc::denied;
  return Errc::invalid;
}

Error error_of(const RetryPolicy& policy, const Response& response) {
  auto what = response.retry_after.empty()
                  ? fmt::format("HTTP status {}", response.status)
                  : fmt::format("HTTP status {}, Retry-After: {}", response.status,
                                printable(response.retry_after));
  return {code_of_status(policy, response.status), std::move(what)};
}

// Whether a part with this state can be continued: only a validator that names exact bytes will do
// (RFC 9110 sections 8.8.1 and 13.1.5). A date is one if nothing was changed in that minute.
std::string range_validator(const State& part) {
  if (part.etag.starts_with('"')) return part.etag;
  const auto changed = parse_http_date(part.last_modified);
  return changed && *changed + 60 < part.fetched_at ? part.last_modified : "";
}

// A portal or proxy that answers everything with its own page must not replace yesterday's data.
Result<> refuse_web_page(const Entry& entry) {
  const auto path = split_once(entry.url, '?').first;
  if (path.ends_with('/') || path.ends_with(".html") || path.ends_with(".htm")) return {};
  TRY(const auto file, MappedFile::open(entry.part));
  const auto head = ascii_lower(trim(file.bytes().substr(0, 256)));
  if (head.starts_with("<!doctype html") || head.starts_with("<html"))
    return invalid("a web page came in place of the document");
  return {};
}

Result<Download> conclude(const RetryPolicy& policy, const Entry& entry, const Response& response,
                          PartFile& part, const std::optional<State>& have) {
  if (!is_success(response.status)) return error_of(policy, response);
  if (response.status == 304) {
    if (!have) return unavailable("HTTP status 304 for a document that is not at hand");
    return Download{.arrived = false, .state = *have};
  }
  TRY(auto state, part.finish());
  if (response.length && state.size != *response.length)
    return unavailable(fmt::format("{} of {} bytes", state.size, *response.length));
  TRY_VOID(refuse_web_page(entry));
  return Download{.arrived = true, .state = std::move(state)};
}

}  // namespace

Downloader::Downloader(Transport& transport, const Mirror& mirror, const Environment& environment,
                       DownloadRules rules, Progress* progress)
    : transport_(transport),
      mirror_(mirror),
      environment_(environment),
      rules_(std::move(rules)),
      progress_(progress) {
  while (rules_.base.ends_with('/')) rules_.base.pop_back();
}

Request Downloader::request_for(const Entry& entry, const std::optional<State>& have) const {
  const auto path = split_once(entry.url, '?').first;
  Request request{.url = entry.url,
                  .headers = rules_.headers,
                  .accept_gzip = !is_archive_name(path) && !is_compressed_name(path),
                  .limit_bytes = rules_.limit_bytes,
                  .timeouts = rules_.timeouts};
  if (!rules_.base.empty())
    request.url = fmt::format("{}/{}", rules_.base, entry.url.substr(entry.url.find("://") + 3));
  if (have) {
    request.etag = have->etag;
    request.last_modified = have->last_modified;
  }
  if (const auto part = mirror_.part_of(entry)) {
    request.if_range = range_validator(*part);
    // What lies there already may not be more than the limit either.
    if (!request.if_range.empty() && part->size < rules_.limit_bytes)
      request.resume_from = part->size;
  }
  return request;
}

Result<Download> Downloader::download(const Entry& entry) {
  const auto have = mirror_.state_of(entry);
  for (unsigned attempt = 1;; ++attempt) {
    if (asked_before_ && rules_.pause_ms > 0) environment_.sleep(rules_.pause_ms);
    asked_before_ = true;
    const auto now = environment_.now();
    const auto request = request_for(entry, have);
    PartFile part(mirror_, entry, now, progress_);
    const auto response = transport_.get(request, part);
    bytes_ += part.received();
    auto done = response ? conclude(rules_.retry, entry, *response, part, have)
                         : Result<Download>(response.error());
    if (done) return done;

    Failure failure{.error = done.error().code};
    if (response && !is_success(response->status))
      failure = {.status = response->status, .retry_after = response->retry_after};
    // The part is as long as the document or longer: start over.
    if (failure.status == 416 && request.resume_from > 0) {
      mirror_.discard_part(entry);
      continue;
    }
    if (!is_transient(rules_.retry, failure)) mirror_.discard_part(entry);
    const auto wait = retry_wait_ms(rules_.retry, attempt, failure, now, environment_.random());
    if (!wait) return std::move(done).within(fmt::format("attempt {}", attempt));
    environment_.sleep(*wait);
  }
}

}  // namespace tenken::fetch
