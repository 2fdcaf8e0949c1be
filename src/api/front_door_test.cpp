#include "api/front_door.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/audit.h"
#include "base/text.h"
#include "pipeline/ingest.h"
#include "pipeline/scan.h"
#include "store/schema.h"
#include "support/access_case.h"
#include "support/advisory_case.h"
#include "support/scratch.h"

namespace tenken::api {
namespace {

// The door over the case's store, in which the tables of src/access are. What it logs is kept.
class FrontDoorTest : public access::AccessTest {
 protected:
  void SetUp() override {
    access::AccessTest::SetUp();
    if (IsSkipped()) return;
    pool_.emplace(location(), 2);
    keys_.emplace(*pool_, master_);
    ingest_.emplace(*pool_, [] {});
    door_.emplace(Services{.pool = &*pool_,
                           .ingest = &*ingest_,
                           .generation = [this] { return generation_; },
                           .wake = [] {},
                           .clock = [this] { return clock_; },
                           .region = "us-east-1"},
                  *keys_, [this](std::string_view id, const Error& error) {
                    logged_.push_back(fmt::format("{} {}", id, error.what));
                  });
  }

  http::Request signed_request(const access::NewKey& key, std::string method, std::string target,
                               std::string_view service = "inspector2", std::string body = {}) {
    http::Request out{.method = std::move(method),
                      .target = std::move(target),
                      .body = std::move(body),
                      .id = "r-1"};
    out.headers.set("host", "localhost");
    const aws::RequestHead head{
        .method = out.method, .target = out.target, .headers = out.headers.all};
    const aws::Credentials credentials{.access_key_id = key.access_key_id,
                                       .secret = crypto::Secret(key.secret.reveal())};
    for (auto& [name, value] : aws::sign(head, aws::payload_hash(out.body), credentials,
                                         "us-east-1", service, access::today))
      out.headers.set(name, value);
    return out;
  }
  http::Response ask(const access::NewKey& key, std::string method, std::string target,
                     std::string_view service = "inspector2", std::string body = {}) {
    return door_->answer(
        signed_request(key, std::move(method), std::move(target), service, std::move(body)));
  }
  // A second after the one before, so that newer events of the audit log come after older ones.
  http::Response post(const access::NewKey& key, std::string path, std::string body) {
    ++clock_;
    return ask(key, "POST", std::move(path), "inspector2", std::move(body));
  }
  access::NewKey make_admin() { return make_key(access::acme, "alice", access::Role::admin); }

