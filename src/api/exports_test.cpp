#include <algorithm>
#include <map>

#include "api/api_fixture.h"
#include "api/exports/worker.h"
#include "base/file.h"
#include "store/jobs.h"

namespace tenken::api {
namespace {

constexpr std::string_view report_request =
    R"({"reportFormat":"CSV","s3Destination":{"bucketName":"b","keyPrefix":"p",)"
    R"("kmsKeyArn":"arn:aws:kms:us-east-1:111122223333:key/k"}})";
constexpr std::string_view sbom_request =
    R"({"reportFormat":"CYCLONEDX_1_4","s3Destination":{"bucketName":"b",)"
    R"("kmsKeyArn":"arn:aws:kms:us-east-1:111122223333:key/k"},)"
    R"("resourceFilterCriteria":{"resourceId":[{"comparison":"NOT_EQUALS","value":"i-2"}]}})";

// A bucket in memory.
struct Bucket {
  std::map<std::string, std::string> objects;  // by URL
  HttpAnswer answer{.status = 200};
};
class BucketSender : public HttpSender {
 public:
  explicit BucketSender(Bucket& bucket) : bucket_(bucket) {}
  Result<HttpAnswer> send(const HttpSend& request) override {
    if (bucket_.answer.status == 200) bucket_.objects[request.url] = std::string(request.body);
    return bucket_.answer;
  }

 private:
  Bucket& bucket_;
};

class ExportsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    services_.exports = {.buckets = {{std::string(own_account), "b"}},
                         .directory = scratch_ / "exports"};
    use_advisories({{"CVE-2024-1", osv_advisory("CVE-2024-1", "flask", "3.0")},
                    {"CVE-2024-2", osv_advisory("CVE-2024-2", "django", "5.0")}});
    put_inventory("i-1", {{"flask", "1.0"}, {"django", "4.0"}}, {{"env", "prod"}});
    put_inventory("i-2", {{"flask", "2.0"}});
    evaluate();
  }

  exports::Worker worker() {
    return exports::Worker(
        {.pool = &*pool_,
         .name = "node-1/0",
         .region = "us-east-1",
         .s3_endpoint = "http://s3",
         .directory = services_.exports.directory,
         .work_directory = scratch_ / ".",
         .sender = [this]() -> Result<std::unique_ptr<HttpSender>> {
           return std::make_unique<BucketSender>(bucket_);
         },
         .credentials = [this] { return credentials(); },
         .clock = [this] { return clock_; },
         .stopping = nullptr,
         .log = [this](std::string_view name,
                       std::string_view cause) { log_ += fmt::format("{} {}\n", name, cause); }});
  }
  Result<aws::Credentials> credentials() const {
    if (!no_credentials_.empty()) return invalid(no_credentials_);
    return aws::Credentials{.access_key_id = "AKIA",
                            .secret = crypto::Secret(std::string_view("s")),
                            .session_token = {}};
  }
  void work() {
    const auto done = worker().work();
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(*done, 1U);
  }
  static std::string member(const std::string& document, std::string_view name) {
    json::Parser parser;
    const auto value = parser.parse(document);
    EXPECT_TRUE(value) << document;
    return value ? std::string((*value)[name].string()) : std::string();
  }
  std::string report_id(std::string_view operation, std::string_view request) {
    return member(answer(operation, request), "reportId");
  }

  // Asks for a report into the server's own directory, which takes no file.
  void ask_for_what_cannot_be_written() {
    ASSERT_TRUE(write_file_atomic(services_.exports.directory, "no directory"));
    auto connection = pool_->lease();
    auto transaction = sql::Transaction::begin(**connection, sql::Transaction::Mode::write).value();
    ASSERT_TRUE(store::add_export(**connection, {.account = std::string(own_account),
                                                 .id = "local",
                                                 .format = "CSV",
                                                 .local_name = "all.csv",
                                                 .created = clock_}));
    ASSERT_TRUE(transaction.commit());
  }
  std::string local_state() {
    auto connection = pool_->lease();
    const auto one = store::find_export(**connection, own_account, "local").value().value();
    return one.status == store::ExportStatus::in_progress ? "in progress" : one.error_message;
  }

