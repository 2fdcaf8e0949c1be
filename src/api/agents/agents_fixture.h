// Hosts that speak to the door of agents, for tests.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "access/tokens.h"
#include "api/agents/door.h"
#include "api/api_fixture.h"
#include "base/compress.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "host/report.h"
#include "pipeline/stored_inventory.h"
#include "store/collect_targets.h"
#include "store/resources.h"

namespace tenken::api::agents {

inline constexpr Seconds day = 86'400;

inline std::string digest_of(std::string_view text) {
  return crypto::to_hex(crypto::view(crypto::sha256(text)));
}

// A host as its agent speaks for it.
struct Host {
  std::string machine = std::string(64, 'a');
  std::string host_key = std::string(64, 'b');
  std::string state = std::string(32, 'c');
  std::string instance;  // of a cloud
  std::string key = crypto::make_key().value();
  std::string session = std::string(16, '1');
  std::string certificate;
  std::string agent;
  std::string resource;
  bool clone = false;
};

inline std::string text_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

inline std::vector<std::string> lines_with(const std::map<std::string, std::string>& packages) {
  host::HostReport report{.inventory = test::python_host(packages)};
  report.inventory.databases_read = 1;
  report.facts.kernel = "6.1";
  return host::report_lines(report);
}

// The body of a report: the whole, or what came and went between two.
inline std::string whole_body(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += "+" + line + "\n";
  return out;
}
inline std::string delta_body(const std::vector<std::string>& from,
                              const std::vector<std::string>& to) {
  std::string out;
  for (const auto& line : from)
    if (std::ranges::find(to, line) == to.end()) out += "-" + host::line_name(line) + "\n";
  for (const auto& line : to)
    if (std::ranges::find(from, line) == from.end()) out += "+" + line + "\n";
  return out;
}

class AgentsTest : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(crypto::load_openssl());
    ApiTest::SetUp();
    authority_ = crypto::make_ca("tenken CA", clock_).value();
    door_.emplace(AgentServices{.pool = &*pool_,
                                .ingest = services_.ingest,
                                .clock = [this] { return clock_; },
                                .region = "us-east-1",
                                .authority = authority_,
                                .server_ca = authority_.certificate,
                                .server_names = {"tenken.example", "*.fleet.example", "::1"},
                                .command_seed = seed_.copy(),
                                .releases = scratch_ / "releases"},
                  [this](std::string_view, const Error& error) { faults_.push_back(error.what); });
  }
  void TearDown() override { EXPECT_TRUE(faults_.empty()) << faults_.front(); }

  std::string token(std::int64_t uses = 1, access::Tags tags = {},
                    std::string_view account = own_account) {
    auto connection = pool_->lease();
    return std::string(access::create_token(**connection,
                                            {.account = account,
                                             .made_by = "alice",
                                             .expires_at = clock_ + 3'600,
                                             .uses = uses,
                                             .tags = std::move(tags)},
                                            clock_)
                           .value()
                           .token.reveal());
  }
  static std::string enrol_body(const Host& host, std::string_view token) {
    json::Writer out;
    out.begin_object().member("token", token);
    out.member("request", crypto::make_certificate_request(host.key).value());
    out.member("hostName", "web-1").member_if("machineId", host.machine);
    out.member_if("hostKey", host.host_key).member_if("stateId", host.state);
    out.member("version", "0.1").member("architecture", "x86_64");
    if (!host.instance.empty()) {
      out.key("cloud").begin_object().member("provider", "aws");
      out.member("instanceId", host.instance).member("region", "eu-west-1").end_object();
    }
    return out.end_object().take();
  }
  http::Response post(std::string_view name, std::string body, const Host* host = nullptr,
                      std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Request request{.method = "POST",
                          .target = fmt::format("/agent/{}", name),
                          .body = std::move(body),
                          .peer = "192.0.2.1:1",
                          .id = "r"};
    if (host != nullptr) {
      request.client_certificate = host->certificate;
      headers.emplace_back("Tenken-Session", host->session);
      headers.emplace_back("Tenken-Version", "0.1");
    }
    request.headers.all = std::move(headers);
    request.held = held_;
    return door_->answer(request);
  }
  http::Response get(std::string_view path) {
    return door_->answer({.method = "GET", .target = std::string(path), .id = "r"});
  }
  static std::string member(const http::Response& response, std::string_view name) {
    json::Parser parser;
    const auto parsed = parser.parse(response.body);
    if (!parsed) return "no JSON";
    const auto value = (*parsed)[name];
    if (const auto number = value.integer()) return std::to_string(*number);
    if (const auto truth = value.boolean()) return *truth ? "true" : "false";
    return std::string(value.string());
  }
  int enrol(Host& host, std::string_view token) {
    const auto response = post("enrol", enrol_body(host, token));
    if (response.status != 200) {
      refusal_ = member(response, "message");
      return response.status;
    }
    host.certificate = member(response, "certificate");
    host.agent = member(response, "agentId");
    host.resource = member(response, "resourceId");
    host.clone = member(response, "clone") == "true";
    return 200;
  }
  Host enrolled() {
    Host host;
    EXPECT_EQ(enrol(host, token()), 200) << refusal_;
    return host;
  }
  static Host other_host() {
    return {.machine = std::string(64, 'd'),
            .host_key = std::string(64, 'e'),
            .state = std::string(32, 'd')};
  }

  http::Response report(const Host& host, std::int64_t sequence, std::string body,
                        const std::string& digest, const std::string& base = "") {
    std::vector<std::pair<std::string, std::string>> headers{
        {"Tenken-Sequence", std::to_string(sequence)}, {"Tenken-Digest", digest}};
    if (!base.empty()) headers.emplace_back("Tenken-Base", base);
    return post("report", std::move(body), &host, std::move(headers));
  }
  http::Response report_whole(const Host& host, std::int64_t sequence,
                              const std::vector<std::string>& lines) {
    return report(host, sequence, whole_body(lines), host::report_digest(lines));
  }
  http::Response poll(const Host& host, const std::string& digest = "") {
    return post("poll", "", &host, {{"Tenken-Digest", digest}});
  }
  store::Agent agent(const Host& host) {
    auto connection = pool_->lease();
    return store::find_agent(**connection, own_account, host.agent).value().value();
  }
  std::optional<store::Resource> resource(const Host& host) {
    auto connection = pool_->lease();
    return store::find_resource(**connection, own_account, host.resource).value();
  }
  bool end(const Host& host, store::AgentStatus status) {
    auto connection = pool_->lease();
    return store::end_agent(**connection, host.agent, status, clock_).value();
  }
  // As `tenken scan --server` does, and a target of collection.
  void put_with_key(const std::string& resource) {
    pipeline::ResourceReport report{.account = std::string(own_account),
                                    .external_id = resource,
                                    .digest = digest_of(resource),
                                    .received = clock_};
    EXPECT_TRUE(services_.ingest->put(
        pipeline::stored_inventory(report, test::python_host({{"requests", "1.0"}}))));
  }
  void collect_as(const std::string& resource) {
    auto connection = pool_->lease();
    store::CollectTarget target{
        .account = std::string(own_account), .host = "root@" + resource, .created = clock_};
    EXPECT_TRUE(store::add_collect_target(**connection, target));
    EXPECT_TRUE(store::lease_collect_target(**connection, "node", clock_, 60).value());
    EXPECT_TRUE(store::claim_resource(**connection, target, "node", resource));
  }
  std::string stored_text(const Host& host) {
    auto connection = pool_->lease();
    const auto found =
        store::find_report(**connection, store::resource_id(own_account, host.resource)).value();
    return found->packed.empty() ? "none" : unpack(found->packed, 1 << 20).value();
  }

  crypto::Secret seed_{std::string(32, 's')};
  crypto::Identity authority_;
  std::optional<AgentDoor> door_;
  std::vector<std::string> faults_;
  std::string refusal_;
  bool held_ = false;
};

}  // namespace tenken::api::agents