  std::optional<sql::Pool> pool_;
  std::optional<access::KeyRing> keys_;
  std::optional<pipeline::Ingest> ingest_;
  Seconds clock_ = access::today;
  std::shared_ptr<const advisories::Database> generation_;
  std::vector<std::string> logged_;
  std::optional<FrontDoor> door_;
};
INSTANTIATE_TEST_SUITE_P(Sqlite, FrontDoorTest, testing::Values(sql::Engine::sqlite),
                         test::engine_name);

TEST_P(FrontDoorTest, while_keys_cannot_be_looked_up_the_answer_is_to_try_again) {
  const auto key = make_key();
  ASSERT_TRUE(db().script("ALTER TABLE access_state RENAME TO hidden"));
  const auto json = ask(key, "POST", "/findings/list");
  EXPECT_EQ(json.status, 503);
  EXPECT_EQ(json.headers.get("x-amzn-ErrorType"), "ServiceUnavailableException");
  EXPECT_EQ(json.headers.get("Retry-After"), "1");
  EXPECT_EQ(json.body, to_response(to_api_error(unavailable("anything"))).body)
      << "as where an operation cannot reach the store";
  const auto xml = ask(key, "POST", "/", "sts");
  EXPECT_EQ(xml.status, 503);
  EXPECT_EQ(xml.headers.get("Retry-After"), "1");
  EXPECT_TRUE(xml.body.contains("<Code>ServiceUnavailable</Code>")) << xml.body;
  ASSERT_EQ(logged_.size(), 2u);
  EXPECT_TRUE(logged_[0].starts_with("r-1 ")) << logged_[0];
}

TEST_P(FrontDoorTest, a_statement_that_the_store_refuses_is_logged_and_not_told) {
  const auto key = make_key();  // the tables of resources and findings are not there
  const std::pair<std::string, std::string> requests[] = {{"POST", "/findings/list"},
                                                          {"GET", "/v1/resources"}};
  for (const auto& [method, path] : requests) {
    logged_.clear();
    const auto said = ask(key, method, path);
    EXPECT_EQ(said.status, 500) << path;
    EXPECT_EQ(said.headers.get("x-amzn-ErrorType"), "InternalServerException");
    EXPECT_EQ(said.body, to_response(to_api_error(Error{Errc::internal, "anything"})).body);
    ASSERT_EQ(logged_.size(), 1U) << path;
    const auto& line = logged_.front();
    EXPECT_TRUE(line.starts_with("r-1 ") && line.contains("no such table")) << line;
  }
}

TEST_P(FrontDoorTest, a_signature_for_another_service_is_refused) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  struct Case {
    std::string method;
    std::string target;
    std::string_view service;  // the right one
    std::string body;
  };
  const Case cases[] = {
      {"GET", "/v1/resources", "inspector2", ""},
      {"POST", "/findings/list", "inspector2", "{}"},
      {"POST", "/scan/sbom", "inspector-scan", R"({"sbom":{}})"},
      {"POST", "/", "sts", "Action=GetCallerIdentity&Version=2011-06-15"},
  };
  for (const auto& [method, target, right, body] : cases) {
    for (const std::string_view service : {"inspector", "inspector2", "inspector-scan", "sts"}) {
      const auto said = ask(key, method, target, service, body);
      // Of a name that nothing here is signed for, the signature is not looked at.
      const auto names = service == "inspector" ? "'inspector2', 'inspector-scan', 'sts'"
                                                : fmt::format("'{}'", right);
      const auto text = fmt::format("Credential should be scoped to correct service: {}.", names);
      EXPECT_EQ(said.body.contains(text), service != right) << target << " " << service;
      EXPECT_EQ(said.status == 403, service != right) << target << " " << service << said.body;
      if (service == right) continue;
      if (right == "sts")
        EXPECT_TRUE(said.body.contains("<Code>SignatureDoesNotMatch</Code>")) << said.body;
      else
        EXPECT_EQ(said.headers.get("x-amzn-ErrorType"), "InvalidSignatureException");
    }
  }
}

TEST_P(FrontDoorTest, a_path_that_another_ones_signature_would_do_for_is_refused) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  // The path that was signed, and one that is the same to a signature or to a client.
  const std::pair<std::string, std::string> cases[] = {
      {"/v1/resources/b", "/v1/resources/a/../b"}, {"/v1/inventory", "/v1/resources/../inventory"},
      {"/v1/resources", "/v1//resources"},         {"/v1/resources", "/v1/resources/."},
      {"/findings/list", "/./findings/list"},      {"/findings/list", "//findings/list"},
      {"/v1/resources/..", "/v1/resources/%2e%2E"}};
  for (const auto& [as_signed, path] : cases) {
    auto request = signed_request(key, "GET", as_signed);
    request.target = path;
    const auto said = door_->answer(request);
    EXPECT_EQ(said.status, 400) << path;
    EXPECT_EQ(said.headers.get("x-amzn-ErrorType"), "ValidationException");
    EXPECT_TRUE(said.body.contains("The path has a segment that is empty, . or ..")) << said.body;
  }
  EXPECT_EQ(ask(key, "GET", "/v1/resources/%252e%252e").status, 404);
}

