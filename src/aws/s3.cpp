#include "aws/s3.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"

namespace tenken::aws {
namespace {

constexpr unsigned attempts = 3;
constexpr std::size_t shown_bytes = 300;

using Kind = S3Fault::Kind;

// The text of the first element of that name, its five entities read. S3's answers are flat.
std::string element(std::string_view xml, std::string_view name) {
  const auto open = fmt::format("<{}>", name);
  const auto from = xml.find(open);
  if (from == std::string_view::npos) return {};
  xml.remove_prefix(from + open.size());
  const auto end = xml.find('<');
  if (end == std::string_view::npos) return {};
  constexpr std::pair<std::string_view, char> entities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string out;
  for (auto text = xml.substr(0, end); !text.empty();) {
    const auto* const entity = std::ranges::find_if(
        entities, [&](const auto& one) { return text.starts_with(one.first); });
    out += entity != std::end(entities) ? entity->second : text.front();
    text.remove_prefix(entity != std::end(entities) ? entity->first.size() : 1);
  }
  return out;
}

Kind kind_of(int status, std::string_view code, std::string_view message) {
  if (code == "NoSuchBucket") return Kind::no_bucket;
  if (code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed" ||
      code == "IllegalLocationConstraintException" || code == "TemporaryRedirect" ||
      (status >= 300 && status < 400))
    return Kind::other_region;
  if (code.starts_with("KMS.") || (code == "InvalidArgument" && message.contains("KMS")))
    return Kind::bad_key;
  if (status == 401 || status == 403) return Kind::denied;
  if (status == 404 && code != "NoSuchUpload") return Kind::no_bucket;
  if (status == 429 || status >= 500 || code == "RequestTimeout" || code == "SlowDown")
    return Kind::unavailable;
  return Kind::other;
}

S3Fault fault_of(const HttpAnswer& answer) {
  const auto code = element(answer.body, "Code");
  const auto message = element(answer.body, "Message");
  return {kind_of(answer.status, code, message),
          printable(fmt::format("S3 answers {} {}: {}", answer.status, code, message)
                        .substr(0, shown_bytes))};
}

S3Fault fault_of_file(const Error& error) {
  return {Kind::other, "The file to upload could not be read", error.what};
}

S3Fault fault_of(const Error& error) {
  return {
      error.code == Errc::denied || error.code == Errc::invalid ? Kind::other : Kind::unavailable,
      "The S3 server could not be reached", error.what};
}

std::string target_of(const S3Object& object, std::string_view query = {}) {
  auto out = fmt::format("/{}/{}", uri_encode(object.bucket, Slash::encode),
                         uri_encode(object.key, Slash::keep));
  if (!query.empty()) out += fmt::format("?{}", query);
  return out;
}

std::vector<Header> headers_of(const S3Object& object) {
  std::vector<Header> out;
  if (!object.content_type.empty()) out.emplace_back("content-type", object.content_type);
  if (!object.kms_key.empty()) {
    out.emplace_back("x-amz-server-side-encryption", "aws:kms");
    out.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", object.kms_key);
  }
  if (!object.owner.empty()) out.emplace_back("x-amz-expected-bucket-owner", object.owner);
  return out;
}

Result<std::string> read_part(int fd, std::uint64_t offset, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t at = 0; at < size;) {
    const auto got = ::pread(fd, out.data() + at, size - at, static_cast<off_t>(offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno(errno, "the file to upload");
    if (got == 0) return invalid("the file to upload became shorter");
    at += static_cast<std::size_t>(got);
  }
  return out;
}

std::string endpoint_of(const S3Options& options) {
  if (options.endpoint.empty()) return fmt::format("https://s3.{}.amazonaws.com", options.region);
  auto out = options.endpoint;
  while (out.ends_with('/')) out.pop_back();
  return out;
}

}  // namespace

S3Client::S3Client(S3Options options, HttpSender& sender)
    : options_(std::move(options)), sender_(sender) {
  options_.endpoint = endpoint_of(options_);
}

// send: what is not about S3: how long it may take.
S3Result<HttpAnswer> S3Client::call_once(const Request& request, HttpSend send) {
  const auto host = options_.endpoint.find("://");
  if (host == std::string::npos)
    return std::unexpected(S3Fault{Kind::other, "S3: the endpoint is no URL"});
  send.method = std::string(request.method);
  send.url = options_.endpoint + request.target;
  send.body = request.body;
  send.headers = request.headers;
  send.headers.emplace_back("host", options_.endpoint.substr(host + 3));
  const RequestHead head{
      .method = request.method, .target = request.target, .headers = send.headers};
  auto added = sign(head, payload_hash(request.body), options_.credentials, options_.region, "s3",
                    options_.clock());
  std::ranges::move(added, std::back_inserter(send.headers));
  auto answer = sender_.send(send);
  if (!answer) return std::unexpected(fault_of(answer.error()));
  // An upload may be refused after it was answered with 200.
  if (answer->status >= 300 || answer->body.contains("<Error>"))
    return std::unexpected(fault_of(*answer));
  return *std::move(answer);
}

S3Result<HttpAnswer> S3Client::call(const Request& request) {
  auto wait = std::chrono::milliseconds(options_.retry_wait_ms);
  for (unsigned attempt = 1;; ++attempt) {
    if (!options_.keep_going()) return std::unexpected(S3Fault{Kind::stopped, "stopped"});
    auto answer = call_once(request, {.method = {}, .url = {}, .keep_going = options_.keep_going});
    if (answer || answer.error().kind != Kind::unavailable || attempt == attempts) return answer;
    std::this_thread::sleep_for(wait);
    wait *= 2;
  }
}

S3Result<void> S3Client::put(const S3Object& object, std::string_view body) {
  const auto answer = call(
      {.method = "PUT", .target = target_of(object), .headers = headers_of(object), .body = body});
  if (!answer) return std::unexpected(answer.error());
  return {};
}

S3Result<std::string> S3Client::begin_upload(const S3Object& object) {
  const auto answer = call(
      {.method = "POST", .target = target_of(object, "uploads="), .headers = headers_of(object)});
  if (!answer) return std::unexpected(answer.error());
  auto upload = element(answer->body, "UploadId");
  if (upload.empty())
    return std::unexpected(S3Fault{Kind::other, "S3 answers no UploadId to CreateMultipartUpload"});
  return uri_encode(upload, Slash::encode);
}

S3Result<void> S3Client::upload_parts(const S3Object& object, const std::string& upload, int fd,
                                      std::uint64_t size) {
  std::string list = "<CompleteMultipartUpload>";
  std::uint64_t number = 1;
  for (std::uint64_t at = 0; at < size; at += part_bytes, ++number) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(part_bytes, size - at));
    const auto part = read_part(fd, at, length);
    if (!part) return std::unexpected(fault_of_file(part.error()));
    const auto query = fmt::format("partNumber={}&uploadId={}", number, upload);
    const auto answer = call({.method = "PUT", .target = target_of(object, query), .body = *part});
    if (!answer) return std::unexpected(answer.error());
    list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number,
                        answer->header("etag"));
  }
  list += "</CompleteMultipartUpload>";
  const auto answer = call({.method = "POST",
                            .target = target_of(object, fmt::format("uploadId={}", upload)),
                            .headers = {{"content-type", "application/xml"}},
                            .body = list});
  if (!answer) return std::unexpected(answer.error());
  return {};
}

S3Result<void> S3Client::put_file(const S3Object& object, int fd, std::uint64_t size) {
  if (size > part_bytes * most_parts)
    return std::unexpected(S3Fault{Kind::other, "S3: an object of more than 10,000 parts"});
  if (size <= part_bytes) {
    const auto body = read_part(fd, 0, static_cast<std::size_t>(size));
    if (!body) return std::unexpected(fault_of_file(body.error()));
    return put(object, *body);
  }
  const auto upload = begin_upload(object);
  if (!upload) return std::unexpected(upload.error());
  auto done = upload_parts(object, *upload, fd, size);
  if (!done) {
    // Parts of an upload that never ends are paid for. Who stops does not wait long for this, and
    // that it fails too changes nothing.
    const auto target = target_of(object, fmt::format("uploadId={}", *upload));
    const auto aborted =
        call_once({.method = "DELETE", .target = target},
                  {.method = {}, .url = {}, .connect_ms = 2'000, .total_seconds = 3});
    if (!aborted) done.error().message += "; the upload could not be aborted either";
  }
  return done;
}

}  // namespace tenken::aws
