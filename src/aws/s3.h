// S3Client: objects put into a bucket of Amazon S3 or of any server that speaks its protocol,
// signed by Signature Version 4, encrypted by a key of KMS. Larger objects go up in parts, so that
// memory is bounded by one part.
//
// Source: Amazon S3 API Reference, PutObject, CreateMultipartUpload, UploadPart,
// CompleteMultipartUpload, AbortMultipartUpload, Error responses. Buckets are addressed by path
// (https://host/bucket/key), which every such server understands.
//
// A request that failed for a cause that may pass (connection, 429, 5xx) is tried 3 times.
// Bounds: part_bytes and most_parts: 156 GiB an object.
// Thread rule: one client per thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "base/http_sender.h"
#include "base/result.h"
#include "base/time.h"

namespace tenken::aws {

// Why an object could not be put.
struct S3Fault {
  enum class Kind : std::uint8_t {
    no_bucket,
    denied,        // credentials or the bucket's policy
    other_region,  // than the one that was signed for
    bad_key,       // the key of KMS: malformed, unknown, disabled
    unavailable,   // may work later
    stopped,       // keep_going said so
    other,
  };
  Kind kind = Kind::other;
  std::string message;     // printable: the server's words, or ours without a name of this side
  std::string cause = {};  // for the operator's log alone; empty where message says all
};
template <typename T>
using S3Result = std::expected<T, S3Fault>;

struct S3Object {
  std::string bucket;
  std::string key;
  std::string content_type;
  std::string kms_key;  // ARN; empty: the bucket's default encryption
  std::string owner;    // account that the bucket must belong to; empty: any
};

struct S3Options {
  std::string endpoint;  // "https://minio.example:9000"; empty: Amazon's of the region
  std::string region;
  Credentials credentials;
  std::function<Seconds()> clock = &tenken::now;
  std::uint32_t retry_wait_ms = 500;  // doubles with each attempt
  // Asked about once a second and before each request; once it says false nothing goes on, and
  // nothing of an object that went up in parts remains.
  std::function<bool()> keep_going = [] { return true; };
};

class S3Client {
 public:
  static constexpr std::size_t part_bytes = std::size_t{16} << 20;
  static constexpr std::uint64_t most_parts = 10'000;

  // The sender outlives the client.
  S3Client(S3Options options, HttpSender& sender);

  S3Result<void> put(const S3Object& object, std::string_view body);
  // The first `size` bytes of a file.
  S3Result<void> put_file(const S3Object& object, int fd, std::uint64_t size);

 private:
  struct Request {
    std::string_view method;
    std::string target;
    std::vector<Header> headers = {};
    std::string_view body = {};
  };
  S3Result<HttpAnswer> call(const Request& request);
  S3Result<HttpAnswer> call_once(const Request& request, HttpSend send);
  S3Result<std::string> begin_upload(const S3Object& object);
  S3Result<void> upload_parts(const S3Object& object, const std::string& upload, int fd,
                              std::uint64_t size);

  S3Options options_;
  HttpSender& sender_;
};

}  // namespace tenken::aws