TEST_P(FrontDoorTest, every_answer_says_how_old_its_data_is) {
  ASSERT_TRUE(store::migrate(db()));
  test::Scratch scratch;
  const auto key = make_admin();
  const std::string search = R"({"filterCriteria":{"vulnerabilityIds":["CVE-2024-0001"]}})";
  auto said = ask(key, "POST", "/findings/list", "inspector2", "{}");
  EXPECT_EQ(said.headers.get("x-tenken-database"), "none");
  EXPECT_EQ(said.headers.get("x-tenken-database-age"), "");
  said = ask(key, "POST", "/vulnerabilities/search", "inspector2", search);
  EXPECT_EQ(said.status, 429) << said.body;
  EXPECT_EQ(said.headers.get("x-amzn-ErrorType"), "ThrottlingException");

  const std::string undated =
      R"({"id":"A-1","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1"]}]})";
  struct Case {
    std::string advisory;
    Seconds newest;  // 0: none has a date
  };
  const Case cases[] = {{test::osv_advisory("A-1", "a", "2.0"), 1'704'067'200}, {undated, 0}};
  for (const auto& [advisory, newest] : cases) {
    generation_ = test::built_advisories(scratch, fmt::format("d{}", newest), {{"A-1", advisory}});
    ASSERT_NE(generation_, nullptr);
    EXPECT_EQ(generation_->meta().newest_record, newest);
    const auto built = pipeline::describe_database(*generation_).built;
    const auto age =
        fmt::format("{}", std::max(Seconds{0}, access::today - (newest > 0 ? newest : built)));
    for (const auto& answer :
         {ask(key, "POST", "/findings/list", "inspector2", "{}"),
          ask(key, "POST", "/coverage/list", "inspector2", "{}"),
          ask(key, "POST", "/findings/aggregation/list", "inspector2",
              R"({"aggregationType":"ACCOUNT"})"),
          ask(key, "POST", "/vulnerabilities/search", "inspector2", search),
          ask(key, "POST", "/findings/details/batch/get", "inspector2",
              R"({"findingArns":["arn:aws:inspector2:us-east-1:111122223333:finding/)" +
                  std::string(32, 'a') + R"("]})"),
          ask(key, "POST", "/scan/sbom", "inspector-scan",
              R"({"sbom":{"bomFormat":"CycloneDX","specVersion":"1.5"}})"),
          ask(key, "GET", "/v1/findings"),
          ask(key, "GET", "/v1/database")}) {
      EXPECT_EQ(answer.status, 200) << answer.body;
      EXPECT_EQ(answer.headers.get("x-tenken-database"), generation_->generation());
      EXPECT_EQ(answer.headers.get("x-tenken-database-age"), age);
    }
    const auto own = ask(key, "GET", "/v1/findings");
    EXPECT_TRUE(own.body.contains(fmt::format(R"("ageSeconds":{})", age))) << own.body;
    EXPECT_EQ(own.body.contains("newestRecord"), newest > 0) << own.body;
  }
}

TEST_P(FrontDoorTest, a_method_that_a_path_does_not_know_is_refused_in_the_shape_of_errors) {
  const auto said = ask(make_key(), "DELETE", "/v1/findings");
  EXPECT_EQ(said.status, 405);
  EXPECT_EQ(said.headers.get("Allow"), "GET");
  EXPECT_EQ(said.headers.get("x-amzn-ErrorType"), "MethodNotAllowedException");
  EXPECT_EQ(said.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(said.body, R"({"message":"This path does not know the method"})");
}

TEST_P(FrontDoorTest, what_is_asked_of_v1_is_known_has_a_value_and_stands_once) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  struct Case {
    std::string target;
    std::string refusal;  // empty: none
  };
  const Case cases[] = {{"/v1/resources?X-Amz-Content-Sha256=0&x-amz-user-agent=sdk", ""},
                        {"/v1/resources?tag=a%3D1&tag=b%3D", ""},
                        {"/v1/findings?resource=a&resource=b", ""},
                        {"/v1/resources?limt=1", "limt: no such parameter"},
                        {"/v1/figures?limit=1", "limit: no such parameter"},
                        {"/v1/resources?limit=1&limit=1", "limit: given twice"},
                        {"/v1/resources?limit=", "limit: a value is needed"},
                        {"/v1/resources?type", "type: a value is needed"},
                        {"/v1/resources?status=&type=host", "status: a value is needed"},
                        {"/v1/findings?resource=a&resource=", "resource: a value is needed"}};
  for (const auto& [target, refusal] : cases) {
    const auto said = ask(key, "GET", target);
    EXPECT_EQ(said.status, refusal.empty() ? 200 : 400) << target << said.body;
    EXPECT_TRUE(said.body.contains(refusal)) << said.body;
  }
}

