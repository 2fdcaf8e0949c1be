#include "fetch/http_sender.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"
#include "fetch/curl_library.h"

namespace tenken::fetch {
namespace {

// A transfer that stays below a byte rate for so long has failed.
constexpr long low_speed_bytes_per_second = 1'000;
constexpr long low_speed_seconds = 30;
constexpr std::size_t header_limit = 200;

// One exchange as libcurl's callbacks see it.
struct Exchange {
  std::size_t limit = 0;
  HttpAnswer answer = {};
  bool too_long = false;

  void header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // each answer on the way begins anew: 100
      answer = {};
      const auto code = split_once(trim(line), ' ').second.value_or("").substr(0, 3);
      answer.status = static_cast<int>(parse_uint(code).value_or(0));
      return;
    }
    const auto [name, value] = split_once(line, ':');
    if (value && answer.headers.size() < header_limit)
      answer.headers.emplace_back(ascii_lower(trim(name)), trim(*value));
  }
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  static_cast<Exchange*>(user)->header({data, size * count});
  return size * count;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.too_long = exchange.answer.body.size() + size * count > exchange.limit;
  if (exchange.too_long) return CURL_WRITEFUNC_ERROR;
  exchange.answer.body.append(data, size * count);
  return size * count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(user))() ? 0 : 1;
}

class CurlSender final : public HttpSender {
 public:
  CurlSender(const Curl& curl, CURL* handle, std::string user_agent, std::string ca_file)
      : handle_(curl, handle), user_agent_(std::move(user_agent)), ca_file_(std::move(ca_file)) {}

  Result<HttpAnswer> send(const HttpSend& request) override;

 private:
  curl_slist* headers_of(const HttpSend& request) const;
  void set_request(const HttpSend& request, curl_slist* headers);

  CurlHandle handle_;
  std::string user_agent_;
  std::string ca_file_;
};

curl_slist* CurlSender::headers_of(const HttpSend& request) const {
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    if (auto* longer = handle_.curl().list_append(list, line.c_str())) list = longer;
  };
  for (const auto& [name, value] : request.headers) add(fmt::format("{}: {}", name, value));
  const bool typed = std::ranges::any_of(request.headers, [](const auto& header) {
    return equal_ignoring_case(header.first, "content-type");
  });
  // Without these libcurl adds a type of its own, and waits before it sends a large body.
  if (!typed) add("Content-Type:");
  add("Expect:");
  return list;
}

void CurlSender::set_request(const HttpSend& request, curl_slist* headers) {
#pragma clang diagnostic push
#pragma clang diagnostic ignored \
    "-Wdeprecated-declarations"  // its successor is missing before 7.85
  handle_.set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma clang diagnostic pop
  handle_.set(CURLOPT_URL, request.url.c_str());
  handle_.set(CURLOPT_PATH_AS_IS, 1L);  // what was signed
  handle_.set(CURLOPT_FOLLOWLOCATION, 0L);
  handle_.set(CURLOPT_USERAGENT, user_agent_.c_str());
  handle_.set(CURLOPT_HTTPHEADER, headers);
  handle_.set_verification();
  if (!ca_file_.empty()) {
    handle_.set(CURLOPT_CAINFO, ca_file_.c_str());
    handle_.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  handle_.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_ms));
  handle_.set(CURLOPT_LOW_SPEED_LIMIT, low_speed_bytes_per_second);
  handle_.set(CURLOPT_LOW_SPEED_TIME, low_speed_seconds);
  handle_.set(CURLOPT_TIMEOUT, static_cast<long>(request.total_seconds));
  handle_.set(CURLOPT_NOSIGNAL, 1L);
  handle_.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (request.method == "HEAD") {
    handle_.set(CURLOPT_NOBODY, 1L);
    return;
  }
  handle_.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "GET" || (request.method == "DELETE" && request.body.empty())) return;
  handle_.set(CURLOPT_POST, 1L);
  handle_.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  handle_.set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
}

Result<HttpAnswer> CurlSender::send(const HttpSend& request) {
  Exchange exchange{.limit = request.answer_limit_bytes};
  handle_.reset();
  curl_slist* headers = headers_of(request);
  set_request(request, headers);
  handle_.set(CURLOPT_HEADERFUNCTION, &on_header);
  handle_.set(CURLOPT_HEADERDATA, &exchange);
  handle_.set(CURLOPT_WRITEFUNCTION, &on_body);
  handle_.set(CURLOPT_WRITEDATA, &exchange);
  if (request.keep_going) {
    handle_.set(CURLOPT_XFERINFOFUNCTION, &on_progress);
    handle_.set(CURLOPT_XFERINFODATA, &request.keep_going);
    handle_.set(CURLOPT_NOPROGRESS, 0L);
  }
  const auto code = handle_.perform();
  handle_.curl().list_free(headers);
  if (exchange.too_long)
    return limit_exceeded(fmt::format("an answer of more than {} bytes", exchange.limit));
  if (code != CURLE_OK) return handle_.error(code);
  return std::move(exchange.answer);
}

}  // namespace

Result<std::unique_ptr<HttpSender>> http_sender(std::string user_agent, std::string ca_file) {
  const auto& curl = curl_library();
  if (!curl) return curl.error();
  CURL* handle = curl->easy_init();
  if (handle == nullptr) return unavailable("libcurl gives no handle");
  return std::make_unique<CurlSender>(*curl, handle, std::move(user_agent), std::move(ca_file));
}

}  // namespace tenken::fetch