  Bucket bucket_;
  std::string no_credentials_;  // why
  std::string log_;
};

TEST_F(ExportsTest, ReportGoesIntoTheBucketWithALineForEachActiveFinding) {
  const auto id = report_id("CreateFindingsReport", report_request);
  EXPECT_EQ(member(answer("GetFindingsReportStatus"), "status"), "IN_PROGRESS");
  work();
  const auto status = answer("GetFindingsReportStatus", fmt::format(R"({{"reportId":"{}"}})", id));
  EXPECT_EQ(member(status, "status"), "SUCCEEDED") << status;
  ASSERT_EQ(bucket_.objects.size(), 1U);
  const auto& [url, body] = *bucket_.objects.begin();
  EXPECT_EQ(url, fmt::format("http://s3/b/p/{}.csv", id));
  EXPECT_EQ(std::ranges::count(body, '\n'), 4);
  EXPECT_TRUE(body.contains("CVE-2024-2"));
  EXPECT_TRUE(body.contains("env:prod"));
}

TEST_F(ExportsTest, JsonReportHasTheDocumentsOfTheModel) {
  answer("CreateFindingsReport",
         R"({"reportFormat":"JSON","filterCriteria":{"resourceId":[{"comparison":"EQUALS",)"
         R"("value":"i-1"}]},"s3Destination":{"bucketName":"b","kmsKeyArn":"arn:aws:kms:x"}})");
  work();
  ASSERT_EQ(bucket_.objects.size(), 1U);
  const auto& body = bucket_.objects.begin()->second;
  json::Parser parser;
  const auto document = parser.parse(body);
  ASSERT_TRUE(document) << body;
  EXPECT_EQ((*document)["findings"].size(), 2U);
  for (const auto& error :
       check_output(*model("ListFindings").operation("ListFindings"), *document))
    ADD_FAILURE() << error.name << ": " << error.message;
}

TEST_F(ExportsTest, OneReportAtATime) {
  answer("CreateFindingsReport", report_request);
  EXPECT_EQ(refusal("CreateFindingsReport", report_request),
            "ValidationException: Cannot have multiple reports in-progress");
  answer("CreateSbomExport", sbom_request);  // of another kind
  work();
  work();
  answer("CreateFindingsReport", report_request);
}

TEST_F(ExportsTest, OnlyBucketsTheOperatorNamedForTheAccount) {
  services_.exports.buckets = {{std::string(second_account), "b"}};
  EXPECT_TRUE(refusal("CreateFindingsReport", report_request).starts_with("AccessDenied"));
  EXPECT_TRUE(refusal("CreateSbomExport", sbom_request).starts_with("AccessDenied"));
  become(own_account, access::Role::viewer);
  EXPECT_TRUE(refusal("CreateFindingsReport", report_request).starts_with("AccessDenied"));
}

TEST_F(ExportsTest, AnotherAccountsReportIsNotThere) {
  const auto id = report_id("CreateFindingsReport", report_request);
  const auto request = fmt::format(R"({{"reportId":"{}"}})", id);
  become(second_account);
  EXPECT_TRUE(refusal("GetFindingsReportStatus", request).starts_with("ResourceNotFound"));
  EXPECT_TRUE(refusal("CancelFindingsReport", request).starts_with("ResourceNotFound"));
  EXPECT_TRUE(refusal("GetFindingsReportStatus").starts_with("ResourceNotFound"));
  EXPECT_TRUE(refusal("GetSbomExport", request).starts_with("ResourceNotFound"));
}

TEST_F(ExportsTest, CancelledReportIsNotWritten) {
  const auto id = report_id("CreateFindingsReport", report_request);
  const auto request = fmt::format(R"({{"reportId":"{}"}})", id);
  answer("CancelFindingsReport", request);
  work();
  EXPECT_TRUE(bucket_.objects.empty());
  EXPECT_EQ(member(answer("GetFindingsReportStatus"), "status"), "CANCELLED");
  EXPECT_TRUE(refusal("CancelFindingsReport", request).starts_with("ValidationException"));
  EXPECT_EQ(*worker().work(), 0U);
}