TEST_P(FrontDoorTest, an_inventory_that_is_another_is_asked_for_in_the_shape_of_errors) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  const auto target = "/v1/resources/web-1/inventory?digest=" + std::string(64, 'a');
  const auto said = ask(key, "PUT", target);
  EXPECT_EQ(said.status, 412);
  EXPECT_EQ(said.headers.get("x-amzn-ErrorType"), "PreconditionFailedException");
  EXPECT_EQ(said.body, R"({"message":"The inventory is another: send it whole"})");
}

TEST_P(FrontDoorTest, an_id_of_a_resource_is_measured_in_characters) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  // 412: the id will do, and nothing is stored under it.
  const auto status = [&](const std::string& id) {
    const auto target =
        fmt::format("/v1/resources/{}/inventory?digest={}", id, std::string(64, 'a'));
    return ask(key, "PUT", target).status;
  };
  const auto repeated = [](std::string_view text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  for (const std::string_view character : {"a", "%C3%A9", "%F0%9D%9F%99"}) {
    EXPECT_EQ(status(repeated(character, 341)), 412) << character;
    EXPECT_EQ(status(repeated(character, 342)), 400) << character;
  }
  EXPECT_EQ(status("%20a%20"), 412);
  for (const auto* none : {"%07", "a%C3", "a%00"}) EXPECT_EQ(status(none), 400) << none;
}

TEST_P(FrontDoorTest, a_digest_that_is_none_is_refused) {
  const auto key = make_admin();
  for (const auto& digest : {std::string("zz"), std::string(64, 'A'), std::string(63, 'a')}) {
    const auto said = ask(key, "PUT", "/v1/resources/web-1/inventory?digest=" + digest);
    EXPECT_EQ(said.status, 400) << digest;
    EXPECT_TRUE(said.body.contains("digest: ")) << said.body;
  }
}

TEST_P(FrontDoorTest, the_audit_log_names_the_filter_that_was_made_changed_or_deleted) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  const auto made =
      post(key, "/filters/create", R"({"name":"f","action":"NONE","filterCriteria":{}})");
  ASSERT_EQ(made.status, 200) << made.body;
  const auto arn = made.body.substr(8, made.body.size() - 10);  // {"arn":"…"}
  ASSERT_TRUE(arn.starts_with("arn:aws:inspector2:us-east-1:111122223333:")) << made.body;
  const auto update = R"({"filterArn":")" + arn + R"(","name":"g"})";
  ASSERT_EQ(post(key, "/filters/update", update).status, 200);
  const auto removal = R"({"arn":")" + arn + R"("})";
  ASSERT_EQ(post(key, "/filters/delete", removal).status, 200);
  EXPECT_EQ(post(key, "/filters/delete", removal).status, 404);
  const auto events = access::list_audit(db(), access::acme, std::nullopt, 4).value();
  ASSERT_EQ(events.size(), 4u);
  for (const auto& event : events) EXPECT_EQ(event.target, arn) << event.action;
}

