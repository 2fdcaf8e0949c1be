#include "aws/s3.h"

#include <cstdio>
#include <deque>
#include <memory>

#include <gtest/gtest.h>

#include "base/file.h"

namespace tenken::aws {
namespace {

using Kind = S3Fault::Kind;

// Answers what it was told to and keeps what it was sent.
class RecordedSender : public HttpSender {
 public:
  struct Sent {
    std::string method;
    std::string url;
    std::vector<Header> headers;
    std::string body;
    std::string header(std::string_view name) const {
      for (const auto& [key, value] : headers)
        if (key == name) return value;
      return {};
    }
  };
  Result<HttpAnswer> send(const HttpSend& request) override {
    sent.push_back({request.method, request.url, request.headers, std::string(request.body)});
    if (answers.empty()) return HttpAnswer{.status = 200};
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  std::deque<Result<HttpAnswer>> answers;
  std::vector<Sent> sent;
};

S3Client client(
    RecordedSender& sender, std::string endpoint = "http://127.0.0.1:5000/",
    std::function<bool()> keep_going = [] { return true; }) {
  return {{.endpoint = std::move(endpoint),
           .region = "us-east-1",
           .credentials = {.access_key_id = "AKIAEXAMPLE",
                           .secret = crypto::Secret(std::string_view("secret")),
                           .session_token = {}},
           .clock = [] { return Seconds{1'729'516'502}; },
           .retry_wait_ms = 0,
           .keep_going = std::move(keep_going)},
          sender};
}

const S3Object object{.bucket = "reports",
                      .key = "2024/a b.csv",
                      .content_type = "text/csv",
                      .kms_key = "arn:aws:kms:us-east-1:111122223333:key/k",
                      .owner = "111122223333"};

HttpAnswer refused(int status, std::string_view code, std::string_view message = "m") {
  return {.status = status,
          .headers = {},
          .body = "<?xml version=\"1.0\"?><Error><Code>" + std::string(code) + "</Code><Message>" +
                  std::string(message) + "</Message></Error>"};
}

Kind kind_after(const HttpAnswer& answer) {
  RecordedSender sender;
  for (int i = 0; i < 3; ++i) sender.answers.emplace_back(answer);
  return client(sender).put(object, "x").error().kind;
}

TEST(S3, ObjectIsPutByPathEncryptedAndSignedForItsHost) {
  RecordedSender sender;
  ASSERT_TRUE(client(sender).put(object, "body"));
  ASSERT_EQ(sender.sent.size(), 1U);
  const auto& sent = sender.sent[0];
  EXPECT_EQ(sent.method, "PUT");
  EXPECT_EQ(sent.url, "http://127.0.0.1:5000/reports/2024/a%20b.csv");
  EXPECT_EQ(sent.header("host"), "127.0.0.1:5000");
  EXPECT_EQ(sent.header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(sent.header("x-amz-server-side-encryption-aws-kms-key-id"), object.kms_key);
  EXPECT_EQ(sent.header("x-amz-expected-bucket-owner"), object.owner);

  std::vector<Header> head(sent.headers);
  const RequestHead request{.method = "PUT", .target = "/reports/2024/a%20b.csv", .headers = head};
  const auto claim = read_claim(request);
  ASSERT_TRUE(claim);
  constexpr std::string_view services[] = {"s3"};
  SigningKeys keys;
  EXPECT_TRUE(verify(*claim, request, "body", crypto::Secret(std::string_view("secret")),
                     {.services = services}, keys, 1'729'516'502));
}

TEST(S3, WithoutEndpointAmazonsOfTheRegionIsMeant) {
  RecordedSender sender;
  ASSERT_TRUE(client(sender, "").put(object, "body"));
  EXPECT_TRUE(sender.sent[0].url.starts_with("https://s3.us-east-1.amazonaws.com/reports/"));
}

TEST(S3, RefusalsAreToldApart) {
  EXPECT_EQ(kind_after(refused(404, "NoSuchBucket")), Kind::no_bucket);
  EXPECT_EQ(kind_after(refused(403, "AccessDenied")), Kind::denied);
  EXPECT_EQ(kind_after(refused(403, "InvalidAccessKeyId")), Kind::denied);
  EXPECT_EQ(kind_after(refused(301, "PermanentRedirect")), Kind::other_region);
  EXPECT_EQ(kind_after(refused(400, "AuthorizationHeaderMalformed")), Kind::other_region);
  EXPECT_EQ(kind_after(refused(400, "KMS.NotFoundException")), Kind::bad_key);
  EXPECT_EQ(kind_after(refused(400, "InvalidArgument", "Invalid KMS keyId")), Kind::bad_key);
  EXPECT_EQ(kind_after(refused(503, "SlowDown")), Kind::unavailable);
  EXPECT_EQ(kind_after(refused(400, "EntityTooLarge")), Kind::other);
  EXPECT_EQ(kind_after(refused(200, "InternalError")), Kind::other);
}

TEST(S3, WhatMayPassIsTriedAgain) {
  RecordedSender sender;
  sender.answers.emplace_back(tenken::unavailable("connection refused"));
  sender.answers.emplace_back(refused(503, "SlowDown"));
  EXPECT_TRUE(client(sender).put(object, "x"));
  EXPECT_EQ(sender.sent.size(), 3U);
}

TEST(S3, WhyItCannotBeReachedIsTheOperatorsAlone) {
  RecordedSender sender;
  for (int i = 0; i < 3; ++i)
    sender.answers.emplace_back(tenken::unavailable("s3.intern:9000 refused"));
  const auto fault = client(sender).put(object, "x").error();
  EXPECT_EQ(fault.message, "The S3 server could not be reached");
  EXPECT_EQ(fault.cause, "s3.intern:9000 refused");
}

TEST(S3, TextsOfTheServerAreMadePrintable) {
  RecordedSender sender;
  sender.answers.emplace_back(refused(400, "Bad", "a\x1b[31m &lt;b&gt; &amp;amp;"));
  EXPECT_EQ(client(sender).put(object, "x").error().message,
            "S3 answers 400 Bad: a\\x1b[31m <b> &amp;");
}

struct OpenFile {
  std::FILE* file = std::tmpfile();
  ~OpenFile() { std::fclose(file); }
};

TEST(S3, LargeFileGoesUpInParts) {
  OpenFile large;
  const auto size = S3Client::part_bytes + 5;
  ASSERT_TRUE(write_fd(::fileno(large.file), std::string(size, 'a'), "large"));
  RecordedSender sender;
  sender.answers.emplace_back(
      HttpAnswer{.status = 200, .headers = {}, .body = "<R><UploadId>u/1</UploadId></R>"});
  sender.answers.emplace_back(HttpAnswer{.status = 200, .headers = {{"etag", "\"e1\""}}});
  sender.answers.emplace_back(HttpAnswer{.status = 200, .headers = {{"etag", "\"e2\""}}});
  ASSERT_TRUE(client(sender).put_file(object, ::fileno(large.file), size));
  ASSERT_EQ(sender.sent.size(), 4U);
  EXPECT_TRUE(sender.sent[0].url.ends_with("?uploads="));
  EXPECT_EQ(sender.sent[0].header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_TRUE(sender.sent[2].url.ends_with("?partNumber=2&uploadId=u%2F1"));
  EXPECT_EQ(sender.sent[1].body.size() + sender.sent[2].body.size(), size);
  EXPECT_TRUE(sender.sent[3].body.contains("<PartNumber>2</PartNumber><ETag>\"e2\"</ETag>"));
}

TEST(S3, StoppedUploadIsAborted) {
  OpenFile large;
  const auto size = 2 * S3Client::part_bytes;
  ASSERT_TRUE(write_fd(::fileno(large.file), std::string(size, 'a'), "large"));
  RecordedSender sender;
  sender.answers.emplace_back(
      HttpAnswer{.status = 200, .headers = {}, .body = "<R><UploadId>u</UploadId></R>"});
  int asked = 0;
  auto stopping = client(sender, "http://s3", [&] { return ++asked < 3; });
  const auto done = stopping.put_file(object, ::fileno(large.file), size);
  EXPECT_EQ(done.error().kind, Kind::stopped);
  EXPECT_EQ(sender.sent.back().method, "DELETE");
  EXPECT_TRUE(sender.sent.back().url.ends_with("?uploadId=u"));
}

}  // namespace
}  // namespace tenken::aws