TEST_F(ExportsTest, RefusalsOfTheBucketAreTold) {
  const auto code_after = [&](int status, std::string_view code) {
    bucket_.answer = {.status = status,
                      .headers = {},
                      .body = fmt::format("<Error><Code>{}</Code></Error>", code)};
    answer("CreateFindingsReport", report_request);
    work();
    return member(answer("GetFindingsReportStatus"), "errorCode");
  };
  EXPECT_EQ(code_after(404, "NoSuchBucket"), "BUCKET_NOT_FOUND");
  clock_ += 1;
  EXPECT_EQ(code_after(403, "AccessDenied"), "INVALID_PERMISSIONS");
  clock_ += 1;
  EXPECT_EQ(code_after(301, "PermanentRedirect"), "INCOMPATIBLE_BUCKET_REGION");
}

TEST_F(ExportsTest, NothingToWriteIsSaid) {
  answer("CreateFindingsReport",
         R"({"reportFormat":"CSV","filterCriteria":{"resourceId":[{"comparison":"EQUALS",)"
         R"("value":"i-9"}]},"s3Destination":{"bucketName":"b","kmsKeyArn":"arn:aws:kms:x"}})");
  work();
  EXPECT_EQ(member(answer("GetFindingsReportStatus"), "errorCode"), "NO_FINDINGS_FOUND");
  EXPECT_TRUE(bucket_.objects.empty());
}

TEST_F(ExportsTest, MalformedKeyIsToldBeforeAnythingIsSent) {
  answer("CreateFindingsReport",
         R"({"reportFormat":"CSV","s3Destination":{"bucketName":"b","kmsKeyArn":"my-key"}})");
  work();
  EXPECT_EQ(member(answer("GetFindingsReportStatus"), "errorCode"), "MALFORMED_KMS_KEY");
}

TEST_F(ExportsTest, KilledNodesReportIsTakenOver) {
  answer("CreateFindingsReport", report_request);
  {
    auto connection = pool_->lease();
    ASSERT_EQ(store::lease(**connection, "export", "killed", clock_, 60, 1)->size(), 1U);
  }
  EXPECT_EQ(*worker().work(), 0U);
  clock_ += 61;
  work();
  EXPECT_EQ(member(answer("GetFindingsReportStatus"), "status"), "SUCCEEDED");
}

TEST_F(ExportsTest, AnExportHasFailedTwelveHoursAfterItBegan) {
  ask_for_what_cannot_be_written();
  clock_ += 24 * 3600;  // it waited for its turn
  work();
  EXPECT_EQ(local_state(), "in progress");
  clock_ += 12 * 3600;
  work();
  EXPECT_EQ(local_state(), "in progress");
  clock_ += 60;
  work();
  EXPECT_EQ(local_state(), "The export took longer than 12 hours");
}

TEST_F(ExportsTest, AReportThatWaitedForItsTurnIsWritten) {
  answer("CreateFindingsReport", report_request);
  clock_ += 24 * 3600;
  work();
  EXPECT_EQ(member(answer("GetFindingsReportStatus"), "status"), "SUCCEEDED");
}

TEST_F(ExportsTest, AWorkerLeavesAnothersExportAlone) {
  answer("CreateFindingsReport", report_request);
  {
    auto connection = pool_->lease();
    ASSERT_EQ(store::lease(**connection, "export", "node-1/1", clock_, 60, 1)->size(), 1U);
  }
  EXPECT_EQ(*worker().work(), 0U);
}

TEST_F(ExportsTest, WhatTheServerSaysOfItselfIsForItsLogAlone) {
  const auto message_after_work = [this] {
    work();
    return member(answer("GetFindingsReportStatus"), "errorMessage");
  };
  no_credentials_ = "/home/tenken/.aws/credentials: line 3";
  answer("CreateFindingsReport", report_request);
  EXPECT_EQ(message_after_work(), "The server has no AWS credentials of its own");
  EXPECT_TRUE(log_.ends_with(" /home/tenken/.aws/credentials: line 3\n")) << log_;
  EXPECT_TRUE(log_.starts_with(own_account)) << log_;

  log_.clear();
  clock_ += 1;
  ask_for_what_cannot_be_written();
  for (int i = 0; i < 5; ++i, clock_ += 60) work();
  EXPECT_EQ(local_state(), "An internal error occurred");
  EXPECT_EQ(std::ranges::count(log_, '\n'), 5) << log_;
  EXPECT_TRUE(log_.contains(services_.exports.directory)) << log_;
}