TEST_P(FrontDoorTest, what_the_audit_log_could_not_take_is_written_before_anything_more_is_changed) {
  ASSERT_TRUE(store::migrate(db()));
  const auto key = make_admin();
  make_key(access::other_account);
  ASSERT_EQ(post(key, "/delegatedadminaccounts/enable",
                 R"({"delegatedAdminAccountId":"111122223333"})")
                .status,
            200);
  ASSERT_TRUE(db().script("ALTER TABLE audit_log RENAME TO hidden"));
  EXPECT_EQ(post(key, "/members/associate", R"({"accountId":"444455556666"})").status, 200)
      << "it is done by now";
  ASSERT_FALSE(logged_.empty());
  EXPECT_TRUE(logged_[0].contains("the audit log waits for: inspector2:AssociateMember of "
                                  "444455556666 by alice in 111122223333: success"))
      << logged_[0];
  const std::string filter = R"({"name":"f","action":"NONE","filterCriteria":{}})";
  EXPECT_EQ(post(key, "/filters/create", filter).status, 503);
  EXPECT_EQ(ask(key, "DELETE", "/v1/resources/i-0123456789abcdef0").status, 503);
  EXPECT_EQ(post(key, "/filters/list", "{}").status, 200) << "what only reads goes on";
  EXPECT_FALSE(door_->write_audit());
  ASSERT_TRUE(db().script("ALTER TABLE hidden RENAME TO audit_log"));
  EXPECT_EQ(post(key, "/filters/create", filter).status, 200);
  std::vector<std::string> noted;
  for (const auto& event : access::list_audit(db(), access::acme, std::nullopt, 2).value())
    noted.push_back(event.action);
  EXPECT_EQ(noted, (std::vector<std::string>{"inspector2:CreateFilter",
                                             "inspector2:AssociateMember"}));
  const auto told = access::list_audit(db(), access::other_account, std::nullopt, 1).value().at(0);
  EXPECT_EQ(told.action, "inspector2:AssociateMember");
  EXPECT_EQ(told.principal, "arn:aws:iam::111122223333:user/alice");
  EXPECT_TRUE(door_->write_audit());
}

TEST_P(FrontDoorTest, the_audit_log_says_what_was_done_to_whom_and_what_was_refused) {
  ASSERT_TRUE(store::migrate(db()));
  const auto admin = make_admin();
  const auto viewer = make_key(access::acme, "bob", access::Role::viewer);
  make_key(access::other_account);
  // "outcome target" of the newest event.
  const auto noted = [&](const access::NewKey& key, std::string path, std::string body) {
    post(key, std::move(path), std::move(body));
    const auto event = access::list_audit(db(), access::acme, std::nullopt, 1).value().at(0);
    return event.outcome + ": " + event.target;
  };
  EXPECT_EQ(noted(admin, "/delegatedadminaccounts/enable",
                  R"({"delegatedAdminAccountId":"111122223333"})"),
            "success: 111122223333");
  EXPECT_EQ(noted(admin, "/members/associate", R"({"accountId":"444455556666"})"),
            "success: 444455556666");
  const auto told = access::list_audit(db(), access::other_account, std::nullopt, 1).value().at(0);
  EXPECT_EQ(told.action + " " + told.target, "inspector2:AssociateMember 444455556666");
  EXPECT_EQ(told.principal, "arn:aws:iam::111122223333:user/alice");
  EXPECT_EQ(told.access_key_id, "");
  EXPECT_EQ(noted(viewer, "/members/disassociate", R"({"accountId":"444455556666"})"),
            "AccessDeniedException: 444455556666");
  EXPECT_EQ(noted(admin, "/enable", R"({"resourceTypes":["EC2"]})"), "success: 111122223333");
  EXPECT_EQ(noted(admin, "/enable",
                  R"({"accountIds":["111122223333","444455556666"],"resourceTypes":["EC2"]})"),
            "success: 111122223333 444455556666");
  EXPECT_EQ(noted(admin, "/enable", R"({"accountIds":["777788889999"],"resourceTypes":["EC2"]})"),
            "ResourceNotFoundException: 777788889999");
  EXPECT_EQ(noted(admin, "/disable", R"({"accountIds":["444455556666","777788889999"]})"),
            "partial, failed for 777788889999: 444455556666 777788889999");
  EXPECT_EQ(noted(admin, "/disable", "{}"), "ConflictException: 111122223333");
  EXPECT_EQ(noted(admin, "/ec2deepinspectionstatus/member/batch/update",
                  R"({"accountIds":[{"accountId":"777788889999","activateDeepInspection":true}]})"),
            "ResourceNotFoundException: 777788889999");
  EXPECT_EQ(
      noted(admin, "/ec2deepinspectionconfiguration/update", R"({"activateDeepInspection":true})"),
      "success: 111122223333");
  EXPECT_EQ(noted(admin, "/reporting/create",
                  R"({"reportFormat":"CSV","s3Destination":{"bucketName":"b","kmsKeyArn":"k"}})"),
            "AccessDeniedException: b");
  EXPECT_EQ(noted(admin, "/v1/exports", R"({"name":"all.csv","format":"CSV"})"),
            "ValidationException: all.csv");
  EXPECT_EQ(noted(admin, "/v1/exports", "[]"), "ValidationException: 111122223333");
  EXPECT_EQ(noted(admin, "/enable", "["), "ValidationException: ") << "nobody knows";
  EXPECT_EQ(noted(admin, "/members/disassociate", R"({"accountId":"444455556666"})"),
            "success: 444455556666");
  const auto ended = access::list_audit(db(), access::other_account, std::nullopt, 9).value();
  EXPECT_EQ(ended.at(0).action, "inspector2:DisassociateMember");
  EXPECT_EQ(std::ranges::count(ended, told.principal, &access::AuditEvent::principal), 2)
      << "of what was refused it is told nothing";
}

