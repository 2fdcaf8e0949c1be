// What agent and server say, and where the server is.
#include "agent/exchange.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"

namespace tenken::agent {
namespace {

constexpr Seconds noon = 1'790'000'000;

class Commands : public ::testing::Test {
 protected:
  std::string text(std::string_view command, std::string_view agent, Seconds expires) const {
    json::Writer out;
    out.begin_object().member("id", "1").member("agentId", agent).member("command", command);
    out.key("issued").integer(noon).key("expires").integer(expires).end_object();
    return out.take();
  }
  // The answer of a poll with one command.
  Incoming answer(const std::string& text, std::string_view signed_text) const {
    const auto signature = crypto::ed25519_sign(seed_, signed_text);
    json::Writer out;
    out.begin_object().key("commands").begin_array().begin_object();
    out.member("text", text).member("signature", crypto::to_base64(*signature));
    out.end_object().end_array().end_object();
    return {.status = 200, .head = {}, .body = out.take()};
  }
  std::size_t obeyed(const Incoming& answer) {
    refused_.clear();
    const auto read = read_commands(answer, crypto::to_base64(*crypto::ed25519_public_key(seed_)),
                                    "me", noon, refused_);
    EXPECT_TRUE(read) << read.error().what;
    return read ? read->size() : 0;
  }