TEST_F(ExportsTest, SbomOfEachResourceThatMeetsTheCriteria) {
  const auto id = report_id("CreateSbomExport", sbom_request);
  work();
  EXPECT_EQ(member(answer("GetSbomExport", fmt::format(R"({{"reportId":"{}"}})", id)), "status"),
            "SUCCEEDED");
  ASSERT_EQ(bucket_.objects.size(), 1U);
  const auto& [url, body] = *bucket_.objects.begin();
  EXPECT_EQ(url, fmt::format("http://s3/b/CYCLONEDX_1_4_outputs_{}/account%3D111122223333/"
                             "resource%3DAWS_EC2_INSTANCE/i-1.json",
                             id));
  json::Parser parser;
  const auto document = parser.parse(body);
  ASSERT_TRUE(document) << body;
  EXPECT_EQ((*document)["specVersion"].string(), "1.4");
  EXPECT_EQ((*document)["components"].size(), 2U);
  EXPECT_EQ((*document)["vulnerabilities"].size(), 2U);
}

TEST_F(ExportsTest, SbomSaysWhichImageAndArchitecture) {
  HostFacts facts{.architecture = "aarch64"};
  facts.cloud.image = "ami-0123456789abcdef0";
  put_report({.external_id = "i-3"}, test::python_host({{"flask", "1.0"}}), facts);
  Inventory image;
  image.target = Inventory::Target::host;
  image.databases_read = 1;
  for (const auto* arch : {"all", "all", "arm64"})
    image.packages.push_back({.ecosystem = "Debian",
                              .release = "12",
                              .kind = "deb",
                              .name = fmt::format("p{}", image.packages.size()),
                              .version = "1",
                              .arch = arch});
  const auto hash = "sha256:" + std::string(64, 'a');
  put_report({.external_id = "zeta/app@" + hash, .type = "AWS_ECR_CONTAINER_IMAGE"},
             std::move(image));
  const auto exported = [&](std::string_view format, std::string_view field,
                            std::string_view value) {
    bucket_.objects.clear();
    answer("CreateSbomExport",
           fmt::format(R"({{"reportFormat":"{}","s3Destination":{{"bucketName":"b",)"
                       R"("kmsKeyArn":"arn:aws:kms:us-east-1:111122223333:key/k"}},)"
                       R"("resourceFilterCriteria":{{"{}":[{{"comparison":"EQUALS",)"
                       R"("value":"{}"}}]}}}})",
                       format, field, value));
    work();
    EXPECT_EQ(bucket_.objects.size(), 1U) << field;
    return bucket_.objects.empty() ? std::string() : bucket_.objects.begin()->second;
  };
  const auto property = [](const std::string& body, std::string_view name) {
    std::string out;
    json::Parser parser;
    const auto document = parser.parse(body);
    EXPECT_TRUE(document) << body;
    if (document)
      (*document)["metadata"]["properties"].for_each([&](json::Value one) {
        if (one["name"].string() == name) out += one["value"].string();
      });
    return out;
  };
  const auto host = exported("CYCLONEDX_1_4", "resourceId", "i-3");
  EXPECT_EQ(property(host, "imageId"), "ami-0123456789abcdef0");
  EXPECT_EQ(property(host, "architecture"), "aarch64");
  EXPECT_EQ(property(host, "accountId"), own_account);
  EXPECT_EQ(member(exported("SPDX_2_3", "resourceId", "i-3"), "name"),
            "111122223333/EC2/i-3/ami-0123456789abcdef0");
  EXPECT_EQ(member(exported("SPDX_2_3", "resourceId", "i-1"), "name"), "111122223333/EC2/i-1");
  const auto app = exported("CYCLONEDX_1_4", "ecrRepositoryName", "zeta/app");
  EXPECT_EQ(property(app, "imageId"), hash);
  EXPECT_EQ(property(app, "architecture"), "arm64");
  EXPECT_EQ(property(app, "resourceId"), "zeta/app@" + hash);
}

}  // namespace
}  // namespace tenken::api