TEST_P(FrontDoorTest, the_audit_log_of_every_account_says_who_ended_its_membership) {
  ASSERT_TRUE(store::migrate(db()));
  constexpr std::string_view third = "777788889999";
  constexpr std::string_view bystander = "000011112222";
  const auto management = make_admin();
  const auto delegate = make_key(access::other_account, "dora", access::Role::admin);
  make_key(third);
  make_key(bystander);
  const auto change = [&](const access::NewKey& key, std::string path, std::string body) {
    const auto said = post(key, std::move(path), std::move(body));
    EXPECT_EQ(said.status, 200) << said.body;
  };
  const std::string designated = R"({"delegatedAdminAccountId":"444455556666"})";
  change(management, "/delegatedadminaccounts/enable", designated);
  change(delegate, "/members/associate", R"({"accountId":"111122223333"})");
  change(delegate, "/members/associate", R"({"accountId":"777788889999"})");
  change(management, "/delegatedadminaccounts/disable", designated);
  // "action target" of what the API was asked, the newest first.
  const auto log_of = [&](std::string_view account) {
    std::vector<std::string> out;
    for (const auto& event : access::list_audit(db(), account, std::nullopt, 20).value()) {
      const auto [service, action] = split_once(event.action, ':');
      if (service == "inspector2") out.push_back(fmt::format("{} {}", *action, event.target));
    }
    return out;
  };
  using Log = std::vector<std::string>;
  EXPECT_EQ(log_of(access::acme),
            (Log{"DisableDelegatedAdminAccount 444455556666", "AssociateMember 111122223333",
                 "EnableDelegatedAdminAccount 444455556666"}))
      << "once, though it was a member too";
  EXPECT_EQ(log_of(access::other_account),
            (Log{"DisableDelegatedAdminAccount 444455556666", "AssociateMember 777788889999",
                 "AssociateMember 111122223333", "EnableDelegatedAdminAccount 444455556666"}));
  EXPECT_EQ(log_of(third),
            (Log{"DisableDelegatedAdminAccount 444455556666", "AssociateMember 777788889999"}));
  EXPECT_EQ(log_of(bystander), Log{});
  const auto told = access::list_audit(db(), third, std::nullopt, 1).value().at(0);
  EXPECT_EQ(told.principal, "arn:aws:iam::111122223333:user/alice");
  EXPECT_EQ(told.access_key_id, "");
}

}  // namespace
}  // namespace tenken::api