  crypto::Secret seed_{std::string(32, 's')};
  std::vector<std::string> refused_;
};

TEST_F(Commands, that_are_signed_for_this_agent_hold) {
  for (const auto* name : {"collect", "renew"}) {
    const auto one = text(name, "me", noon + 60);
    EXPECT_EQ(obeyed(answer(one, one)), 1u) << name;
    EXPECT_TRUE(refused_.empty());
  }
}

TEST_F(Commands, that_are_not_are_refused_and_told) {
  const auto good = text("collect", "me", noon + 60);
  const auto other = text("collect", "you", noon + 60);
  const auto over = text("collect", "me", noon);
  const auto unknown = text("run", "me", noon + 60);
  for (const auto& [shown, is_signed] :
       {std::pair(good, good + " "), std::pair(other, other), std::pair(over, over),
        std::pair(unknown, unknown), std::pair(std::string("{"), std::string("{"))}) {
    EXPECT_EQ(obeyed(answer(shown, is_signed)), 0u) << shown;
    EXPECT_EQ(refused_.size(), 1u) << shown;
  }
}

TEST_F(Commands, an_update_names_its_release) {
  const auto text = R"({"id":"1","agentId":"me","command":"update","issued":1,"expires":)" +
                    std::to_string(noon + 60) +
                    R"(,"release":{"version":"0.2.0","sha256":"ab","size":12}})";
  const auto commands =
      read_commands(answer(text, text), crypto::to_base64(*crypto::ed25519_public_key(seed_)), "me",
                    noon, refused_);
  ASSERT_TRUE(commands) << commands.error().what;
  ASSERT_EQ(commands->size(), 1u);
  const auto& command = commands->front();
  EXPECT_EQ(command.kind, Command::Kind::update);
  EXPECT_EQ(command.release.version, "0.2.0");
  EXPECT_EQ(command.release.sha256, "ab");
  EXPECT_EQ(command.release.size, 12u);
}

TEST(Receipts, say_what_the_server_has) {
  const auto fits = read_receipt({200, {}, R"({"sequence":7,"digest":"ab","now":1})"});
  ASSERT_TRUE(fits) << fits.error().what;
  EXPECT_EQ(fits->sequence, 7u);
  EXPECT_FALSE(fits->need_whole);
  const auto whole = read_receipt({409, {}, R"({"need":"whole","sequence":3,"digest":""})"});
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_TRUE(whole->need_whole);
  EXPECT_EQ(read_receipt({409, {}, R"({"message":"a second agent"})"}).error().code,
            Errc::conflict);
  EXPECT_EQ(read_receipt({403, {}, R"({"message":"revoked"})"}).error().code, Errc::denied);
  EXPECT_EQ(read_receipt({400, {}, "no JSON"}).error().code, Errc::invalid);
  EXPECT_EQ(read_receipt({503, {}, ""}).error().code, Errc::unavailable);
  EXPECT_EQ(read_receipt({200, {}, R"({"sequence":-1})"}).error().code, Errc::invalid);
  EXPECT_EQ(read_receipt({200, {}, R"({"sequence":"1"})"}).error().code, Errc::invalid);
}

TEST(Receipts, what_a_server_says_is_shown_safely) {
  const auto refused = refusal_of({400, {}, "{\"message\":\"bad \\u001b[31m\"}"});
  EXPECT_EQ(refused.what.find('\x1b'), std::string::npos);
}

TEST(Requests, a_report_says_in_its_head_what_it_stands_on) {
  const Speaker speaker{.session = "0011223344556677", .version = "1.2"};
  const auto request =
      report_request(speaker, {.sequence = 12, .base = "bb", .digest = "dd", .body = "+{}\n"});
  EXPECT_EQ(request.path, "/agent/report");
  EXPECT_EQ(request.body, "+{}\n");
  const auto has = [&](std::string_view name, std::string_view value) {
    return std::ranges::find(request.headers, std::pair(std::string(name), std::string(value))) !=
           request.headers.end();
  };
  EXPECT_TRUE(has("Tenken-Sequence", "12"));
  EXPECT_TRUE(has("Tenken-Digest", "dd"));
  EXPECT_TRUE(has("Tenken-Base", "bb"));
  EXPECT_TRUE(has("Tenken-Session", "0011223344556677"));
}

TEST(Requests, what_became_of_an_update_is_said_safely) {
  const Speaker speaker{
      .session = "0011223344556677", .version = "1.2", .update_fault = "0.2.0 no\r\nX: y"};
  const auto request = poll_request(speaker, "dd", false);
  const auto value = [&](std::string_view name) {
    const auto found =
        std::ranges::find(request.headers, name, &std::pair<std::string, std::string>::first);
    return found == request.headers.end() ? std::string() : found->second;
  };
  EXPECT_TRUE(value("Tenken-Update").starts_with("0.2.0 no"));
  EXPECT_EQ(value("Tenken-Update").find('\n'), std::string::npos);
  EXPECT_EQ(value("Tenken-Hold"), "0");
}

TEST(Urls, of_servers) {
  EXPECT_EQ(parse_server_url("https://a.example")->port, 443);
  EXPECT_EQ(parse_server_url("https://a.example:8443/")->port, 8443);
  EXPECT_EQ(parse_server_url("https://[::1]:8443")->host, "::1");
  for (const auto* bad :
       {"", "a.example", "http://a.example", "https://", "https://a:0", "https://a:70000",
        "https://a/b", "https://u@a", "https://[::1", "https://a:x"})
    EXPECT_FALSE(parse_server_url(bad)) << bad;
}

TEST(Urls, of_proxies) {
  const auto proxy = parse_proxy_url("http://me:p%40ss@proxy:8080");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->host, "proxy");
  EXPECT_EQ(proxy->port, 8080);
  EXPECT_EQ(proxy->credentials, "me:p@ss");
  const auto bad = parse_proxy_url("socks5://me:secret@proxy");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().what.find("secret"), std::string::npos);
}

TEST(Urls, hosts_without_proxy_are_reached_at_once) {
  ::setenv("https_proxy", "http://proxy:3128", 1);
  ::setenv("no_proxy", "example.com, .internal ,10.0.0.1", 1);
  const auto proxy = [](std::string host) { return proxy_of_environment({std::move(host), 443}); };
  EXPECT_EQ(proxy("a.example.com"), "");
  EXPECT_EQ(proxy("example.com"), "");
  EXPECT_EQ(proxy("a.internal"), "");
  EXPECT_EQ(proxy("10.0.0.1"), "");
  EXPECT_EQ(proxy("notexample.com"), "http://proxy:3128");
  ::unsetenv("https_proxy");
  ::unsetenv("no_proxy");
}

}  // namespace
}  // namespace tenken::agent
