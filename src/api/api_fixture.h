// A store with an account, and its operations called as the front door calls them: route, input,
// permission, handler. Every answer is checked against the model. For tests.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/accounts.h"
#include "access/schema.h"
#include "api/call.h"
#include "api/front_door.h"
#include "api/input.h"
#include "api/service_model.h"
#include "api/validate.h"
#include "pipeline/evaluate.h"
#include "pipeline/ingest.h"
#include "store/schema.h"
#include "support/advisory_case.h"
#include "support/scratch.h"

namespace tenken::api {

inline constexpr std::string_view own_account = "111122223333";
inline constexpr std::string_view second_account = "444455556666";
inline constexpr std::string_view third_account = "777788889999";

using test::osv_advisory;

// nullptr: no family handles it.
inline const HandledOperation* handled_operation(std::string_view name) {
  for (const auto* family : families())
    for (const auto& operation : family->operations)
      if (operation.name == name) return &operation;
  return nullptr;
}

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    pool_.emplace(sql::Location{.sqlite_file = scratch_ / "tenken.sqlite"}, 4);
    auto connection = pool_->lease();
    ASSERT_TRUE(connection) << connection.error().what;
    ASSERT_TRUE(access::migrate(**connection));
    ASSERT_TRUE(store::migrate(**connection));
    // The first is the management account.
    for (const auto account : {own_account, second_account, third_account})
      ASSERT_TRUE(access::create_account(**connection, account, "", false, clock_));
    ingest_.emplace(*pool_, [] {});
    evaluator_.emplace(
        pipeline::EvaluatorOptions{.pool = &*pool_,
                                   .node = "node-1",
                                   .current = [this] { return generation_; },
                                   .find = [](const std::string&) { return nullptr; },
                                   .clock = [this] { return clock_; }});
    services_.pool = &*pool_;
    services_.ingest = &*ingest_;
    services_.generation = [this] { return generation_; };
    services_.wake = [] {};
    services_.clock = [this] { return clock_; };
    services_.region = "us-east-1";
    services_.token_key = crypto::Secret(std::string(32, 'k'));
  }

  static const ServiceModel& model(std::string_view operation) {
    static const auto inspector2 = ServiceModel::inspector2();
    static const auto inspector_scan = ServiceModel::inspector_scan();
    return inspector2.operation(operation) != nullptr ? inspector2 : inspector_scan;
  }

  // input is a JSON object of all members, wherever they travel. As who_.
  Answer call(std::string_view name, std::string_view input = "{}") {
    const auto* operation = model(name).operation(name);
    const auto* handled = handled_operation(name);
    if (operation == nullptr || handled == nullptr) return resource_not_found("no such operation");
    if (!who_.may(handled->needs)) return access_denied("not permitted");
    TRY(const auto read, read_input(*operation, input));
    auto answer = handled->handle({.who = who_, .input = read, .services = services_});
    if (answer)
      check(*operation, *answer);
    else
      check_refusal(*operation, answer.error().code);
    return answer;
  }
  // The answer of a call that succeeds; "" where it does not.
  std::string answer(std::string_view name, std::string_view input = "{}") {
    const auto out = call(name, input);
    EXPECT_TRUE(out) << name << ": " << out.error().message;
    return out ? *out : std::string();
  }
  // What a call is refused with: "ResourceNotFoundException: …".
  std::string refusal(std::string_view name, std::string_view input = "{}") {
    const auto out = call(name, input);
    EXPECT_FALSE(out) << name << ": " << *out;
    if (out) return {};
    return fmt::format("{}: {}", api::name(out.error().code), out.error().message);
  }
  void become(std::string_view account, access::Role role = access::Role::admin) {
    who_.account = std::string(account);
    who_.role = role;
  }

  // Makes a generation of these advisories (by id) the current one.
  void use_advisories(const std::map<std::string, std::string>& advisories) {
    generation_ = test::built_advisories(scratch_, fmt::format("{}", ++built_), advisories);
    ASSERT_NE(generation_, nullptr);
    const auto noticed = evaluator_->notice_generation();
    ASSERT_TRUE(noticed) << noticed.error().what;
  }

  // A resource of who_'s account has these PyPI packages, by name and version.
  void put_inventory(std::string_view resource, const std::map<std::string, std::string>& packages,
                     std::vector<std::pair<std::string, std::string>> tags = {}) {
    put_report({.external_id = std::string(resource), .tags = std::move(tags)},
               test::python_host(packages));
  }
  // The same of anything else; account, digest and time are filled in.
  void put_report(pipeline::ResourceReport report, Inventory inventory,
                  const HostFacts& facts = {}) {
    report.account = who_.account;
    report.digest = fmt::format("d{}", ++reports_);
    report.received = clock_;
    const auto put = ingest_->put(pipeline::stored_inventory(report, std::move(inventory), facts));
    ASSERT_TRUE(put) << put.error().what;
  }

  void evaluate() { test::work_through(*evaluator_); }

  test::Scratch scratch_;
  std::optional<sql::Pool> pool_;
  Seconds clock_ = 1'800'000'000;
  access::Principal who_{.account = std::string(own_account),
                         .user = "alice",
                         .user_id = "TKIUTEST",
                         .access_key_id = "TKIATEST",
                         .role = access::Role::admin};
  Services services_;

 private:
  static ApiResult<Input> read_input(const Operation& operation, std::string_view text) {
    json::Parser parser;
    const auto parsed = parser.parse(text);
    EXPECT_TRUE(parsed) << text;
    Route route{.operation = &operation};
    std::string query;
    for (const auto& member : operation.input->members) {
      const auto value = parsed ? (*parsed)[member.name] : json::Value();
      if (!value) continue;
      if (member.location == Member::Location::uri)
        route.labels.emplace_back(member.wire_name, value.string());
      if (member.location != Member::Location::querystring) continue;
      const auto add = [&](json::Value one) {
        query += fmt::format("{}{}=", query.empty() ? "" : "&", member.wire_name);
        if (const auto number = one.integer()) query += std::to_string(*number);
        for (const char c : one.string())
          query += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      };
      if (value.is_array())
        value.for_each(add);
      else
        add(value);
    }
    return Input::read(route, query, text);
  }

  static void check(const Operation& operation, const std::string& answer) {
    json::Parser parser;
    const auto document = parser.parse(answer);
    ASSERT_TRUE(document) << operation.name << ": " << answer;
    for (const auto& error : check_output(operation, *document))
      ADD_FAILURE() << operation.name << ": " << error.name << ": " << error.message << "\n"
                    << answer;
  }

  // What every service may answer stands in no model.
  static void check_refusal(const Operation& operation, ErrorCode code) {
    if (code > ErrorCode::internal_server) return;
    EXPECT_TRUE(std::ranges::any_of(
        operation.errors, [&](const Shape* error) { return error->name == api::name(code); }))
        << operation.name << " has no " << api::name(code);
  }

  std::optional<pipeline::Ingest> ingest_;
  std::optional<pipeline::Evaluator> evaluator_;
  std::shared_ptr<const advisories::Database> generation_;
  int built_ = 0;
  int reports_ = 0;
};

}  // namespace tenken::api
