#include "fetch/http.h"

#include <fmt/format.h>

#include "base/text.h"
#include "fetch/curl_library.h"

namespace tenken::fetch {
namespace {

constexpr long max_redirects = 5;

// One exchange as libcurl's callbacks see it.
struct Exchange {
  const Request& request;
  Body& body;
  Response response = {};
  std::string content_range = {};
  bool begun = false;
  Result<> fault = {};  // why a callback stopped the transfer

  bool has_body() const { return response.status == 200 || response.status == 206; }
  Result<> begin();
  Result<> write(std::string_view bytes);
  void header(std::string_view line);
};

Result<> Exchange::begin() {
  if (begun) return {};
  begun = true;
  const auto asked = fmt::format("bytes {}-", request.resume_from);
  if (response.status == 206 && (request.resume_from == 0 || !content_range.starts_with(asked)))
    return invalid(fmt::format("asked for bytes from {}, got \"{}\"", request.resume_from,
                               printable(content_range)));
  if (response.coded) response.length.reset();
  if (response.length && response.status == 206) *response.length += request.resume_from;
  return body.begin(response);
}

Result<> Exchange::write(std::string_view bytes) {
  if (!has_body()) return {};
  TRY_VOID(begin());
  const auto before = response.status == 206 ? request.resume_from : 0;
  if (before + response.bytes + bytes.size() > request.limit_bytes)
    return limit_exceeded(fmt::format("more than {} bytes", request.limit_bytes));
  response.bytes += bytes.size();
  return body.write(bytes);
}

void Exchange::header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // each answer on the way begins anew: 100, redirects
    response = {};
    content_range.clear();
    const auto code = split_once(trim(line), ' ').second.value_or("").substr(0, 3);
    response.status = static_cast<int>(parse_uint(code).value_or(0));
    return;
  }
  const auto [name_text, value_text] = split_once(line, ':');
  if (!value_text) return;
  const auto name = ascii_lower(name_text);
  const auto value = std::string(trim(*value_text));
  if (name == "etag") response.etag = value;
  if (name == "last-modified") response.last_modified = value;
  if (name == "retry-after") response.retry_after = value;
  if (name == "content-length") response.length = parse_uint(value);
  if (name == "content-range") content_range = value;
  if (name == "content-encoding") response.coded = ascii_lower(value) != "identity";
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  static_cast<Exchange*>(user)->header({data, size * count});
  return size * count;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.fault = exchange.write({data, size * count});
  return exchange.fault ? size * count : CURL_WRITEFUNC_ERROR;
}

class HttpClient final : public Transport {
 public:
  HttpClient(const Curl& curl, CURL* handle, std::string user_agent)
      : handle_(curl, handle), user_agent_(std::move(user_agent)) {}

  Result<Response> get(const Request& request, Body& body) override;

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    handle_.set(option, value);
  }
  void set_policy(const Request& request);
  curl_slist* headers_of(const Request& request) const;

  CurlHandle handle_;
  std::string user_agent_;
};

void HttpClient::set_policy(const Request& request) {
  const bool secure = ascii_lower(request.url).starts_with("https:");
  // The options by number of older releases: their successors by name are missing before 7.85.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  set(CURLOPT_REDIR_PROTOCOLS,
      static_cast<long>(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma clang diagnostic pop
  set(CURLOPT_FOLLOWLOCATION, request.headers.empty() ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, max_redirects);
  handle_.set_verification();
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect_ms));
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(request.timeouts.low_speed_bytes_per_second));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.timeouts.low_speed_seconds));
  set(CURLOPT_TIMEOUT, static_cast<long>(request.timeouts.total_seconds));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.limit_bytes));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

curl_slist* HttpClient::headers_of(const Request& request) const {
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    if (auto* longer = handle_.curl().list_append(list, line.c_str())) list = longer;
  };
  for (const auto& header : request.headers) add(header);
  if (!request.etag.empty()) add("If-None-Match: " + request.etag);
  if (!request.last_modified.empty()) add("If-Modified-Since: " + request.last_modified);
  if (request.resume_from > 0) add("If-Range: " + request.if_range);
  return list;
}

Result<Response> HttpClient::get(const Request& request, Body& body) {
  Exchange exchange{.request = request, .body = body};
  handle_.reset();
  const auto range = fmt::format("{}-", request.resume_from);
  curl_slist* headers = headers_of(request);

  set_policy(request);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_USERAGENT, user_agent_.c_str());
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &exchange);
  // A range counts the bytes of the coded form, so a continued transfer asks for the plain one.
  if (request.resume_from > 0) set(CURLOPT_RANGE, range.c_str());
  if (request.accept_gzip && request.resume_from == 0) set(CURLOPT_ACCEPT_ENCODING, "gzip");

  const auto code = handle_.perform();
  handle_.curl().list_free(headers);
  if (!exchange.fault) return std::move(exchange.fault).error();
  if (code != CURLE_OK) return handle_.error(code);
  if (exchange.has_body()) TRY_VOID(exchange.begin());
  return std::move(exchange.response);
}

}  // namespace

Result<std::unique_ptr<Transport>> http_client(std::string user_agent) {
  const auto& curl = curl_library();
  if (!curl) return curl.error();
  CURL* handle = curl->easy_init();
  if (handle == nullptr) return unavailable("libcurl gives no handle");
  return std::make_unique<HttpClient>(*curl, handle, std::move(user_agent));
}

}  // namespace tenken::fetch
